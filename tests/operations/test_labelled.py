"""plan --replay --labels over a real sandbox: which events are read, and what is told in each format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.operations.test_replay import moved

if TYPE_CHECKING:
    from tests.conftest import Project

Json = Any
MARK = "planted-marker"
CONTENT = {"model_output": f"{MARK}-output", "user_prompt": f"{MARK}-prompt", "nametag": f"{MARK}-tag"}


def ids(project: Project) -> list[str]:
    """The newest first."""
    return [one["event_id"] for one in project.json("events", "list", "a", "--limit", "100").json["events"]]


def label(project: Project, *blocks: Json) -> None:
    body = [{"workflow": "a", "drawn": "uniform", **one} for one in blocks]
    (project.root / "labels.yaml").write_text(json.dumps({"version": 1, "labels": body}))
    project.settings(labels=["labels.yaml"])


def read_by_id(project: Project) -> int:
    return len([one for one in project.server.requests("GET") if "/events/" in one["path"]])


def sides(project: Project, *options: str) -> tuple[Json, Json]:
    ran = project.json("plan", "--replay", *options)
    assert MARK not in ran.out + ran.err
    (told,) = ran.json["replay"]
    return told["before"]["labelled"], told["after"]["labelled"]


@pytest.fixture
def labelled(project: Project) -> tuple[Project, list[str]]:
    """Thirty events, a score of 0.4 in every third; the threshold goes from 0.8 to 0.3."""
    scores = [0.4 if number % 3 == 0 else 0.9 for number in range(30)]
    events = [{"scores": {"completeness": score}} for score in scores]
    moved(project, events, {"completeness": 0.3})
    return project, ids(project)


def split(project: Project, found: list[str]) -> tuple[list[str], list[str]]:
    flagged = {
        e["event_id"]
        for e in project.json("events", "list", "a", "--flagged", "--limit", "100").json["events"]
    }
    return [i for i in found if i in flagged], [i for i in found if i not in flagged]


def test_what_is_caught_today_and_under_the_plan(labelled: tuple[Project, list[str]]) -> None:
    project, found = labelled
    bad, good = split(project, found)
    label(project, {"should_be_flagged": bad, "should_pass": good[:-1], "unsure": good[-1:]})
    (now,), (then,) = sides(project, "--labels")
    assert (now["caught"]["hits"], now["caught"]["of"], then["caught"]["hits"]) == (10, 10, 0)
    assert now["caught"]["interval"][1] == 1
    assert (now["false_alarms"]["hits"], now["unsure"], now["missing"], now["unread"]) == (0, 1, 0, 0)
    assert then["right"] == {"hits": 0, "of": 0, "interval": None}


def test_only_what_is_not_listed_is_read_by_id(labelled: tuple[Project, list[str]]) -> None:
    project, found = labelled
    label(project, {"drawn": "found", "should_be_flagged": found})
    before = read_by_id(project)
    ran = project.json("plan", "--replay", "10", "--labels")
    assert read_by_id(project) - before == 20
    assert ran.json["replay"][0]["events"] == 10, "the replay itself is of the last ones alone"
    assert ran.json["replay"][0]["before"]["labelled"][0]["caught"]["of"] == 30


def test_no_more_than_so_many_are_read(labelled: tuple[Project, list[str]]) -> None:
    project, found = labelled
    label(project, {"should_be_flagged": found})
    before = read_by_id(project)
    (now,) = project.json("plan", "--replay", "10", "--labels", "5").json["replay"][0]["before"]["labelled"]
    assert read_by_id(project) - before == 5
    assert (now["unread"], now["caught"]["of"], now["caught"]["interval"]) == (15, 15, None)


def test_an_event_that_is_gone_is_missing(labelled: tuple[Project, list[str]]) -> None:
    project, found = labelled
    label(project, {"should_be_flagged": [*found[:2], "evt_gone"]})
    (now,), _ = sides(project, "--labels")
    assert (now["missing"], now["caught"]["of"]) == (1, 2)


def test_in_words(labelled: tuple[Project, list[str]]) -> None:
    project, found = labelled
    bad, good = split(project, found)
    label(
        project, {"should_be_flagged": bad, "should_pass": good}, {"drawn": "found", "should_be_flagged": bad}
    )
    text = project.ok("plan", "--replay", "--labels").out
    assert "caught                100 % (10 of 10, 95 %: 72 to 100 %) today, 0 % (0 of 10" in text
    assert (
        "labels, known cases\n        caught                10 of 10 today, 0 of 10 under this plan" in text
    )
    assert "is known of labelled ones alone" in text
    markdown = project.ok("plan", "--replay", "--labels", "--format", "markdown").out
    assert "| caught | 10 of 10 | 0 of 10 |" in markdown.replace("`", "")


def test_without_the_option_nothing_is_read_or_told(labelled: tuple[Project, list[str]]) -> None:
    project, found = labelled
    label(project, {"should_be_flagged": found})
    before = read_by_id(project)
    assert "labelled" not in project.ok("plan", "--replay", "10", "--format", "json").out
    assert read_by_id(project) == before


def test_labels_that_are_wrong_end_it_before_anything_is_shown(labelled: tuple[Project, list[str]]) -> None:
    project, found = labelled
    label(project, {"workflow": "b", "should_pass": found[:1]})
    ran = project.ok("plan", "--replay", "--labels", code=1)
    assert "unknown-address" in ran.err
    assert not ran.out


def test_without_labels_or_a_replay_it_says_what_to_do(labelled: tuple[Project, list[str]]) -> None:
    project, _ = labelled
    assert "add --replay" in project.ok("plan", "--labels", code=64).err
    assert "under `labels:`" in project.ok("plan", "--replay", "--labels", code=1).err
