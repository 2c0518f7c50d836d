"""What an event proves: only if it is younger than the last change, and never more than it records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from defendctl.event import Event
from defendctl.inspection.proof import prove
from defendctl.model import Workflow, metric_path

EARLIER, THEN, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:00:01.5Z", "2026-01-01T00:00:02+00:00"
DECLARED = Workflow("n", "custom", {"a": 0.8}, "fixit")
SERVED = {name: value for name, value in DECLARED.fields().items() if name not in ("name", "description")}


def event(at: str | None = LATER, served: dict[str, Any] | None = None, **more: Any) -> Event:
    return Event("e", more.pop("status", "completed"), at=at, settings=SERVED if served is None else served)


TABLE: list[tuple[Event | None, str | None, str, str | None]] = [
    (event(), THEN, "proven", None),
    (event(THEN), THEN, "not_yet", "not younger"),
    (event(EARLIER), THEN, "not_yet", "not younger"),
    (event(), None, "not_yet", "does not tell when"),
    (event(None), THEN, "not_yet", "time of the newest event"),
    (event(None, status="in_progress"), THEN, "not_yet", "has not ended"),
    (event(served={}), THEN, "not_yet", "does not record"),
    (None, THEN, "not_yet", "no event"),
    (event(served={"max_retries": 10}), THEN, "proven", None),
    (event(served={"max_retries": 9}), THEN, "differs", None),
    (event(served=SERVED | {"metrics": {"a": 0.8, "b": 0.1}}), THEN, "differs", None),
    (event(served=SERVED | {"metrics": {}}), THEN, "differs", None),
    (event(served=SERVED | {"metrics": {"a": 0.8 + 1e-12}}), THEN, "proven", None),
]


@pytest.mark.parametrize(("newest", "changed_at", "answer", "why"), TABLE)
def test_prove(newest: Event | None, changed_at: str | None, answer: str, why: str | None) -> None:
    proof = prove("a", "w", DECLARED, newest, changed_at)
    assert proof.answer == answer
    assert (proof.why is None) == (why is None)
    assert why is None or why in str(proof.why)


def test_what_is_left_to_the_console_is_not_compared() -> None:
    ours = replace(DECLARED, unmanaged=frozenset({"max_retries"}))
    proof = prove("a", "w", ours, event(served=SERVED | {"max_retries": 99}), THEN)
    assert proof.answer == "proven"
    assert "max_retries" not in {field.path for field in proof.fields}


def test_what_is_not_told_is_not_proven() -> None:
    proof = prove("a", "w", DECLARED, event(served={"metrics": {"a": 0.8}}), THEN)
    told = {field.path: field.verdict for field in proof.fields}
    assert told.pop(metric_path("a")) == "same"
    assert set(told.values()) == {"not_told"}
    assert proof.answer == "proven"
