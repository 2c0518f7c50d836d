"""Workflow commands: read as the runner reads them, there are exactly those that were meant."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from defendctl.diagnostics import Diagnostic, Span
from defendctl.plan.digest import digest
from defendctl.render import github
from defendctl.render.setting import Setting
from tests.bad.golden import assert_inert
from tests.cases.built import ADDED, BUILT, DENIED, LOOSER, PLACES, a_plan, change, every_action, field
from tests.render.strange import MARK, drifts, reviews

if TYPE_CHECKING:
    from defendctl.plan.drift import Drifted
    from defendctl.review import Review

LEVELS = {"error", "warning", "notice"}
STRANGE = settings(derandomize=True, deadline=None, max_examples=150)
Command = tuple[str, dict[str, str], str]


def read(line: str) -> Command:
    """As the runner does it: name, properties and message, with their escapes taken back."""
    assert line.startswith("::")
    head, _, data = line[2:].partition("::")
    name, _, told = head.partition(" ")
    properties = dict(pair.split("=", 1) for pair in told.split(","))
    return name, {k: unescaped(v) for k, v in properties.items()}, unescaped(data)


def unescaped(text: str) -> str:
    """`%25` last, so that what stood there as `%0A` stays it."""
    for escape, meant in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escape, meant)
    return text


def commands(shown: str) -> list[Command]:
    assert shown == "" or shown.endswith("\n")
    for line in shown.splitlines():
        assert line.isprintable()
        assert not re.search(r"##\w*\[", line)
    found = [read(line) for line in shown.splitlines()]
    assert {name for name, _, _ in found} <= LEVELS
    for level in LEVELS:
        assert sum(name == level for name, _, _ in found) <= 10
    for _, properties, message in found:
        assert set(properties) <= {"file", "line", "col", "title"}
        assert MARK not in properties["title"]
        for line in message.split("\n"):
            assert_inert(line)
    return found


@STRANGE
@given(reviews())
def test_whatever_a_plan_says_there_are_only_the_commands_that_were_meant(review: Review) -> None:
    plan = review.plan
    found = commands(github.plan(review))
    verdicts = [finding.verdict for finding in review.findings]
    fields = [each.direction for one in plan.listed for each in one.fields]
    errors = verdicts.count("denied") + sum(one.action == "blocked" for one in plan.listed)
    warnings = verdicts.count("warned") + fields.count("loosens")
    assert count(found, "error") == min(10, errors + severities(review, "error"))
    assert count(found, "warning") == min(10, warnings + severities(review, "warning"))


def count(found: list[Command], level: str) -> int:
    return sum(name == level for name, _, _ in found)


def severities(review: Review, level: str) -> int:
    return sum(each.severity == level for each in review.diagnostics)


@STRANGE
@given(drifts())
def test_whatever_drift_says_there_are_only_commands(entries: list[Drifted]) -> None:
    assert bool(commands(github.drift(entries))) == bool(entries)


@STRANGE
@given(reviews())
def test_outputs_are_numbers_and_a_digest(review: Review) -> None:
    plan = review.plan
    lines = github.plan_outputs(review, 5).splitlines()
    assert [line.split("=")[0] for line in lines] == ["changes", "loosens", "exit_code", "digest", "expect"]
    assert re.fullmatch(
        r"\d+ \d+ 5 (sha256:[0-9a-f]{64} sha256:[0-9a-f]{64}@\d+|none none)",
        " ".join(line.split("=")[1] for line in lines),
    )
    assert lines[3] == f"digest={digest(plan) if plan.refreshed else 'none'}"
    assert lines[4] == f"expect={f'{digest(plan)}@{plan.serial}' if plan.refreshed else 'none'}"


@STRANGE
@given(drifts())
def test_outputs_of_drift(entries: list[Drifted]) -> None:
    loosened = sum(entry.direction == "loosens" for entry in entries)
    assert github.drift_outputs(entries, 2) == f"changes={len(entries)}\nloosens={loosened}\nexit_code=2\n"


@pytest.mark.parametrize("name", BUILT)
def test_built(name: str) -> None:
    commands(github.plan(BUILT[name]()))


def test_an_annotation_stands_on_the_line_of_the_manifest() -> None:
    found, headline = commands(
        github.plan(a_plan(ADDED, LOOSER, places=PLACES), Setting(folder="guardrails"))
    )
    assert headline == ("notice", {"title": "defendctl: plan"}, "1 workflow loosened, 1 created")
    place = {"file": "guardrails/workflows/support.yaml", "line": "7", "col": "7"}
    assert found[1] == {**place, "title": "defendctl: loosens the guardrail"}
    assert found[2] == "support-bot metrics.completeness: 0.85 -> 0.6"


@pytest.mark.parametrize(
    ("file", "folder", "named"),
    [
        ("workflows/a.yaml", "", "workflows/a.yaml"),
        ("workflows\\a.yaml", "", "workflows/a.yaml"),
        ("../shared/a.yaml", "guardrails", "shared/a.yaml"),
        ("/srv/a.yaml", "guardrails", "/srv/a.yaml"),
        ("a.yaml", ".", "a.yaml"),
    ],
)
def test_a_file_is_named_as_in_the_repository(file: str, folder: str, named: str) -> None:
    found = [Diagnostic("error", "code", "message", Span(file, 3))]
    [(_, properties, _)] = commands(github.diagnostics(found, Setting(folder=folder)))
    assert (properties["file"], properties["line"]) == (named, "3")
    assert "col" not in properties


def test_a_field_without_a_place_stands_on_its_workflow_and_an_address_without_one_nowhere() -> None:
    fields = field("max_retries", 8, 5), field("metrics.completeness", 0.9, 0.8)
    plan = a_plan(change("support-bot", *fields), change("elsewhere", fields[0]), places=PLACES)
    lines = [properties.get("line") for _, properties, _ in commands(github.plan(plan))]
    assert lines == ["3", "7", None, None], "the last one is about the whole plan"


def test_commas_and_colons_of_a_file_are_of_the_file() -> None:
    found = [Diagnostic("error", "code", "50% of a::b", Span("a,line=9,title=x::y%0A.yaml", 1))]
    shown = github.diagnostics(found)
    assert shown.count("::") == 3
    [(_, properties, message)] = commands(shown)
    assert properties["file"] == "a,line=9,title=x::y%0A.yaml"
    assert message == "50% of a::b [code]"


def test_more_than_the_runner_shows_is_counted_in_the_last_one() -> None:
    plan = a_plan(*(change(f"a{n}", field("metrics.m", 0.9, 0.8)) for n in range(30)))
    found = commands(github.plan(plan))
    assert [message.split()[0] for _, _, message in found[:9]] == [f"a{n}" for n in range(9)]
    assert found[9][2].startswith("and 21 more")


def test_the_worst_level_comes_first() -> None:
    plan = replace(every_action(), findings=(DENIED, replace(DENIED, verdict="waived")))
    names = [name for name, _, _ in commands(github.plan(plan))]
    assert names == sorted(names, key=["error", "warning", "notice"].index)
