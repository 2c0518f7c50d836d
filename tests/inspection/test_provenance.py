"""Where each value comes from, and which event may speak."""

from __future__ import annotations

from typing import Any

import pytest

from defendctl.inspection.provenance import Known, Sighting, provenance, younger
from defendctl.inspection.view import build_view
from defendctl.model import Binding, FieldPath, Observed, Workflow

STAMP = ("2026-01-02T00:00:00+00:00", "apply sha256:abc")
WANTED = Workflow("Bot", "custom", {"completeness": 0.8}, "fixit")
SEEN = Observed("wkfl_1", {"name": "Bot"})
SIGHTING = Sighting("evt_1", "2026-01-03T00:00:00Z", 7)


def known(binding: Binding | None, path: str = "max_retries", sighting: Sighting | None = None) -> Known:
    view = build_view("bot", WANTED, SEEN if binding else None, binding)
    return next(k for k in provenance(view, binding, sighting) if k.path == path)


def bound(**given: Any) -> Binding:
    return Binding("wkfl_1", **given)


APPLIED: dict[str, Any] = {"applied": {"max_retries": 5, "name": "Bot"}}


@pytest.mark.parametrize(
    ("binding", "sighting", "row"),
    [
        (None, None, Known(FieldPath("max_retries"), None, "unknown")),
        (bound(), None, Known(FieldPath("max_retries"), None, "unknown")),
        (bound(assumed={"max_retries": 10}), None, Known(FieldPath("max_retries"), 10, "assumed")),
        (bound(**APPLIED), None, Known(FieldPath("max_retries"), 5, "applied")),
        (
            bound(**APPLIED, recorded={"max_retries": STAMP}),
            None,
            Known(FieldPath("max_retries"), 5, "applied", None, *STAMP),
        ),
        (
            bound(**APPLIED, unconfirmed=frozenset({"max_retries"})),
            None,
            Known(FieldPath("max_retries"), None, "unconfirmed"),
        ),
        (bound(**APPLIED), SIGHTING, Known(FieldPath("max_retries"), 7, "event", SIGHTING)),
        (
            bound(**APPLIED, unconfirmed=frozenset({"max_retries"})),
            SIGHTING,
            Known(FieldPath("max_retries"), 7, "event", SIGHTING),
        ),
    ],
)
def test_where_it_comes_from(binding: Binding | None, sighting: Sighting | None, row: Known) -> None:
    assert known(binding, sighting=sighting) == row


def test_live_wins_and_the_last_apply_is_told_too() -> None:
    binding = bound(**APPLIED, recorded={"name": STAMP})
    assert known(binding, "name", SIGHTING) == Known(FieldPath("name"), "Bot", "live", None, *STAMP)


@pytest.mark.parametrize(
    ("at", "changed", "recorded", "taken"),
    [
        (None, "2026-01-01T00:00:00Z", {}, False),
        ("2026-01-02T00:00:00Z", None, {}, False),
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", {}, True),
        ("2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z", {}, False),
        ("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", {}, False),
        ("2026-01-01T12:00:00Z", "2026-01-01T00:00:00Z", {"name": STAMP}, False),
        ("2026-01-02T00:00:00.5Z", "2026-01-01T00:00:00Z", {"name": STAMP}, False),
        ("2026-01-02T00:00:01Z", "2026-01-01T00:00:00Z", {"name": STAMP}, True),
        ("2026-01-02T00:00:00.5Z", "2026-01-02T00:00:00.4Z", {}, True),
    ],
)
def test_only_an_event_after_the_last_change_may_speak(
    at: str | None, changed: str | None, recorded: dict[str, tuple[str, str]], taken: bool
) -> None:
    assert younger(at, changed, bound(recorded=recorded)) == taken
