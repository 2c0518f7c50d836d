"""events sample and the filters of events list, over a real sandbox with events that it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import custom
from tests.operations.test_events import MARK, OUTPUT, give, ready, submit

if TYPE_CHECKING:
    from tests.conftest import Project, World

Json = Any
LOW, HIGH = f"{MARK}-output", f"{MARK}-fine"
SCORES = {LOW: [{"completeness": 0.4, "correctness": 0.9}], HIGH: [{"completeness": 0.9, "correctness": 0.9}]}


@pytest.fixture
def listed(world: World) -> Project:
    """Two events that are flagged and three that pass; one of them has another nametag."""
    project = ready(world, scores=SCORES)
    for output, tag in ((LOW, "t"), (LOW, "t"), (HIGH, "t"), (HIGH, "t"), (HIGH, f"{MARK}-other")):
        give(project, {**OUTPUT, "model_output": output, "nametag": tag})
        submit(project)
    return project


def ids(project: Project, *filters: str) -> list[str]:
    ran = project.json("events", "list", "a", *filters)
    assert MARK not in ran.out + ran.err.replace(f"{MARK}-other", "")
    return [one["event_id"] for one in ran.json["events"]]


def drawn(project: Project, *options: str) -> tuple[str, list[str]]:
    """What is printed, and the ids in it."""
    ran = project.ok("events", "sample", "a", *options)
    assert MARK not in ran.out + ran.err
    return ran.out, [line.split("- ")[1] for line in ran.out.splitlines() if line.startswith("      - ")]


def test_a_sample_is_a_label_file(listed: Project) -> None:
    text, found = drawn(listed)
    assert sorted(found) == sorted(ids(listed))
    (listed.root / "labels.yaml").write_text(text)
    listed.settings(labels=["labels.yaml"])
    listed.ok("validate")
    assert "drawn: uniform" in text
    assert "events: 5}" in text


def test_a_draw_is_the_same_twice_and_grows(listed: Project) -> None:
    _, every = drawn(listed)
    assert drawn(listed)[1] == every
    assert drawn(listed, "--count", "3")[1] == every[:3]
    others = {tuple(drawn(listed, "--seed", f"s{n}")[1]) for n in range(5)}
    assert len(others) > 1


def test_only_the_flagged_are_drawn(listed: Project) -> None:
    text, found = drawn(listed, "--drawn", "flagged")
    assert sorted(found) == sorted(ids(listed, "--flagged"))
    assert len(found) == 2
    assert "events: 2}" in text


def test_a_seed_stays_in_its_comment(listed: Project) -> None:
    assert "control" in listed.ok("events", "sample", "a", "--seed", "x\ny: z", code=64).err
    (listed.root / "labels.yaml").write_text(drawn(listed, "--seed", "'; # x")[0])
    listed.settings(labels=["labels.yaml"])
    listed.ok("validate")


def test_nothing_to_draw_from(world: World) -> None:
    project = ready(world)
    assert "nothing to draw from" in project.ok("events", "sample", "a", code=1).err


def test_the_filters(listed: Project) -> None:
    every = ids(listed)
    assert len(every) == 5
    assert ids(listed, "--nametag", f"{MARK}-other") == every[:1]
    assert ids(listed, "--nametag", "other") == []
    assert ids(listed, "--since", "2000-01-01", "--until", "9999-12-31") == every
    assert ids(listed, "--until", "2000-01-01") == []
    assert ids(listed, "--since", "9999-12-31T00:00:00Z") == []
    assert ids(listed, "--flagged", "--nametag", "t", "--limit", "1") == every[3:4]
    assert "64" not in listed.ok("events", "list", "a", "--since", "yesterday", code=64).out


def test_content_that_a_filter_reads_is_not_shown(listed: Project) -> None:
    ran = listed.ok("events", "list", "a", "--nametag", "t")
    assert MARK not in ran.out
    assert "4 events of the last 5" in ran.out
    assert MARK in listed.ok("events", "list", "a", "--nametag", "t", "--show-content").out


def test_an_event_says_what_the_bill_calls_it(listed: Project) -> None:
    found = listed.json("events", "list", "a").json["events"]
    assert all(one["billing_request_id"].startswith("bill_") for one in found)


def test_an_older_generation_tells_no_billing_id(world: World) -> None:
    project = ready(world, generation="2025-11-10")
    submit(project)
    project.declare({"a": custom(metrics={"completeness": 0.8, "correctness": 0.5}, max_retries=2)})
    assert project.json("events", "list", "a").json["events"][0]["billing_request_id"] is None


COUNTS = {"outputs_processed": 5, "outputs_below_threshold": 2, "outputs_improved": 0}


def test_what_a_workflow_counts_of_itself(listed: Project) -> None:
    assert listed.json("show", "a", "--stats").json["stats"] == COUNTS
    text = listed.ok("show", "a", "--stats").out
    assert "outputs processed: 5" in text
    assert MARK not in text
    assert "stats" not in listed.json("show", "a").json
    listed.ok("show", "a", "--stats", "--provenance", code=64)


def test_an_older_generation_tells_a_rate(world: World) -> None:
    project = ready(world, generation="2025-10-22")
    submit(project)
    assert project.json("show", "a", "--stats").json["stats"].keys() <= {"success_rate"}


def test_counts_are_no_difference(listed: Project) -> None:
    listed.ok("plan", "--detailed-exitcode")
