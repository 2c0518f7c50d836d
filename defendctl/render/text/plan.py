"""Results for people. What loosens a guardrail comes first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from defendctl.plan.direction import WORST_FIRST
from defendctl.policy.findings import VERDICTS
from defendctl.render.inert import inert, pair
from defendctl.render.plural import count
from defendctl.render.setting import PLAIN
from defendctl.render.text.diagnostics import place_of
from defendctl.render.text.recorded import tests
from defendctl.render.words import (
    HEADINGS,
    consent,
    moved,
    no_state,
    notes,
    path,
    place,
    remark,
    section,
    sides,
    work,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.inspection.view import Row
    from defendctl.plan.changes import Change, Plan
    from defendctl.plan.compare import FieldChange
    from defendctl.plan.drift import FieldEdit
    from defendctl.policy.findings import Finding, Waiver
    from defendctl.render.setting import Setting
    from defendctl.render.text.paint import Paint
    from defendctl.review import Review


COLOURS: Final = {
    "loosens": "red",
    "blocked": "red",
    "indeterminate": "yellow",
    "lateral": "cyan",
    "tightens": "green",
    "none": "white",
}
_SIGNS: Final = {
    "create": "+",
    "adopt": "+",
    "update": "~",
    "replace": "!",
    "retire": "-",
    "blocked": "x",
    "none": " ",
}
_VERDICT_SIGNS: Final = {"denied": "x", "warned": "!", "waived": "="}
_VERDICT_COLOURS: Final = {"denied": "red", "warned": "yellow", "waived": "cyan"}
ALIGNED: Final = 48
"""A longer value runs over, so that one description does not push every other row off the screen."""
_UNREAD: Final = "No digest: what is live was not read, so this plan cannot be applied."


def plan(result: Review, setting: Setting = PLAIN) -> str:
    made, paint = result.plan, setting.paint
    blocks = [no_state(made), _header(made)] if made.is_first else [_header(made)]
    if made.moves:
        blocks += ["Renamed (nothing is sent for this):", *(f"    {m}" for m in moved(made.moves))]
    for name, heading in HEADINGS.items():
        changes = [change for change in made.listed if section(change) == name]
        if changes:
            blocks.append(paint(heading + ":", COLOURS[name]))
            blocks += [_change(change, paint) for change in changes]
    if result.replays:
        from defendctl.render.text.replay import replays

        blocks += replays(result.replays, paint)
    blocks += tests(result.tests, paint)
    if result.findings:
        blocks.append(findings(result.findings, paint).rstrip("\n"))
    blocks.append(_conclusion(result, paint))
    return "\n".join(blocks) + "\n"


def findings(found: Sequence[Finding], paint: Paint) -> str:
    """What the policy says, in its order, and the waivers that would let it pass, to be pasted."""
    lines = ["Policy:", *(line for one in found for line in _finding(one, paint))]
    remedies = [line for one in found if one.remedy for line in one.remedy.splitlines()]
    if remedies:
        lines.append("To let it pass, put this under `waivers:` of a manifest and fill in your own words:")
        lines += [inert(line) for line in remedies]
    return "\n".join(lines) + "\n"


def sides_of(row: Row, unmanaged: bool) -> tuple[str, str, str]:
    """Desired, live and applied, each beside what it could be taken for."""
    desired, live = pair(row.desired, row.live)
    return "(unmanaged)" if unmanaged else desired, live, pair(row.applied, row.live)[0]


def _header(result: Plan) -> str:
    how = "" if result.refreshed else ", live not read"
    return f"Plan for {place(result)}, generation {result.generation}, state serial {result.serial}{how}"


def _change(change: Change, paint: Paint) -> str:
    workflow_id = f" ({inert(change.workflow_id)})" if change.workflow_id else ""
    action = "" if change.action == "none" else f"  {change.action}"
    head = f"  {_SIGNS[change.action]} {change.address}{workflow_id}{action}"
    rows = [(f, " -> ".join(sides(f)), remark(f, change)) for f in change.fields]
    return "\n".join([head, *fields(rows, paint), *(f"      {note}" for note in notes(change))])


def fields(rows: Sequence[tuple[FieldChange | FieldEdit, str, str]], paint: Paint) -> list[str]:
    """Path, change, direction and remark in columns, the worst first."""
    ordered = sorted(rows, key=lambda row: WORST_FIRST.index(row[0].direction))
    paths = max((n for f, _, _ in rows if (n := len(path(f.path))) <= ALIGNED), default=0)
    changes = max((len(change) for _, change, _ in rows if len(change) <= ALIGNED), default=0)
    lines = []
    for field, change, note in ordered:
        way = "" if field.direction == "none" else field.direction
        said = paint(way, COLOURS[field.direction]) + " " * (13 - len(way)) if way else " " * 13
        lines.append(f"      {path(field.path):<{paths}}  {change:<{changes}}  {said}  {note}".rstrip())
    return lines


def _finding(one: Finding, paint: Paint) -> list[str]:
    about = " ".join(word for word in (one.address, one.field and path(one.field)) if word)
    verdict = paint(one.verdict, _VERDICT_COLOURS[one.verdict])
    verdict += "" if one.evaluated else " (not evaluated)"
    head = "  ".join(part for part in (one.rule, verdict, about, place_of(one.span)) if part)
    lines = [f"  {_VERDICT_SIGNS[one.verdict]} {head}"]
    lines += [f"      {inert(one.message)}", f"      {inert(one.detail)}"]
    if one.waiver:
        lines += [f"      {line}" for line in _waiver(one.waiver)]
    return lines


def _waiver(given: Waiver) -> list[str]:
    where = place_of(given.span)
    place = f"  {where}" if where else ""
    return [
        f"waived by {inert(given.approver)} until {given.expires.isoformat()}{place}",
        f"reason: {inert(given.reason)}",
    ]


def _conclusion(result: Review, paint: Paint) -> str:
    made, counts = result.plan, result.plan.summary()
    lines = [work(made)]
    for way in ("loosens", "indeterminate"):
        if counts[way]:
            lines.append(paint(f"{count(counts[way], 'workflow')}: {way}.", COLOURS[way]))
    if counts["unobservable"] and made.refreshed:
        lines.append(f"{count(counts['unobservable'], 'workflow')} with fields that cannot be read back.")
    if counts.get("unmanaged"):
        lines.append(f"{count(counts['unmanaged'], 'workflow')} with fields that are left to the console.")
    verdicts = Counter(finding.verdict for finding in result.findings)
    if verdicts:
        said = ", ".join(f"{verdicts[word]} {word}" for word in VERDICTS if verdicts[word])
        lines.append(paint(f"Policy: {said}.", "red" if result.denied else "white"))
    lines.append(f"Digest: {consent(made)}" if made.refreshed else _UNREAD)
    return "\n".join(lines)
