"""Environments on the command line: each mistake with its exit code and message, and the whole way."""

from __future__ import annotations

import json
import shutil
import stat
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.diagnostics import Precondition
from defendctl.model import Intent, State
from defendctl.state import records
from defendctl.state.document import to_text
from defendctl.state.lines import encode
from defendctl.state.open import open_local
from tests.conftest import KEY, Project, Server, World, custom
from tests.state.given import local

if TYPE_CHECKING:
    from pathlib import Path

Json = Any
SAFE = {"completeness": 0.8, "correctness": 0.7}


@pytest.fixture
def fleet(world: World) -> Project:
    """Two environments with an API, a key and an overlay each."""
    production, staging = world(), world(api_key="staging-key")
    del production.env["DEEP_RAILS_BASE_URL"]
    production.env |= {"DEEPRAILS_KEY_PRODUCTION": KEY, "DEEPRAILS_KEY_STAGING": "staging-key"}
    del production.env["DEEPRAILS_API_KEY"]
    production.settings(environments=sections(production.server, staging.server))
    production.declare({"bot": custom(metrics=SAFE), "triage": custom()})
    production.declare({"bot": {"metrics": {"correctness": 0.2}}, "triage": None}, "over/staging.yaml")
    return production


def sections(production: Server, staging: Server) -> Json:
    return {
        "staging": {
            "api": {"base_url": staging.url, "key_variable": "DEEPRAILS_KEY_STAGING"},
            "overlays": ["over/staging.yaml"],
        },
        "production": {"api": {"base_url": production.url, "key_variable": "DEEPRAILS_KEY_PRODUCTION"}},
    }


def test_each_environment_has_its_own_api_key_state_and_workflows(fleet: Project) -> None:
    assert fleet.apply("--env", "staging").results() == {"bot": "done"}
    assert fleet.apply("--env", "production").results() == {"bot": "done", "triage": "done"}
    assert fleet.server.count("POST") == 2
    for env, count in (("staging", 1), ("production", 2)):
        state = json.loads((fleet.root / f"defendctl.{env}.state.json").read_text())
        assert (state["environment"], len(state["bindings"])) == (env, count)
        plan = fleet.plan("--env", env, "--detailed-exitcode").json
        assert (plan["environment"], plan["changes"]) == (env, [])
    fleet.env["DEFENDCTL_ENV"] = "staging"
    assert list(fleet.json("outputs").json["outputs"]) == ["bot"]
    for command in (["show", "bot"], ["drift"], ["state", "list"], ["outputs"], ["validate"]):
        assert fleet.json(*command).json["environment"] == "staging"


def test_what_is_read_of_one_environment_names_it(fleet: Project) -> None:
    fleet.env["DEFENDCTL_ENV"] = "production"
    fleet.apply()
    event = {"model_output": "x", "model_used": "m", "user_prompt": "y"}
    (fleet.root / "event.json").write_text(json.dumps(event))
    sent = fleet.json("events", "submit", "bot", "--input", "event.json").json
    assert sent["environment"] == "production"
    one = ("bot", sent["event_id"])
    commands = (["verify", "bot"], ["events", "list", "bot"], ["show", "bot", "--provenance"])
    for command in (*commands, ["events", "watch", *one], ["events", "show", *one]):
        assert json.loads(fleet.run(*command, "--format", "json").out)["environment"] == "production"
        assert fleet.run(*command).out.startswith("production: ")


def test_doctor_looks_at_one_environment_with_its_own_key(fleet: Project) -> None:
    for env in ("staging", "production"):
        fleet.apply("--env", env)
        told = fleet.json("doctor", "--env", env)
        checks = {check["topic"]: check for check in told.json["checks"]}
        assert told.json["environment"] == env
        assert checks["env"]["message"] == env
        assert checks["state"]["message"].startswith(f"defendctl.{env}.state.json: ")
        assert f"  env         {env}\n" in fleet.ok("doctor", "--env", env).out
    assert "name the environment" in fleet.ok("doctor", code=64).err
    fleet.env["DEEPRAILS_API_KEY"] = fleet.env.pop("DEEPRAILS_KEY_STAGING")
    checks = {c["topic"]: c for c in fleet.json("doctor", "--env", "staging", code=1).json["checks"]}
    assert checks["key"]["advice"] == "set DEEPRAILS_KEY_STAGING to the key of your organization"
    fleet.env["DEEPRAILS_KEY_STAGING"] = "wrong"
    checks = {c["topic"]: c for c in fleet.json("doctor", "--env", "staging", code=3).json["checks"]}
    assert checks["key"]["advice"] == "set DEEPRAILS_KEY_STAGING to a key of this organization"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["plan"], 64, "name the environment: --env staging or --env production"),
        (["render"], 64, "name the environment"),
        (["outputs"], 64, "name the environment"),
        (["plan", "--env", "prodution"], 64, 'prodution\'. Did you mean "production"?'),
        (["validate", "--env", "x"], 64, "There are: staging, production."),
        (["compare", "staging", "prod"], 64, "there is no environment 'prod'"),
        (["compare", "staging"], 64, "Missing argument"),
        (["validate"], 0, ""),
        (["schema"], 0, ""),
    ],
)
def test_which_environment(fleet: Project, arguments: list[str], code: int, said: str) -> None:
    ran = fleet.ok(*arguments, code=code)
    assert said in ran.err


def test_a_project_without_environments_takes_no_name(project: Project) -> None:
    project.declare({"bot": custom()})
    assert "this project has no environments" in project.ok("plan", "--env", "prod", code=64).err
    project.env["DEFENDCTL_ENV"] = "prod"
    assert "DEFENDCTL_ENV" in project.ok("plan", code=64).err
    assert "DEFENDCTL_ENV" not in project.ok("init").err


def test_the_only_environment_is_taken(project: Project) -> None:
    project.settings(environments={"prod": None})
    project.declare({"bot": custom()})
    project.apply()
    assert json.loads((project.root / "defendctl.prod.state.json").read_text())["environment"] == "prod"
    text = project.ok("plan").out
    assert text.startswith("Plan for prod at 127.0.0.1:")


def test_a_state_of_another_environment_is_refused_before_anything_is_read(fleet: Project) -> None:
    fleet.apply("--env", "production")
    shutil.copy(fleet.root / "defendctl.production.state.json", fleet.root / "defendctl.staging.state.json")
    fleet.server.forget_requests()
    commands = (["plan"], ["apply", "--yes"], ["drift"], ["show", "bot"], ["outputs"], ["state", "list"])
    for command in (*commands, ["state", "mv", "bot", "new"], ["state", "rm", "bot"]):
        ran = fleet.ok(*command, "--env", "staging", code=6)
        assert "belongs to the environment production, but this run is for staging" in ran.err
    fleet.settings(state={"path": "defendctl.production.state.json"})
    assert "but this project has none" in fleet.ok("plan", code=6).err
    assert fleet.server.requests() == []


def test_a_state_of_before_there_were_environments_is_taken_over(project: Project) -> None:
    project.declare({"bot": custom()})
    project.apply()
    assert "environment" not in project.state
    project.settings(environments={"prod": {"state": {"path": "defendctl.state.json"}}})
    assert project.plan("--detailed-exitcode").json["changes"] == []
    assert "environment" not in project.state, "looking changes nothing"
    project.declare({"bot": custom(max_retries=3)})
    project.apply()
    assert project.state["environment"] == "prod"


def test_a_journal_names_the_environment_that_its_state_does(tmp_path: Path) -> None:
    """Also of a state that named none: the file is written anew before the journal is begun."""
    path, folder = tmp_path / "s.json", tmp_path / ".defendctl"
    path.write_text(to_text(State(lineage="l", serial=1, writer="w")))
    store = open_local(path, folder, None, "prod")
    with store.session(print) as session:
        session.record(records.intent("bot", Intent("op", "2026-01-02T03:04:05+00:00", {"name": "b"})))
        assert b'"environment":"prod"' in local(store).journal_path.read_bytes()
        assert '"environment": "prod"' in path.read_text()
        assert list(store.read().state.unresolved) == ["bot"]
        with pytest.raises(Precondition, match="belongs to the environment prod"):
            open_local(path, folder, None, "staging").read()
        lines = local(store).journal_path.read_bytes().splitlines(keepends=True)
        head = json.loads(lines[0].partition(b" ")[2]) | {"environment": "staging"}
        local(store).journal_path.write_bytes(encode(head) + b"".join(lines[1:]))
        with pytest.raises(Precondition, match="extends serial"):
            store.read()
        local(store).journal_path.write_bytes(b"".join(lines))


def test_a_plan_of_another_environment_is_refused(fleet: Project) -> None:
    fleet.ok("plan", "--env", "staging", "--out", "p.json")
    ran = fleet.ok("apply", "p.json", "--env", "production", code=6)
    assert "made for the environment staging, and this run is for production" in ran.err
    edited = json.loads((fleet.root / "p.json").read_text())
    (fleet.root / "p.json").write_text(json.dumps(edited | {"environment": "production"}))
    assert "stale" in fleet.ok("apply", "p.json", "--env", "production", code=6).err
    ran = fleet.ok("apply", "--expect", edited["digest"], "--env", "production", code=6)
    assert fleet.server.requests() == []
    assert fleet.apply("--expect", edited["digest"], "--env", "staging").results() == {"bot": "done"}


def test_the_environment_is_part_of_the_digest(project: Project) -> None:
    project.declare({"bot": custom()})
    digests = [project.plan().json["digest"]]
    for name in ("staging", "production"):
        project.settings(environments={name: None})
        digests.append(project.plan().json["digest"])
    assert len(set(digests)) == 3


def test_the_key_is_that_of_the_environment_and_no_other(fleet: Project) -> None:
    fleet.apply("--env", "staging")
    fleet.env["DEEPRAILS_API_KEY"] = fleet.env.pop("DEEPRAILS_KEY_STAGING")
    ran = fleet.ok("plan", "--env", "staging", code=1)
    assert "DEEPRAILS_KEY_STAGING is not set" in ran.err
    fleet.env["DEEPRAILS_KEY_STAGING"] = "ab cd"
    ran = fleet.ok("plan", "--env", "staging", code=1)
    assert "DEEPRAILS_KEY_STAGING holds characters that a key cannot have" in ran.err
    assert "ab cd" not in ran.err
    fleet.env["DEEPRAILS_KEY_STAGING"] = "wrong"
    ran = fleet.ok("-v", "plan", "--env", "staging", code=3)
    assert "wrong" not in ran.out + ran.err
    assert "DEEPRAILS_KEY_STAGING" in ran.err


def test_a_variable_does_not_send_a_key_to_another_host(fleet: Project) -> None:
    fleet.env["DEEP_RAILS_BASE_URL"] = "http://127.0.0.1:9"
    ran = fleet.ok("plan", "--env", "production", code=6)
    assert "a variable sends this run to 127.0.0.1:9" in ran.err
    assert fleet.server.requests() == []


def test_the_sandbox_is_one_for_each_environment(fleet: Project) -> None:
    fleet.apply("--sandbox", "--env", "staging")
    fleet.apply("--sandbox", "--env", "production")
    there = {path.name for path in (fleet.root / ".defendctl").iterdir()}
    names = {f"sandbox.{env}.{end}" for env in ("staging", "production") for end in ("sqlite", "state.json")}
    assert names <= there
    assert not (fleet.root / "defendctl.staging.state.json").exists()


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ({"environments": {}}, "invalid-value", "must not be empty"),
        ({"environments": []}, "wrong-type", "must be a mapping"),
        ({"environments": {"Prod": None}}, "invalid-value", "cannot be the name of an environment"),
        ({"environments": {"prod": 5}}, "wrong-type", "must be a mapping"),
        ({"environments": {"prod": {"overlay": []}}}, "unknown-key", 'Did you mean "overlays"?'),
        ({"environments": {"prod": {"overlays": ["gone.yaml"]}}}, "not-found", "gone.yaml"),
        ({"environments": {"prod": {"api": {"base_url": "http://x"}}}}, "invalid-value", "must use https"),
        (
            {"environments": {"prod": {"api": {"key_variable": "sk_secret"}}}},
            "invalid-value",
            "never the key itself",
        ),
        (
            {"environments": {"prod": {"api": {"key_variable": "GITHUB_TOKEN"}}}},
            "invalid-value",
            "begins with `DEEPRAILS_`",
        ),
        ({"environments": {"prod": {"state": {"path": "a\u0000b"}}}}, "invalid-value", "control"),
        (
            {"environments": {"a": None, "b": {"state": {"path": "./defendctl.a.state.json"}}}},
            "shared-state",
            "same state",
        ),
        (
            {
                "environments": {
                    "a": {"state": {"url": "postgres://ann@db.internal/defend?key=checkout"}},
                    "b": {"state": {"url": "postgres://DB.internal/defend?key=checkout&sslmode=require"}},
                }
            },
            "shared-state",
            "the same state as `a`",
        ),
        (
            {"environments": {"a": {"state": {"lineage": "x"}}, "b": {"state": {"lineage": "x"}}}},
            "shared-state",
            "lineage",
        ),
        (
            {"environments": {"a": None}, "state": {"path": "s.json"}},
            "conflicting-keys",
            "a state of its own",
        ),
        (
            {
                "policy": {"rules": [{"id": "r", "level": "warn", "no_retire": True}]},
                "environments": {
                    "a": {"policy": {"rules": [{"id": "r", "level": "deny", "no_retire": True}]}}
                },
            },
            "duplicate-rule",
            "is defined already",
        ),
    ],
)
def test_a_mistake_in_the_project_file(project: Project, settings: Json, code: str, said: str) -> None:
    project.declare({"bot": custom()})
    project.settings(**settings)
    ran = project.ok("validate", code=1)
    assert f"[{code}]" in ran.out
    assert said in ran.out
    assert "sk_secret" not in ran.out
    if len(settings["environments"]) < 2:
        errors = [line for line in ran.out.splitlines() if "unpinned-state" not in line]
        assert project.ok("plan", code=1).err.splitlines()[:-1] == errors[:-1], "the last line counts them"


def test_rules_of_an_environment_are_added_to_those_of_all(project: Project) -> None:
    rule = {"id": "safe", "level": "deny", "require_metrics": ["comprehensive_safety"]}
    project.settings(
        policy={"rules": [{"id": "few", "level": "deny", "max_retries": 5}]},
        environments={"staging": None, "production": {"policy": {"rules": [rule]}}},
    )
    project.declare({"bot": custom(max_retries=9)})
    for env, rules in (("staging", {"few"}), ("production", {"few", "safe"})):
        plan = project.plan("--env", env, code=5).json
        assert {finding["rule"] for finding in plan["policy"]} == rules
    assert "safe" in project.ok("validate", code=5).out, "all environments are checked"


def test_an_overlay_in_a_folder_of_manifests_is_none_itself(fleet: Project) -> None:
    sections = json.loads((fleet.root / "defendctl.yaml").read_text())["environments"]
    sections["staging"]["overlays"] = ["workflows/over/*.yaml"]
    (fleet.root / "over").rename(fleet.root / "workflows" / "over")
    fleet.settings(environments=sections)
    fleet.ok("validate")
    assert "triage" in fleet.ok("render", "--env", "production").out
    assert "triage" not in fleet.ok("render", "--env", "staging").out
    named = fleet.ok("validate", "workflows/over/staging.yaml")
    assert "0 errors" in named.out


def test_what_is_written_for_each_environment_has_a_folder_of_its_own(fleet: Project) -> None:
    """Two runs at once, of two environments, do not wait for each other."""
    fleet.apply("--env", "staging")
    fleet.apply("--env", "production")
    for env in ("staging", "production"):
        folder = fleet.root / ".defendctl" / env
        assert stat.S_ISDIR(folder.stat().st_mode)


RENDERED = """\
# environment staging
version: 1
workflows:
  bot:  # workflows/all.yaml:1
    type: custom  # workflows/all.yaml:1
    metrics:
      completeness: 0.8  # workflows/all.yaml:1
      correctness: 0.2  # over/staging.yaml:1
    improvement_action: fixit  # workflows/all.yaml:1
"""


def test_render_says_where_each_value_comes_from(fleet: Project) -> None:
    assert fleet.ok("render", "--env", "staging", "--origins").out == RENDERED
    assert fleet.ok("render", "--env", "staging", "--origins", "--format", "text").out == RENDERED
    content = fleet.json("render", "--env", "staging", "--origins").json
    assert content["manifest"]["workflows"]["bot"]["metrics"] == {"completeness": 0.8, "correctness": 0.2}
    assert content["origins"]["bot"]["metrics.correctness"]["file"] == "over/staging.yaml"
    (fleet.root / "over" / "staging.yaml").write_text("version: 1\nworkflows: {bot: {metrics: {x: 1}}}\n")
    assert "over/staging.yaml:2:29" in fleet.ok("render", "--env", "staging", code=1).err


COMPARED = """\
From staging to production, as declared:
  triage  only in production
  bot  tightens
      metrics.correctness  0.2 -> 0.7  tightens
production is tighter than staging in 1; 1 only in production; 0 alike.
"""


def test_compare_says_in_which_direction(fleet: Project) -> None:
    assert fleet.ok("compare", "staging", "production").out == COMPARED
    other = fleet.json("compare", "production", "staging", "--detailed-exitcode", code=2).json
    assert [(each["address"], each["direction"]) for each in other["workflows"]] == [
        ("bot", "loosens"),
        ("triage", "indeterminate"),
    ]
    assert "staging is looser than production in 1" in fleet.ok("compare", "production", "staging").out
    same = fleet.ok("compare", "staging", "staging", "--detailed-exitcode")
    assert same.out.endswith("staging does not differ from staging: 1 workflow alike.\n")


def test_render_of_render_is_the_same(project: Project) -> None:
    odd = custom(
        name='say "no" ##[group] \u2028 é',
        labels={"b": "x", "a": "true", "null": "1.5"},
        file_search=["b", "a"],
        description=None,
        improvement_action="regen",
    )
    waiver = {"address": "true", "rule": "r", "field": "file_search", "to": ["b", "a"], "reason": "x"}
    waiver |= {"approver": "y", "expires": "2099-01-01"}
    project.settings(environments={"prod": None})
    project.declare({"true": odd, "bot": custom(type="automatic", tolerance="low", metrics=["correctness"])})
    path = project.root / "workflows" / "all.yaml"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"waivers": [waiver]}))
    for extra in ([], ["--origins"]):
        before = project.plan("--target", "true", "--target", "bot").json["changes"]
        once = project.ok("render", *extra).out
        path.write_text(once)
        plain = project.ok("render").out
        path.write_text(plain)
        assert project.ok("render").out == plain
        assert project.plan("--target", "true", "--target", "bot").json["changes"] == before


def test_an_import_for_every_environment(fleet: Project) -> None:
    """A manifest names an id of staging: production does not know it, and it is said what to do."""
    taken = {"import": {"workflow_id": "wkfl_of_staging"}}
    fleet.declare({"bot": custom(metrics=SAFE, **taken), "triage": custom()})
    found = fleet.json("validate").json["diagnostics"]
    told = [one for one in found if one["code"] == "import-for-all"]
    assert [(one["file"], one["severity"]) for one in told] == [("workflows/all.yaml", "warning")]
    assert "put `import` into an overlay of the environment where the workflow lives" in told[0]["message"]
    reason = fleet.plan("--env", "production", code=1).change("bot")["reason"]
    assert "does it live in another environment than production, put `import` into an overlay" in reason
    fleet.declare({"bot": custom(metrics=SAFE), "triage": custom()})
    fleet.declare({"bot": {"metrics": {"correctness": 0.2}, **taken}, "triage": None}, "over/staging.yaml")
    codes = {one["code"] for one in fleet.json("validate").json["diagnostics"]}
    assert "import-for-all" not in codes
    assert fleet.plan("--env", "production").change("bot")["action"] == "create"


def test_an_import_without_environments_is_meant(project: Project) -> None:
    project.declare({"bot": custom(**{"import": {"workflow_id": "wkfl_1"}})})
    codes = {one["code"] for one in project.json("validate").json["diagnostics"]}
    assert "import-for-all" not in codes
    assert "another environment" not in project.plan(code=1).change("bot")["reason"]
