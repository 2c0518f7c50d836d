"""events sample: events drawn by lot, to be labelled. Only reads, and tells ids alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.command import command
from defendctl.diagnostics import DefendctlError, Usage
from defendctl.model import usable_id
from defendctl.operations.event_filter import time_of_event
from defendctl.operations.events import listed
from defendctl.render.labels import label_file
from defendctl.render.plural import count
from defendctl.replay.labels import LabelBlock, Window, draw_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.event import Event
    from defendctl.operations.workspace import Workspace
    from defendctl.replay.labels import Drawn

MOST = 1_000
"""Events that are asked for; the API gives fewer at once."""


def sample(workspace: Workspace, address: str, number: int, drawn: Drawn, seed: str | None) -> str:
    """A label file with one block: ids under `unsure`, in the order of the draw, which a seed decides.

    Drawn from the events that are listed and have ended; for `flagged` from those of them whose submitted
    output failed. Warns where there are fewer than were asked for, and raises DefendctlError without any."""
    seed = address if seed is None else seed
    if not seed.isprintable():
        raise Usage("--seed must not hold control or invisible characters")
    events = [e for e in listed(workspace, address, MOST, content=False).events if e.ended]
    pool = [e for e in events if usable_id(e.event_id) and (drawn == "uniform" or e.flagged)]
    if not pool:
        kind = "flagged event" if drawn == "flagged" else "event that has ended"
        raise DefendctlError(f"{address}: the API lists no {kind}, so there is nothing to draw from")
    if len(pool) < number:
        workspace.settings.warn(
            f"{address}: only {count(len(pool), 'event')} to draw from, all of which are here"
        )
    ids = draw_order(seed, [e.event_id for e in pool])[:number]
    block = LabelBlock(address, drawn, unsure=tuple(ids), window=_window(pool))
    again = f"{_drawing(drawn, address, seed)} --count {number}"
    return label_file(block, f"Drawn by `{again}`. Move each id to where it belongs.")


def _drawing(drawn: str, address: str, seed: str) -> str:
    if drawn == "flagged":
        return command("events sample {} --drawn flagged --seed {}", address, seed)
    return command("events sample {} --drawn uniform --seed {}", address, seed)


def _window(pool: Sequence[Event]) -> Window | None:
    """The days of the oldest and the newest event that tells its time."""
    days = sorted(at.date().isoformat() for event in pool if (at := time_of_event(event)))
    return Window(days[0], days[-1], len(pool)) if days else None
