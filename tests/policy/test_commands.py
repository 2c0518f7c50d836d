"""validate, plan and apply under a policy, on a real sandbox: exit 5, waivers, expiry."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.policy.rules import CHECKS
from tests.bad.golden import assert_inert
from tests.conftest import automatic, custom

if TYPE_CHECKING:
    from tests.conftest import Project

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "policy.md").read_text()
NO_LOOSENING = {"id": "no-loosening", "level": "deny", "no_loosening": True}
SAFETY = {
    "id": "safety-present",
    "level": "deny",
    "message": "Every bot needs a safety check.",
    "select": {"addresses": ["*-bot"]},
    "require_metrics": ["comprehensive_safety"],
}
FAR, PAST = "2999-12-31", "2001-01-01"


def rules(project: Project, *given: Any, **policy: Any) -> None:
    project.settings(policy={"rules": given, **policy})


def declare(project: Project, workflows: dict[str, Any], *waivers: Any) -> None:
    text = json.dumps({"version": 1, "workflows": workflows, "waivers": waivers})
    (project.root / "workflows" / "all.yaml").write_text(text)


def waiver(**other: Any) -> dict[str, Any]:
    said = {"address": "a", "rule": "no-loosening", "field": "metrics.completeness", "to": 0.6}
    return {**said, "reason": "known", "approver": "Jane", "expires": FAR, **other}


@pytest.fixture
def loosened(project: Project) -> Project:
    """`a` is live with 0.8, and its manifest says 0.6 now, which the policy denies."""
    rules(project, NO_LOOSENING)
    declare(project, {"a": custom()})
    project.apply()
    declare(project, {"a": custom(metrics={"completeness": 0.6})})
    project.server.forget_requests()
    return project


def unsent(project: Project) -> bool:
    return project.server.count("POST") == project.server.count("PUT") == 0


def test_a_denial_is_exit_5_of_plan_and_apply_and_nothing_is_sent(loosened: Project) -> None:
    ran = loosened.plan("--out", "p.json", code=5)
    [finding] = ran.json["policy"]
    assert (finding["rule"], finding["verdict"], finding["field"]) == (
        "no-loosening",
        "denied",
        "metrics.completeness",
    )
    assert (finding["file"], finding["line"]) == ("workflows/all.yaml", 1)
    before = loosened.state_bytes()
    digest = ran.json["digest"]
    for consent in (["--yes"], ["--expect", digest], ["p.json"], ["--yes", "--format", "json"]):
        refused = loosened.ok("apply", *consent, code=5)
        assert "the policy denies this plan" in refused.err
        for word in ("no-loosening", "a metrics.completeness", "workflows/all.yaml:1:", "  - address: a\n"):
            assert word in refused.err, word
    assert unsent(loosened)
    assert loosened.state_bytes() == before
    assert "denied" in loosened.ok("plan", "--detailed-exitcode", code=5).out


def test_the_text_of_the_remedy_lets_it_pass(loosened: Project) -> None:
    """Pasted as it is it is refused; with its placeholders filled it is taken, and shown."""
    remedy = loosened.plan(code=5).json["policy"][0]["remedy"]
    manifest = loosened.root / "workflows" / "all.yaml"
    body = 'version: 1\nworkflows:\n  a: {"type": "custom", "metrics": {"completeness": 0.6}, '
    body += f'"improvement_action": "fixit"}}\nwaivers:\n{remedy}'
    manifest.write_text(body)
    refused = loosened.ok("validate", code=1).out
    assert refused.count("[placeholder]") == 2
    assert loosened.ok("plan", code=1).err == refused
    filled = body.replace("<why this may pass>", "Too many false alarms").replace("<who says so>", "Jane")
    manifest.write_text(filled)
    shown = loosened.ok("plan").out
    assert "waived by Jane until " in shown
    assert "Too many false alarms" in shown
    loosened.apply()
    loosened.assert_settled()
    assert loosened.plan().json["policy"] == []


def idle(ran: Any) -> list[str]:
    return [d["message"] for d in ran.json["diagnostics"] if d["code"] == "unneeded-waiver"]


def test_a_waiver_that_nothing_needs_any_more_is_told(loosened: Project) -> None:
    declare(loosened, {"a": custom(metrics={"completeness": 0.6})}, waiver())
    assert idle(loosened.plan()) == [], "needed until it is applied"
    loosened.apply()
    said = "Nothing needs this waiver any more (no-loosening for a, metrics.completeness): remove it."
    ran = loosened.plan("--detailed-exitcode")
    assert idle(ran) == [said]
    [place] = [d for d in ran.json["diagnostics"] if d["code"] == "unneeded-waiver"]
    assert (place["severity"], place["file"]) == ("warning", "workflows/all.yaml")
    for form in ("text", "markdown", "github"):
        shown = loosened.ok("plan", "--format", form)
        assert said in shown.out + shown.err
    assert idle(loosened.plan("--no-refresh", code=5)) == [], "what is live was not looked at"


def test_a_waiver_of_another_value_or_of_what_is_retired(loosened: Project) -> None:
    rules(loosened, NO_LOOSENING, {"id": "stays", "level": "deny", "no_retire": True}, SAFETY)
    declare(loosened, {"a": custom()}, waiver(to=0.5), waiver(rule="stays", field="retire", to=None))
    assert len(idle(loosened.plan())) == 2
    loosened.apply()
    gone = waiver(rule="stays", field="retire", to=None)
    declare(loosened, {"b": custom()}, gone)
    assert idle(loosened.plan()) == []
    assert idle(loosened.plan("--target", "b")) == []
    loosened.apply()
    assert len(idle(loosened.plan())) == 1
    assert idle(loosened.plan("--target", "b")) == [], "a was not looked at"
    manifest = waiver(address="a-bot", rule="safety-present", field="metrics.comprehensive_safety", to=None)
    declare(loosened, {"b": custom(), "a-bot": custom()}, manifest)
    loosened.apply()
    assert idle(loosened.plan()) == [], "a rule about manifests needs it as long as they say so"


def test_a_metric_cannot_come_back_lower_in_two_steps(project: Project) -> None:
    """Nobody remembers what was taken out, so taking it out is the step."""
    rules(project, {"id": "small-steps", "level": "deny", "max_threshold_step": 0.1})
    declare(project, {"a": custom(metrics={"completeness": 0.9, "correctness": 0.5})})
    project.apply()
    declare(project, {"a": custom(metrics={"correctness": 0.5})})
    [finding] = project.plan(code=5).json["policy"]
    moved = "metrics.completeness from 0.9 to"
    assert finding["detail"] == f"{moved} nothing is a step of 0.9; at most 0.1 is allowed"
    project.server.edit(project.bound("a"), metrics={"correctness": 0.5})
    declare(project, {"a": custom(metrics={"completeness": 0.3, "correctness": 0.5})})
    [finding] = project.plan(code=5).json["policy"]
    assert finding["detail"] == f"{moved} 0.3 is a step of 0.6; at most 0.1 is allowed"
    declare(project, {"a": custom(metrics={"completeness": 0.9, "correctness": 0.5})})
    assert project.plan().json["policy"] == [], "put back as it was"


def test_the_digest_does_not_know_the_policy(loosened: Project) -> None:
    denied = loosened.plan("--out", "p.json", code=5).json["digest"]
    declare(loosened, {"a": custom(metrics={"completeness": 0.6})}, waiver())
    waived = loosened.plan().json
    assert waived["digest"] == denied
    assert [finding["waiver"]["approver"] for finding in waived["policy"]] == ["Jane"]
    loosened.ok("apply", "p.json")


def test_a_stale_plan_is_told_first(loosened: Project) -> None:
    loosened.ok("plan", "--out", "p.json", code=5)
    declare(loosened, {"a": custom(metrics={"completeness": 0.5})})
    assert "stale" in loosened.ok("apply", "p.json", code=6).err


def test_apply_judges_what_moved_since_the_review(project: Project) -> None:
    """The plan passed when it was reviewed; the policy has changed since, and the digest has not."""
    declare(project, {"a": custom()})
    project.apply()
    declare(project, {"a": custom(metrics={"completeness": 0.6})})
    project.ok("plan", "--out", "p.json")
    rules(project, NO_LOOSENING)
    project.ok("apply", "p.json", code=5)
    assert project.server.count("PUT") == 0


def test_drift_that_apply_would_revert_downwards_is_denied(project: Project) -> None:
    rules(project, NO_LOOSENING)
    declare(project, {"a": custom()})
    project.apply()
    project.server.edit(project.bound("a"), metrics={"completeness": 0.95})
    assert "changed in the console" in project.ok("plan", code=5).out
    declare(project, {"a": custom(metrics={"completeness": 0.95})})
    project.apply()


@pytest.mark.parametrize("command", [["validate"], ["plan"], ["apply", "--yes"]])
def test_an_expired_waiver_is_an_error_where_it_could_let_something_pass(
    loosened: Project, command: list[str]
) -> None:
    declare(loosened, {"a": custom(metrics={"completeness": 0.6})}, waiver(expires=PAST))
    ran = loosened.ok(*command, code=1)
    assert "workflows/all.yaml:1:" in ran.out + ran.err
    assert "[expired-waiver]" in ran.out + ran.err
    assert unsent(loosened)


def test_an_expired_waiver_keeps_nobody_from_looking(loosened: Project) -> None:
    declare(loosened, {"a": custom()}, waiver(expires=PAST))
    for command in (["drift"], ["show", "a"], ["outputs"], ["state", "list"]):
        loosened.ok(*command)


def test_validate_judges_manifests_offline(project: Project) -> None:
    rules(project, SAFETY, {"id": "steady", "level": "warn", "max_retries": 3})
    declare(project, {"a-bot": custom(), "b": custom(max_retries=3)})
    ran = project.json("validate", code=5)
    assert not ran.json["valid"]
    told = [d for d in ran.json["diagnostics"] if d["code"] != "unpinned-state"]
    found = [(d["severity"], d["code"], d["message"].partition(":")[0]) for d in told]
    assert found == [("warning", "policy", "a-bot"), ("error", "policy", "a-bot")]
    assert "Every bot needs a safety check. comprehensive_safety is not" in ran.out
    declare(project, {"a-bot": custom(), "b": custom(max_retries=-1)})
    project.ok("validate", code=1)
    declare(project, {"a-bot": custom(metrics={"comprehensive_safety": 0.5})})
    project.ok("validate")
    assert project.server.requests() == []


def test_a_waived_rule_about_manifests_is_shown_by_the_plan(project: Project) -> None:
    rules(project, SAFETY)
    given = waiver(address="a-bot", rule="safety-present", field="metrics.comprehensive_safety", to=None)
    declare(project, {"a-bot": custom()}, given)
    project.ok("validate")
    assert [finding["verdict"] for finding in project.plan().json["policy"]] == ["waived"]
    project.apply()


def test_a_warning_stops_nothing(project: Project) -> None:
    rules(project, {**SAFETY, "level": "warn"})
    declare(project, {"a-bot": custom()})
    project.ok("validate")
    assert [finding["verdict"] for finding in project.plan().json["policy"]] == ["warned"]
    project.apply()


def test_a_retire_is_denied_even_where_labels_selected_it(project: Project) -> None:
    select = {"labels": {"tier": "critical"}}
    rules(project, {"id": "stays", "level": "deny", "select": select, "no_retire": True})
    declare(project, {"a": custom(labels={"tier": "critical"}), "b": custom()})
    project.apply()
    declare(project, {"b": custom()})
    assert "its labels went with its manifest" in project.ok("plan", code=5).out
    declare(project, {"b": custom()}, waiver(rule="stays", field="retire"))
    project.apply()


def test_labels_are_never_sent_and_change_nothing(project: Project) -> None:
    declare(project, {"a": custom(labels={"tier": "critical"})})
    project.apply()
    digest = project.plan().json["digest"]
    declare(project, {"a": custom(labels={"team": "other"})})
    assert project.plan("--detailed-exitcode").json["digest"] == digest
    assert "critical" not in json.dumps(
        [project.server.requests(), project.server.workflows(), project.state]
    )


def test_a_limit_of_creates_counts_what_is_targeted(project: Project) -> None:
    rules(project, {"id": "few", "level": "deny", "max_creates": 1})
    declare(project, {"a": custom(), "b": custom()})
    assert "raise the limit" in project.ok("plan", code=5).out
    project.apply("--target", "a")
    project.apply()


def test_an_automatic_workflow_cannot_keep_a_least_threshold(project: Project) -> None:
    rules(project, {"id": "least", "level": "deny", "min_threshold": {"completeness": 0.5}})
    declare(project, {"a": automatic()})
    [finding] = project.plan(code=5).json["policy"]
    assert (finding["evaluated"], finding["verdict"]) == (False, "denied")
    declare(project, {"a": automatic()}, waiver(rule="least", to="low"))
    project.apply()


def test_an_unknown_create_outranks_a_denial(project: Project) -> None:
    declare(project, {"a": custom()})
    project.apply()
    declare(project, {"a": custom(), "b": custom()})
    project.server.fault("lost-after", "POST")
    project.apply(code=7)
    rules(project, NO_LOOSENING)
    declare(project, {"a": custom(metrics={"completeness": 0.6}), "b": custom()})
    assert "the policy denies this plan" in project.ok("apply", "--yes", code=7).err
    assert project.plan(code=7).json["policy"]
    assert project.server.count("PUT") == 0


@pytest.mark.parametrize(
    "name", ["\x1b[31mred", "a\n::error::x\n##[group]y", "a: b # c", '"\\\u202e', "no", "é🤖"]
)
def test_a_metric_named_by_the_api_cannot_act_and_can_be_waived(project: Project, name: str) -> None:
    """A metric that the console added, under any name, goes with the next apply: that loosens."""
    declare(project, {"a": custom()})
    project.apply()
    project.server.edit(project.bound("a"), metrics={"completeness": 0.8, name: 0.5})
    rules(project, NO_LOOSENING)
    shown = project.ok("plan", code=5)
    assert_inert(shown.out + shown.err)
    refused = project.ok("apply", "--yes", code=5)
    assert_inert(refused.out + refused.err)
    [finding] = project.plan(code=5).json["policy"]
    assert finding["field"] == f"metrics.{name}"
    filled = finding["remedy"].replace("<why this may pass>", "unwanted").replace("<who says so>", "Jane")
    manifest = project.root / "workflows" / "all.yaml"
    manifest.write_text(f'version: 1\nworkflows: {{"a": {json.dumps(custom())}}}\nwaivers:\n{filled}')
    assert [each["verdict"] for each in project.plan().json["policy"]] == ["waived"]


def test_what_the_readme_shows_is_right(project: Project) -> None:
    section = PAGE
    policy, waivers = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    (project.root / "defendctl.yaml").write_text("version: 1\n" + policy)
    (project.root / "policies").mkdir()
    (project.root / "policies" / "more.yaml").write_text("version: 1\nrules: []\n")
    body = json.dumps(custom(labels={"tier": "critical"}, metrics={"comprehensive_safety": 0.5}))
    manifest = f'version: 1\nworkflows: {{"support-bot": {body}}}\n{waivers}'
    (project.root / "workflows" / "a.yaml").write_text(manifest)
    ran = project.ok("validate")
    assert "0 errors" in ran.out or "All manifests are valid" in ran.out, ran
    for check in CHECKS:
        assert f"`{check}" in section, check
