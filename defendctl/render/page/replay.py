"""What recent events would have met under a plan, of one workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.page.blocks import Foreign, Ids, Paragraph, Part, Picture, Table, joined, shown
from defendctl.render.page.chart import chart
from defendctl.render.page.figures import number, rate, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.render.json.contract import MetricReplayDocument, ReplayDocument
    from defendctl.render.page.blocks import Block, Words


def replayed(one: ReplayDocument) -> Part:
    title = ("What recent events would have met",)
    if one["why_not"] is not None:
        return Part(title, (Paragraph(("Not replayed: ", Foreign(one["why_not"]))),))
    return Part(title, tuple(_blocks(one)))


def _blocks(one: ReplayDocument) -> Iterator[Block]:
    yield Paragraph(_window(one))
    if not one["enough"]:
        needed = f"{one['events']} of {one['needed']}" if "needed" in one else f"{one['events']}"
        yield Paragraph((f"Too few for a gate, {needed}: these are numbers, no verdict.",))
    yield Table("Flagged by any metric, and what an event takes", ("", "today", "proposed"), _sides(one))
    moved = [m for m in one["metrics"] if m["before"] != m["after"]]
    charts = [drawn for metric in moved if (drawn := chart(metric))]
    yield from (Picture(drawn) for drawn in charts)
    if one["metrics"]:
        rows = tuple(map(_metric, one["metrics"]))
        yield Table("Flagged by each metric alone", _METRIC_HEAD, rows)
    if one["newly_flagged"]:
        yield Ids("newly flagged", tuple(one["newly_flagged"]))
    if one["no_longer_flagged"]:
        yield Ids("no longer flagged", tuple(one["no_longer_flagged"]))
    yield Paragraph(("These are rates of flags: whether a flag was right is not known.",))


def _window(one: ReplayDocument) -> Words:
    told: list[Words] = [(f"{one['events']} of the {one['asked']} events asked for",)]
    wanted = one.get("wanted", 0)
    if one["asked"] < wanted:
        told[0] += (f" ({wanted} were wanted, the API gives {one['asked']} at once)",)
    if one["window"]:
        oldest, newest = one["window"]
        told[0] += (", from ", Foreign(oldest), " to ", Foreign(newest))
    if one["run_modes"]:
        modes = tuple((Foreign(mode), f" {count}") for mode, count in one["run_modes"].items())
        told.append(("run modes: ", *joined(modes, ", ")))
    if untold := one.get("not_evaluated"):
        told.append((f"{untold} not evaluated to the end: unknown",))
    return (*joined(tuple(told), "; "), ".")


def _sides(one: ReplayDocument) -> tuple[tuple[Words, ...], ...]:
    before, after = one["before"], one["after"]
    rows: list[tuple[Words, ...]] = [
        (("flag rate",), (f"{rate(before)} ({share(before)})",), (f"{rate(after)} ({share(after)})",))
    ]
    pairs = (
        ("evaluations an event", one["evaluations_before"], one["evaluations_after"]),
        ("cost an event", one["cost_before"], one["cost_after"]),
    )
    return (*rows, *(((what,), (number(a),), (number(b),)) for what, a, b in pairs if a or b))


_METRIC_HEAD = ("metric", "today", "proposed", "flagged today", "proposed", "on the proposed one", "no score")


def _metric(one: MetricReplayDocument) -> tuple[Words, ...]:
    seen = one["scored"]
    return (
        (Foreign(one["metric"]),),
        (shown(one["before"]),),
        (shown(one["after"]),),
        (f"{one['fails_before']} of {seen}",),
        (f"{one['fails_after']} of {seen}",),
        (str(one["ties"]),),
        (str(one["unscored"]),),
    )
