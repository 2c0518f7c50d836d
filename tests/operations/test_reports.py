"""`report`: saved JSON drawn again, offline, and every workflow on one page."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import Project, automatic, custom
from tests.render.html.given import parsed
from tests.render.html.test_page import check

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = [{"scores": [{"completeness": n / 40}], "event_id": f"evt_{n}"} for n in range(40)]


@pytest.fixture
def moved(project: Project) -> Project:
    """A threshold that git loosens, with 40 events; one workflow as declared."""
    project.declare({"bot": custom(metrics={"completeness": 0.8}), "other": custom()})
    project.apply()
    project.server.give(project.bound("bot"), *EVENTS)
    project.declare({"bot": custom(metrics={"completeness": 0.6}), "other": custom()})
    project.env |= dict.fromkeys(("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"), "")
    return project


def test_a_saved_plan_is_drawn_again_offline_and_alike(moved: Project) -> None:
    """Byte for byte what the command itself drew, but for the mark of what kind of file it is."""
    first = moved.ok("plan", "--replay", "--format", "html", "--out", "p.json").out
    check(first)
    asked = moved.server.count("GET")
    del moved.env["DEEPRAILS_API_KEY"]
    again = moved.ok("report", "p.json", "--format", "html").out
    assert again == first.replace("<!-- defendctl:plan -->", "<!-- defendctl:report -->")
    assert moved.server.count("GET") == asked
    assert "figcaption" in again
    assert "32 of 40 below" in parsed(again).text


@pytest.mark.parametrize("format", ["text", "markdown"])
def test_in_lines_with_the_histogram(moved: Project, format: str) -> None:
    moved.ok("plan", "--replay", "--out", "p.json")
    told = moved.ok("report", "p.json", "--format", format).out
    assert "completeness  0.8 -> 0.6  ████████████|████|████  32 -> 24 of 40 below" in told


def test_the_comment_has_the_histogram(moved: Project) -> None:
    told = moved.ok("plan", "--replay", "--format", "markdown").out
    assert "\ncompleteness  0.8 -> 0.6  ████████████|████|████  32 -> 24 of 40 below\n```\n" in told


def test_several_files_and_a_report_of_reports(moved: Project) -> None:
    moved.ok("plan", "--out", "p.json")
    moved.ok("drift", "--report", "json:d.json")
    moved.ok("report", "p.json", "d.json", "--report", "json:both.json", "--report", "html:both.html")
    both = json.loads((moved.root / "both.json").read_text())
    assert [each["kind"] for each in both["documents"]] == ["plan", "drift"]
    assert moved.ok("report", "both.json", "--format", "html").out == (moved.root / "both.html").read_text()


def test_a_plan_of_before_has_no_pictures(moved: Project) -> None:
    """Format 1.0 tells no distribution: its numbers are there all the same."""
    moved.ok("plan", "--replay", "--out", "p.json")
    old = json.loads((moved.root / "p.json").read_text())
    old["format_version"] = "1.0"
    for metric in old["replay"][0]["metrics"]:
        del metric["distribution"]
    (moved.root / "old.json").write_text(json.dumps(old))
    page = moved.ok("report", "old.json", "--format", "html").out
    check(page)
    assert "<svg" not in page
    assert "32 of 40" in page


def spoilt(change: dict[str, Any]) -> dict[str, Any]:
    """A change of the distribution, or of what is below a threshold."""
    told = {"scores": [0.5], "counts": [1], "verdicts": {"true": 0, "false": 0}}
    metric: dict[str, Any] = dict.fromkeys(("unscored", "fails_before", "fails_after", "ties"), 0)
    metric |= {"metric": "m", "before": 0.1, "after": 0.2, "scored": 1}
    of_metric = {key: value for key, value in change.items() if key in metric}
    return {**metric, "distribution": told | change, **of_metric}


@pytest.mark.parametrize(
    "change",
    [
        {"counts": [2]},
        {"counts": [-1]},
        {"counts": [1, 0]},
        {"scores": [], "counts": []},
        {"scores": [math.nan]},
        {"scores": [math.inf]},
        {"fails_before": 2},
        {"fails_after": -1},
    ],
)
def test_what_does_not_add_up_is_not_drawn(moved: Project, change: dict[str, Any]) -> None:
    moved.ok("plan", "--replay", "--out", "p.json")
    data = json.loads((moved.root / "p.json").read_text())
    data["replay"][0]["metrics"] = [spoilt(change)]
    (moved.root / "p2.json").write_text(json.dumps(data))
    ran = moved.ok("report", "p2.json", "--format", "html", code=1)
    assert "does not add up" in ran.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a document that can be drawn"),
        ("[]", "not a document that can be drawn"),
        ('{"kind": "state"}', "one of the kind 'state'"),
        ('{"kind": []}', "not a document that can be drawn"),
        ('{"kind": "plan", "format_version": "2.0"}', "of the kind plan and of the format '2.0'"),
        ('{"kind": "tune", "format_version": "2.0"}', "tune"),
        ('{"kind": "drift"}', "of the kind drift and of the format 'none'"),
        ('{"kind": "plan", "format_version": "1.1"}', "not a complete document of the kind plan"),
        ('{"kind": "report", "format_version": "1.0", "documents": [{"kind": "x"}]}', "kind 'x'"),
    ],
)
def test_what_is_no_document(project: Project, text: str, said: str) -> None:
    (project.root / "f.json").write_text(text)
    ran = project.ok("report", "f.json", code=1)
    assert said in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("1.0", "not a complete document of the kind plan: look at `changes.0.action`"),
        ("1.1", "not a complete document"),
        ("1.2", "of the kind plan and of the format '1.2'"),
        ("1.10", "does not understand `changes.0.action`: draw it with a newer one"),
    ],
)
def test_a_later_document_that_says_more(moved: Project, version: str, said: str) -> None:
    """What it only has more of is drawn."""
    moved.ok("plan", "--out", "p.json")
    data = json.loads((moved.root / "p.json").read_text())
    (moved.root / "more.json").write_text(json.dumps({**data, "format_version": version, "more": 1}))
    moved.ok("report", "more.json")
    data["changes"][0]["action"] = "teleport"
    (moved.root / "other.json").write_text(json.dumps({**data, "format_version": version}))
    assert said in moved.ok("report", "other.json", code=1).err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--fleet", "p.json"],
        ["p.json", "--format", "pdf"],
        ["p.json", "--report", "html:workflows/x.yaml"],
    ],
)
def test_usage(moved: Project, words: list[str]) -> None:
    moved.ok("plan", "--out", "p.json")
    moved.ok("report", *words, code=64)


def test_a_report_takes_the_place_of_its_own_kind_alone(moved: Project) -> None:
    moved.ok("plan", "--report", "html:p.html", "--out", "p.json")
    moved.ok("plan", "--report", "html:p.html")
    moved.ok("drift", "--report", "html:p.html", code=64)
    (moved.root / "other.html").write_text("<!DOCTYPE html><p>mine")
    moved.ok("report", "p.json", "--report", "html:other.html", code=64)


def test_the_same_bytes_in_another_locale_and_zone(moved: Project) -> None:
    moved.ok("plan", "--replay", "--out", "p.json")
    worlds = [
        {"LC_ALL": "C", "TZ": "UTC", "PYTHONHASHSEED": "1"},
        {"LC_ALL": "de_DE.UTF-8", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "2", "PYTHONUTF8": "0"},
    ]
    pages = {_in_world(moved.root, world) for world in worlds}
    assert len(pages) == 1
    assert b"<svg" in pages.pop()


def _in_world(root: Path, world: dict[str, str]) -> bytes:
    words = [sys.executable, "-m", "defendctl", "report", "p.json", "--report", "html:w.html"]
    subprocess.run(words, cwd=root, env=os.environ | world, check=True, capture_output=True)
    return (root / "w.html").read_bytes()


# --- the fleet ---


def test_the_fleet_has_every_workflow_the_worst_first(moved: Project) -> None:
    """`bot` is about to be loosened, `edited` was so in the console; `a-other` is as declared."""
    workflows = {"a-other": custom(), "edited": custom(), "gone": custom(), "machine": automatic()}
    moved.declare({**workflows, "bot": custom(metrics={"completeness": 0.8})})
    moved.apply()
    moved.declare({**workflows, "bot": custom(metrics={"completeness": 0.6}), "new": custom()})
    moved.server.edit(moved.bound("edited"), metrics={"completeness": 0.9, "correctness": 0.5})
    moved.server.remove(moved.bound("gone"))
    moved.server.give(moved.bound("a-other"), {"scores": [{"completeness": 0.1}]})
    ran = moved.ok("report", "--fleet", "--format", "json", "--report", "html:fleet.html")
    members = {one["address"]: one for one in ran.json["documents"][0]["workflows"]}
    order = list(members)
    assert order[0] == "gone"
    assert members["gone"]["missing"]
    assert members["bot"]["direction"] == "loosens"
    assert (members["bot"]["before"]["fails"], members["bot"]["after"]["fails"]) == (32, 24)
    assert members["edited"]["drift"]
    assert order.index("bot") < order.index("a-other")
    assert members["a-other"]["before"]["fails"] == 1
    assert members["machine"]["evidence"]["why_not"]
    assert members["new"]["action"] == "create"
    assert {one["policy"]["rules"] for one in members.values()} == {0}
    check((moved.root / "fleet.html").read_text())
    assert moved.ok("report", "--fleet").out.count("no rule covers it") == len(members)


def test_the_fleet_tells_the_policy_and_the_tests(moved: Project) -> None:
    rules = [
        {"id": "floor", "level": "deny", "min_threshold": {"completeness": 0.7}, "message": "m"},
        {"id": "slow", "level": "warn", "max_creates": 1, "message": "m"},
        {
            "id": "bots",
            "level": "warn",
            "select": {"addresses": ["bot"]},
            "no_loosening": True,
            "message": "m",
        },
    ]
    moved.settings(policy={"rules": rules})
    ran = moved.ok("report", "--fleet", "--format", "json")
    covers = {one["address"]: one["policy"] for one in ran.json["documents"][0]["workflows"]}
    assert covers["bot"] == {"rules": 2, "denied": ["floor"], "warned": ["bots"], "waived": []}
    assert covers["other"]["rules"] == 1
    assert "0 of 2 rules hold" in moved.ok("report", "--fleet").out


LABELS = """version: 1
labels:
  - {{workflow: bot, drawn: uniform, window: {{from: 2025-11-01, to: {until}, events: 40}},
     should_be_flagged: [evt_1, evt_2], should_pass: [evt_30], unsure: [evt_9]}}
  - {{workflow: bot, drawn: found, should_be_flagged: [evt_2, evt_3]}}
"""


def test_the_fleet_tells_the_labels_and_their_age(moved: Project) -> None:
    """An id that two blocks hold is one label; the age is that of the newest window."""
    until = datetime.now(UTC).date() - timedelta(days=9)
    moved.settings(labels=["labels.yaml"])
    (moved.root / "labels.yaml").write_text(LABELS.format(until=until))
    ran = moved.ok("report", "--fleet", "--format", "json", "--report", "html:fleet.html")
    evidence = {one["address"]: one["evidence"] for one in ran.json["documents"][0]["workflows"]}
    labels = evidence["bot"]["labels"]
    assert labels.pop("age_days") in (9, 10)  # the day may end while this runs
    assert labels == {"should_be_flagged": 3, "should_pass": 1, "unsure": 1, "until": f"{until}"}
    assert evidence["other"]["labels"] is None
    words = f"labels: 3 to flag, 1 to pass, 1 unsure, drawn until {until} ("
    assert words in " ".join(parsed((moved.root / "fleet.html").read_text()).text.split())
    assert words in moved.ok("report", "--fleet").out
    (moved.root / "saved.json").write_text(ran.out)
    assert words in moved.ok("report", "saved.json", "--format", "markdown").out.replace("`", "")


def test_the_fleet_tells_the_age_of_its_events(moved: Project) -> None:
    event = {"scores": [{"completeness": 0.9}], "created_at": "2026-01-02T03:04:05Z"}
    moved.server.give(moved.bound("other"), event)
    ran = moved.json("report", "--fleet")
    evidence = {one["address"]: one["evidence"] for one in ran.json["documents"][0]["workflows"]}
    assert {day[:10] for day in evidence["other"]["window"]} == {"2026-01-02"}
    days = (datetime.now(UTC).date() - date(2026, 1, 2)).days
    assert evidence["other"]["age_days"] in (days - 1, days)


def test_the_fleet_refuses_labels_that_are_wrong(moved: Project) -> None:
    moved.settings(labels=["labels.yaml"])
    (moved.root / "labels.yaml").write_text(LABELS.format(until="2025-10-01"))
    assert "The window ends before it begins" in moved.ok("report", "--fleet", code=1).err


def test_the_fleet_needs_the_key(moved: Project) -> None:
    del moved.env["DEEPRAILS_API_KEY"]
    ran = moved.run("report", "--fleet")
    assert ran.code != 0
    assert "DEEPRAILS_API_KEY" in ran.err
