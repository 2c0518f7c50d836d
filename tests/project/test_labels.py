"""Label files: what is read, what is refused where, and that no message quotes content."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defendctl.replay.labels import LABELS, LabelBlock, draw_order, label_groups
from tests.conftest import custom

if TYPE_CHECKING:
    from tests.conftest import Project

Json = Any
CANARY = "the customer said MARKER-4711"


def block(**keys: Json) -> Json:
    return {"workflow": "bot", "drawn": "uniform", **keys}


def told(project: Project, *files: Json) -> list[tuple[str, str, str]]:
    """Severity, code and place of each diagnostic; of files with these blocks, one block a line."""
    for number, blocks in enumerate(files, 1):
        lines = "".join(f"  - {json.dumps(one)}\n" for one in blocks)
        (project.root / f"labels-{number}.yaml").write_text(f"version: 1\nlabels:\n{lines}")
    return validated(project)


def validated(project: Project) -> list[tuple[str, str, str]]:
    project.settings(labels=["labels-*.yaml"])
    project.declare({"bot": custom(), "other": custom()})
    ran = project.run("validate", "--format", "json")
    assert "MARKER" not in ran.out + ran.err
    found = [one for one in ran.json["diagnostics"] if one["code"] != "unpinned-state"]
    assert ran.code == (1 if any(one["severity"] == "error" for one in found) else 0)
    return [(one["severity"], one["code"], f"{one['file']}:{one['line']}") for one in found]


def error(code: str, line: int = 3, file: int = 1) -> tuple[str, str, str]:
    return "error", code, f"labels-{file}.yaml:{line}"


def test_a_file_that_is_right(offline: Project) -> None:
    window = {"from": "2026-11-01", "to": "2026-11-20T10:00:00Z", "events": 1840}
    whole = block(window=window, by="support-quality", should_be_flagged=["a", "b"], should_pass=["c"])
    of_metric = block(metric="completeness", drawn="found", should_pass=["a"])
    assert told(offline, [whole, block(unsure=["d"]), of_metric]) == []


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"workflow": "bott"}, "unknown-address"),
        ({"drawn": "random"}, "invalid-value"),
        ({"should_pass": [CANARY]}, "unusable-id"),
        ({"should_pass": ["x" * 257]}, "unusable-id"),
        ({"should_pass": ["a", "a"]}, "duplicate-item"),
        ({"should_pass": ["a"], "unsure": ["a"]}, "conflicting-labels"),
        ({"should_pass": [7]}, "wrong-type"),
        ({"should_pass": CANARY}, "wrong-type"),
        ({"by": "x" * 61}, "out-of-range"),
        ({"by": "a\nb"}, "invalid-value"),
        ({"metric": "completness"}, "unknown-metric"),
        ({"metric": CANARY}, "unknown-metric"),
        ({CANARY: 1}, "unknown-key"),
        ({"x-note": CANARY}, "unknown-key"),
        ({"note": CANARY}, "unknown-key"),
        ({"window": {"from": CANARY, "to": "2026-11-20", "events": 1}}, "invalid-value"),
        ({"window": {"from": "2026-11-01", "to": "20261120T083000Z", "events": 1}}, "invalid-value"),
        ({"window": {"from": "2026-W45-1", "to": "2026-11-20", "events": 1}}, "invalid-value"),
        ({"window": {"from": "2026-11-21", "to": "2026-11-20", "events": 1}}, "out-of-range"),
        ({"window": {"from": "2026-11-01", "to": "2026-11-20", "events": -1}}, "out-of-range"),
        ({"window": {"from": "2026-11-01", "to": "2026-11-20", "events": 1, "x": CANARY}}, "unknown-key"),
    ],
)
def test_what_is_refused(offline: Project, wrong: Json, code: str) -> None:
    assert told(offline, [block(**wrong)]) == [error(code)]


@pytest.mark.parametrize("key", ["note", "x-note", "$schema"])
def test_no_other_key_stands_at_the_top(offline: Project, key: str) -> None:
    (offline.root / "labels-1.yaml").write_text(f"version: 1\nlabels: []\n{key}: {CANARY}\n")
    assert validated(offline) == [error("unknown-key")]


@pytest.mark.parametrize(
    "text", ["", "- a\n", f"said: {CANARY}\n", "version: 1\nlabels: []\n---\nversion: 1\n"]
)
def test_what_is_no_label_file(offline: Project, text: str) -> None:
    (offline.root / "labels-1.yaml").write_text(text)
    (said,) = validated(offline)
    assert said[1] in ("not-labels", "empty-file")


def test_an_event_has_one_label_in_a_file(offline: Project) -> None:
    blocks = [block(should_pass=["a"]), block(drawn="found", should_be_flagged=["a"])]
    assert told(offline, blocks) == [error("conflicting-labels", 4)]


def test_an_event_may_be_drawn_twice_and_judged_by_metric(offline: Project) -> None:
    again = [block(should_pass=["a"]), block(drawn="found", should_pass=["a"])]
    assert told(offline, [*again, block(metric="completeness", should_be_flagged=["a"])]) == []


def test_an_event_is_of_one_workflow(offline: Project) -> None:
    blocks = [block(should_pass=["a"]), block(workflow="other", should_pass=["a"])]
    assert told(offline, blocks) == [error("labelled-elsewhere", 4)]


def test_two_files_that_disagree_are_warned_of(offline: Project) -> None:
    first, second = [block(should_pass=["a", "b"])], [block(should_be_flagged=["a"], should_pass=["b"])]
    assert told(offline, first, second) == [("warning", "labels-disagree", "labels-2.yaml:3")]


def test_ten_thousand_ids_are_read_and_no_more(offline: Project) -> None:
    ids = [f"evt_{n}" for n in range(10_000)]
    assert told(offline, [block(should_pass=ids[:9_000]), block(unsure=ids[9_000:])]) == []
    assert told(offline, [block(should_pass=ids[:9_000]), block(unsure=[*ids[9_000:], "one"])]) == [
        error("too-many-items", 4)
    ]


def test_an_entry_that_yields_no_file_is_an_error(offline: Project) -> None:
    assert validated(offline) == [("error", "not-found", "defendctl.yaml:1")]


def test_a_label_file_among_the_manifests_is_none(offline: Project) -> None:
    (offline.root / "workflows" / "labels.yaml").write_text(json.dumps({"version": 1, "labels": [block()]}))
    offline.settings(labels=["workflows/labels.yaml"])
    offline.declare({"bot": custom()})
    offline.ok("validate")


IDS = st.lists(st.sampled_from("abcdef"), unique=True)


@st.composite
def blocks(draw: st.DrawFn) -> LabelBlock:
    ids = {event_id: draw(st.sampled_from(LABELS)) for event_id in draw(IDS)}
    lists: Any = {label: tuple(i for i, one in ids.items() if one == label) for label in LABELS}
    drawn: Any = draw(st.sampled_from(["uniform", "flagged", "found"]))
    return LabelBlock("bot", drawn, metric=draw(st.sampled_from([None, "m"])), **lists)


@given(st.lists(blocks(), max_size=5), st.randoms())
def test_groups_hold_every_id_once_in_any_order(given_: list[LabelBlock], chance: Any) -> None:
    groups = label_groups(given_, "bot")
    shuffled = list(given_)
    chance.shuffle(shuffled)
    assert label_groups(shuffled, "bot") == groups
    assert len({(one.drawn, one.metric) for one in groups}) == len(groups)
    for group in groups:
        mine = [b for b in given_ if (b.drawn, b.metric) == (group.drawn, group.metric)]
        assert group.ids == {event_id for b in mine for _, event_id in b.ids()}
        assert len(group.ids) == sum(len(getattr(group, label)) for label in LABELS)
        said = [pair for b in given_ if b.metric == group.metric for pair in b.ids()]
        for event_id in group.ids:
            labels = {label for label, one in said if one == event_id}
            assert (event_id in group.unsure) == (
                labels != {"should_pass"} and labels != {"should_be_flagged"}
            )


@given(st.text(max_size=5), st.lists(st.text(min_size=1, max_size=3)))
def test_a_draw_is_the_same_in_any_order(seed: str, ids: list[str]) -> None:
    assert draw_order(seed, ids) == draw_order(seed, list(reversed(ids)))
    assert sorted(draw_order(seed, ids)) == sorted(set(ids))


def test_what_is_drawn_first_stays_first() -> None:
    """A larger draw holds the smaller one, and another seed is another draw."""
    ids = [f"evt_{n}" for n in range(50)]
    assert [i for i in draw_order("s", ids) if int(i[4:]) < 40] == draw_order("s", ids[:40])
    assert draw_order("s", ids) != draw_order("t", ids)
