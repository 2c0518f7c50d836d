"""What recent events prove of a threshold, and which one keeps the goals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.evidence.reasons import percent
from defendctl.plan.direction import WORST_FIRST
from defendctl.render.page.blocks import (
    Badge,
    Facts,
    Foreign,
    Page,
    Paragraph,
    Part,
    Picture,
    Points,
    Table,
    joined,
    shown,
    way,
)
from defendctl.render.page.chart import chart
from defendctl.render.page.figures import number
from defendctl.render.plural import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from defendctl.render.page.blocks import Block, Words
    from defendctl.render.tune.tune_json import (
        CostAtDocument,
        CostDocument,
        GoalDocument,
        TunedMetricDocument,
        TuneDocument,
    )

_TONES: Final = {
    "proven": "good",
    "broken": "bad",
    "undecided": "unsure",
    "estimate": "unsure",
    "not_provable": "unsure",
    "impossible": "bad",
}
_GOALS: Final = ("goal", "limit", "today", "hits today", "hits suggested", "allowed", "events", "needed")
_COSTS: Final = ("", "false alarms", "misses", "cost an event, seen", "of all such events")
_METRICS: Final = ("metric", "today", "suggested", "proven for all goals", "status", "direction")


def tune(document: TuneDocument) -> Page:
    headline: Words = (Foreign(document["address"]), ": ", *_said(document["metrics"]))
    if environment := document.get("environment"):
        headline = (Foreign(environment), ": ", *headline)
    return Page("tune", "Guardrail threshold", headline, tuple(_blocks(document)))


def _said(metrics: Sequence[TunedMetricDocument]) -> Words:
    moved = [one for one in metrics if one["suggested"] is not None and one["suggested"] != one["today"]]
    told: list[Words] = [
        (Foreign(one["metric"]), f" {one['today']:g} to {one['suggested']:g}") for one in moved
    ]
    return joined(tuple(told), ", ") or ("nothing is suggested",)


def _blocks(document: TuneDocument) -> Iterator[Block]:
    yield Facts(tuple(_facts(document)))
    if document["goals"]:
        yield Table("Goals", _GOALS, tuple(map(_goal, document["goals"])))
    if cost := document.get("cost"):
        yield from _cost(cost)
    yield Table("Thresholds", _METRICS, tuple(map(_metric, document["metrics"])))
    yield from _pictures(document["metrics"])
    for title, texts in (("Why", document["why"]), ("What this does not say", document["caveats"])):
        if texts:
            yield Part((title,), (Points(tuple((Foreign(text),) for text in texts)),))
    if written := document["written"]:
        places = tuple(
            (Foreign(one["metric"]), f" {one['value']:g} in ", Foreign(f"{one['file']}:{one['line']}"))
            for one in written
        )
        yield Part(("Written",), (Points(places),))
    looks = document["looks"]
    valid = "one look" if looks == 1 else f"each of {looks} looks"
    yield Paragraph((f"These are rates of flags and of labels that people gave; valid for {valid}.",))


def _facts(document: TuneDocument) -> Iterator[tuple[str, Words]]:
    seen = document["evidence"]
    yield "workflow", (Foreign(document["workflow_id"]),)
    yield "confidence", (f"{percent(document['confidence'])}, {count(document['looks'], 'look')}",)
    window: Words = (
        (", from ", Foreign(seen["window"][0]), " to ", Foreign(seen["window"][1])) if seen["window"] else ()
    )
    mode: Words = (" in run mode ", Foreign(seen["run_mode"])) if seen["run_mode"] else ()
    yield "events", (f"{seen['events']}, {seen['unscored']} without a score", *mode, *window)
    yield "labels", (str(seen["labels"]),)
    yield "gaps", (str(seen["gaps"]),)
    yield "same judge throughout", (f"p = {seen['drift_p']:.3g}",)
    yield "bursts", (f"variance {seen['inflation']:.3g} times that of independent events",)


def _goal(one: GoalDocument) -> tuple[Words, ...]:
    suggested = one["hits_suggested"]
    return (
        (Foreign(one["promise"]),),
        () if one["limit"] is None else (percent(one["limit"]),),
        (Badge(one["today_is"], _TONES[one["today_is"]]),),
        (_hits(one["hits_today"]),),
        (_hits(suggested),) if suggested else (),
        () if one["allowed"] is None else (str(one["allowed"]),),
        (str(one["n"]) if one["n"] == one["n_eff"] else f"{one['n']}, as good as {one['n_eff']}",),
        (str(one["needed"]),),
    )


def _cost(one: CostDocument) -> Iterator[Block]:
    chosen = f"{one['chosen_among']} older labels, and shown by {one['n']} newer ones"
    standing = Badge(one["today_is"], _TONES[one["today_is"]])
    yield Paragraph((Foreign(one["promise"]), f": an estimate, chosen by {chosen}. Today's is ", standing))
    sides = [("today", one["today"]), *([("suggested", one["suggested"])] if one["suggested"] else [])]
    yield Table("Costs", _COSTS, tuple(((word,), *_cost_at(at)) for word, at in sides))


def _cost_at(at: CostAtDocument) -> tuple[Words, ...]:
    low, high = at["interval"]
    counts = (_hits(at["false_alarms"]),), (_hits(at["misses"]),)
    return (*counts, (number(at["an_event"]),), (f"{low:.4g} to {high:.4g}",))


def _pictures(metrics: Sequence[TunedMetricDocument]) -> Iterator[Block]:
    charts = [drawn for one in metrics if "replay" in one and (drawn := chart(one["replay"]))]
    if charts:
        yield Paragraph(("Each metric alone, by all events; the band is of one threshold, chosen before.",))
    yield from map(Picture, charts)


def _hits(hits: Sequence[int]) -> str:
    least, most = hits[0], hits[-1]
    return str(least) if least == most else f"{least} to {most}"


def _metric(one: TunedMetricDocument) -> tuple[Words, ...]:
    return (
        (Foreign(one["metric"]),),
        (shown(one["today"]),),
        () if one["suggested"] is None else (shown(one["suggested"]),),
        (f"{one['range'][0]:g} to {one['range'][-1]:g}",) if one["range"] else (),
        (Badge(one["status"].replace("_", " "), _TONES[one["status"]]),),
        (way(one["direction"]) if one["direction"] in WORST_FIRST else Foreign(one["direction"]),),
    )
