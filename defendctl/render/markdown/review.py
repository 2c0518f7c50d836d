"""What the policy, recent events and recorded tests say of a plan, as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.render.inert import inert
from defendctl.render.labels import labelled_rows
from defendctl.render.markdown.fit import Item, Section
from defendctl.render.markdown.markup import block, code, coded, cut, table
from defendctl.render.page.figures import histogram
from defendctl.render.plural import count
from defendctl.render.text.recorded import counted, of
from defendctl.render.text.replay import fewer, not_evaluated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.diagnostics import Span
    from defendctl.policy.findings import Finding
    from defendctl.render.labels import Row
    from defendctl.replay.replay import MetricReplay, Range, Replay, Together
    from defendctl.suite.recorded import Tested, Tests


_REMEDY: Final = "To let it pass, put this under `waivers:` of a manifest and fill in your own words:"
_IDS: Final = 20
"""So many ids of events are named."""
_SAID: Final = 400
"""Characters of a message or a reason."""


def denied(findings: Sequence[Finding]) -> list[Section]:
    items = tuple(_finding(one) for one in findings if one.verdict == "denied")
    return [Section(f"Denied by policy: {count(len(items), 'finding')}", items)] if items else []


def warned(findings: Sequence[Finding]) -> list[Section]:
    items = tuple(_finding(one) for one in findings if one.verdict == "warned")
    return [Section(f"Warned of by policy: {count(len(items), 'finding')}", items)] if items else []


def waived(findings: Sequence[Finding]) -> list[Section]:
    """What somebody lets pass: shown with who, why and how long, and never folded."""
    items = tuple(_waived(one) for one in findings if one.verdict == "waived")
    return [Section(f"Let pass by a waiver: {count(len(items), 'finding')}", items)] if items else []


def replays(found: Sequence[Replay]) -> list[Section]:
    items = tuple(_replay(one) for one in found)
    return [Section("What recent events would have met", items)] if items else []


def tests(found: Tests | None) -> list[Section]:
    """What was recorded of tests, and whether it speaks of this plan."""
    if found is None:
        return []
    return [Section(_heading(found), tuple(_tested(one) for one in found.tested))]


def _heading(found: Tests) -> str:
    return f"Tests recorded {code(found.at)}{', on the canary' if found.candidate else ''}"


def _tested(one: Tested) -> Item:
    name, said = code(one.address), counted(one)
    told = of(one) if one.why is None else f"**stale** ({code(one.why)})"
    names = f"\n\n{block(one.not_passed)}" if one.not_passed else "\n"
    line = f"- {name}: {said}, {told}\n"
    return Item((f"**{name}**: {said}, {told}{names}", line, ""))


def at(span: Span | None) -> str:
    """` in `file:line``, or nothing."""
    if span is None:
        return ""
    return " in " + code(f"{span.file}:{span.line}" if span.line else span.file)


def _finding(one: Finding) -> Item:
    head = f"**{code(one.rule)}**{_subject(one)}{at(one.span)}"
    passes = "" if one.verdict == "warned" else " and so does not pass"
    unsure = "" if one.evaluated else f", which could not be evaluated{passes}"
    said = [cut(text, _SAID) for text in (one.message, one.detail) if text]
    whole = f"{head}{unsure}\n\n{block(said)}"
    if one.remedy and one.verdict == "denied":
        whole += f"\n{_REMEDY}\n\n{block([one.remedy], 'yaml')}"
    return Item((whole, f"- {code(one.rule)}{_subject(one)}{at(one.span)}\n", ""))


def _subject(one: Finding) -> str:
    address = f" {code(one.address)}" if one.address else " (the whole plan)"
    return address + (f" {code(one.field)}" if one.field else "")


def _waived(one: Finding) -> Item:
    told = [f"**{code(one.rule)}**{_subject(one)}{at(one.span)}\n"]
    if one.waiver:
        waiver = one.waiver
        told.append(table(("", ""), [("to", coded(waiver.to)), *_who(waiver.approver, str(waiver.expires))]))
        told.append(block([cut(waiver.reason, _SAID)]))
    return Item(("\n".join(told), f"- {code(one.rule)}{_subject(one)}\n", ""))


def _who(approver: str, expires: str) -> list[tuple[str, str]]:
    return [("approver", code(approver)), ("expires", code(expires))]


def _replay(one: Replay) -> Item:
    name = code(one.address)
    if one.why_not is not None:
        return Item((f"**{name}** was not replayed:\n\n{block([one.why_not])}", f"- {name}\n", ""))
    rates = f"flag rate {rate(one.before)} today, {rate(one.after)} proposed"
    told = [
        f"**{name}**: {rates}\n",
        _window(one) + "\n",
        table(("", "today", "proposed"), _sides(one)),
        table(_METRIC_HEAD, [_metric(each) for each in one.metrics]) if one.metrics else "",
        _histograms(one.metrics),
        *(f"{heading[0].upper()}{heading[1:]}:\n\n{_labels(rows)}" for heading, rows in labelled_rows(one)),
        _ids("Newly flagged", one.newly_flagged),
        _ids("No longer flagged", one.no_longer_flagged),
    ]
    return Item(("\n".join(part for part in told if part), f"- {name}: {rates}\n", ""))


def _labels(rows: Sequence[Row]) -> str:
    return table(("", "today", "proposed"), rows)


_METRIC_HEAD: Final = (
    "metric",
    "threshold today",
    "proposed",
    "flagged today",
    "proposed",
    "exactly on the proposed one (passes)",
    "unscored",
)


def _metric(one: MetricReplay) -> tuple[str, ...]:
    seen = one.scored
    return (
        code(one.metric),
        coded(one.before),
        coded(one.after),
        f"{one.fails_before} of {seen}",
        f"{one.fails_after} of {seen}",
        str(one.ties),
        str(one.unscored),
    )


def _histograms(metrics: Sequence[MetricReplay]) -> str:
    """Of each metric that moves, its scores in one line with a bar at both thresholds."""
    rows = [
        (inert(one.metric), f"{_or_none(one.before)} -> {_or_none(one.after)}", *_drawn(one))
        for one in metrics
        if one.before != one.after and one.distribution.scores
    ]
    if not rows:
        return ""
    widths = [max(len(row[at]) for row in rows) for at in range(3)]
    return block(["  ".join([*map(str.ljust, row, widths), row[3]]) for row in rows])


def _drawn(one: MetricReplay) -> tuple[str, str]:
    told = one.distribution
    drawn = histogram(told.scores, told.counts, one.before, one.after)
    return drawn, f"{one.fails_before} -> {one.fails_after} of {one.scored} below"


def _or_none(threshold: float | None) -> str:
    return "(none)" if threshold is None else f"{threshold:g}"


def _window(one: Replay) -> str:
    window = f" from {code(one.window[0])} to {code(one.window[1])}" if one.window else ""
    modes = ", ".join(f"{code(mode)} {n}" for mode, n in one.run_modes.items())
    told = f"{one.events} of the {one.asked} events asked for{fewer(one)}{window}"
    told += f"; run modes: {modes}" if modes else ""
    told += f"; {untold}" if (untold := not_evaluated(one)) else ""
    if one.enough:
        return f"{told}."
    return f"{told}. **Too few for a gate, {one.events} of {one.needed}:** these are numbers, no verdict."


def _sides(one: Replay) -> list[tuple[str, str, str]]:
    rows = [("flag rate", _together(one.before), _together(one.after))]
    pairs = (
        ("evaluations an event", one.evaluations_before, one.evaluations_after),
        ("cost an event", one.cost_before, one.cost_after),
    )
    return rows + [(name, _range(a), _range(b)) for name, a, b in pairs if a or b]


def rate(one: Together | None) -> str:
    """Of all events: a range where some are unknown, for the known ones alone are mostly those that fail."""
    if one is None or one.bounds is None:
        return "unknown"
    least, most = one.bounds
    return f"{100 * least:.1f} %" if least == most else f"{100 * least:.1f} to {100 * most:.1f} %"


def _together(one: Together | None) -> str:
    """The share, what it is a share of, and Wilson's interval."""
    if one is None or one.bounds is None:
        return "unknown"
    if one.unknown:
        return f"{rate(one)} ({one.fails} of {one.known + one.unknown} for certain, {one.unknown} unknown)"
    low, high = one.interval
    return f"{rate(one)} ({one.fails} of {one.known}; 95 %: {100 * low:.1f} to {100 * high:.1f} %)"


def _range(one: Range | None) -> str:
    if one is None:
        return "unknown"
    low, high = one
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"


def _ids(what: str, ids: Sequence[str]) -> str:
    if not ids:
        return ""
    more = f" and {len(ids) - _IDS} more" if len(ids) > _IDS else ""
    return f"{what} ({len(ids)}): {', '.join(code(each) for each in ids[:_IDS])}{more}\n"
