"""plan --tests: what was recorded stands beside the plan, and says of what it speaks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.render.markdown import review as review_markdown
from defendctl.render.text.paint import plain
from defendctl.render.text.recorded import tests as lines
from defendctl.suite import recorded
from tests.bad.golden import assert_inert
from tests.suite.test_candidate import example, loosen

if TYPE_CHECKING:
    from defendctl.suite.models import Verdict
    from tests.conftest import Project

__all__ = ["example"]


def told(project: Project, *arguments: str) -> Any:
    [one] = project.plan("--tests", "r.json", *arguments).json["tests"]["workflows"]
    return one


def test_of_what_it_speaks(example: Any) -> None:
    project = example()
    project.ok("test", "--out", "r.json")
    before = project.plan().json
    assert told(project)["of"] == "proposed"
    assert [case["verdict"] for case in told(project)["cases"]] == ["passed"] * 3
    loosen(project)
    assert told(project)["of"] == "live"
    ran = project.ok("plan", "--tests", "r.json")
    assert "support-bot  of what is live, not of this plan  3 passed" in ran.out
    project.server.edit(project.bound("support-bot"), metrics={"completeness": 0.11, "correctness": 0.8})
    assert (told(project)["of"], told(project)["why"]) == ("other", "it was changed since")
    shown = project.ok("plan", "--tests", "r.json", "--format", "markdown").out
    assert "**stale** (`it was changed since`)" in shown
    assert before["digest"] != project.plan().json["digest"]


def test_a_candidate_speaks_of_the_proposal(example: Any) -> None:
    project = example()
    project.ok("test", "--create-canary")
    loosen(project)
    project.ok("test", "--candidate", "--out", "r.json", code=2)
    ran = project.plan("--tests", "r.json")
    assert ran.json["tests"]["candidate"] is True
    assert ran.json["tests"]["stale"] is False
    assert told(project)["of"] == "proposed"
    assert told(project, "--no-refresh")["of"] == "proposed"
    assert project.plan().json["digest"] == ran.json["digest"]
    assert "tests" not in project.plan().json
    project.apply()
    assert told(project)["of"] == "proposed"


def test_it_was_recorded_elsewhere_or_of_what_is_gone(example: Any) -> None:
    project = example()
    project.ok("test", "--out", "r.json")
    file = project.root / "r.json"
    data = json.loads(file.read_text())
    for changes, why in (
        ({"host": "other.example.com"}, "it was recorded on other.example.com"),
        ({"environment": "prod"}, "it was recorded in prod"),
        ({"configurations": []}, "its configuration could not be read then"),
    ):
        file.write_text(json.dumps({**data, **changes}))
        assert (told(project)["of"], told(project)["why"]) == ("other", why)
    data["cases"][0]["address"] = data["configurations"][0]["address"] = "gone"
    file.write_text(json.dumps({**data, "cases": data["cases"][:1]}))
    assert told(project)["why"] == "it is not part of this plan"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "r.json is not a results file"),
        ("[]", "r.json holds no results of tests"),
        ('{"kind": "plan"}', "r.json holds no results of tests"),
        (
            '{"kind": "test-results", "format_version": "2.0"}',
            "r.json has a format that this defendctl does not read",
        ),
        (
            '{"kind": "test-results", "format_version": "1.0"}',
            "r.json does not hold complete results",
        ),
    ],
)
def test_what_is_no_results_file(example: Any, text: str, said: str) -> None:
    project = example()
    (project.root / "r.json").write_text(text)
    ran = project.ok("plan", "--tests", "r.json", code=1)
    assert said in ran.err
    assert_inert(ran.err)


def test_words_of_a_file_do_nothing() -> None:
    strange = "x\n::error::y \x1b[31m @org <b>"
    verdicts: dict[str, Verdict] = {f"{strange} {n}": "failed" for n in range(7)}
    one = recorded.Tested(strange, "other", verdicts, f"it was recorded on {strange}")
    found = recorded.Tests(strange, True, (one, recorded.Tested("a", "live", {})))
    shown = "\n".join(lines(found, plain))
    assert_inert(shown)
    assert "(+2)" in shown
    assert "no case" in shown
    [section] = review_markdown.tests(found)
    assert section.title.startswith("Tests recorded `x\\x0a::error::y \\x1b[31m @org <b>`")
    assert all("\x1b" not in form for item in section.items for form in item.forms)
