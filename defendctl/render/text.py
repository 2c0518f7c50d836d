"""Results for people. What loosens a guardrail comes first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from defendctl.command import command, settling
from defendctl.model import CANARY
from defendctl.plan.direction import WORST_FIRST
from defendctl.plan.findings import VERDICTS
from defendctl.render.inert import inert, pair, value
from defendctl.render.replay import replays
from defendctl.render.tested import tests
from defendctl.render.words import (
    HEADINGS,
    NO_STATE,
    consent,
    count,
    declared,
    drifted,
    edit,
    moved,
    named,
    notes,
    path,
    place,
    remark,
    riskiest_first,
    section,
    sides,
    work,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.diagnostics import Diagnostic, Span
    from defendctl.engine.results import ApplyResult, Receipt, Result
    from defendctl.model import Binding, Intent, State
    from defendctl.plan.changes import Change, Plan
    from defendctl.plan.compare import FieldChange
    from defendctl.plan.drift import Drifted
    from defendctl.plan.findings import Finding, Waiver
    from defendctl.plan.view import Row, View
    from defendctl.render.paint import Paint

_COLOURS: Final = {
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
_OUTCOMES: Final = {"done": "green", "failed": "red", "unknown": "red", "not_attempted": "yellow"}
_ALIGNED: Final = 48
"""A longer value runs over, so that one description does not push every other row off the screen."""
_UNREAD: Final = "No digest: what is live was not read, so nothing can be applied from this."


def plan(result: Plan, paint: Paint) -> str:
    blocks = [NO_STATE, _header(result)] if result.is_first else [_header(result)]
    if result.moves:
        blocks += ["Renamed here, and nothing is sent for it:", *(f"    {m}" for m in moved(result.moves))]
    for name, heading in HEADINGS.items():
        changes = [change for change in result.listed if section(change) == name]
        if changes:
            blocks.append(paint(heading + ":", _COLOURS[name]))
            blocks += [_change(change, paint) for change in changes]
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
        lines.append("To let it pass, put this under `waivers:` of a manifest, with your own words in it:")
        lines += [inert(line) for line in remedies]
    return "\n".join(lines) + "\n"


def diagnostics(found: Sequence[Diagnostic], paint: Paint) -> str:
    return "".join(diagnostic(one, paint) + "\n" for one in found)


def diagnostic(one: Diagnostic, paint: Paint) -> str:
    colour = "red" if one.severity == "error" else "yellow"
    place = _place(one)
    said = f"{paint(one.severity + ':', colour)} {inert(one.message)} [{one.code}]"
    return f"{place}: {said}" if place else said


def verdict(found: Sequence[Diagnostic]) -> str:
    errors = sum(d.severity == "error" for d in found)
    warnings = len(found) - errors
    if not found:
        return "All manifests are valid.\n"
    return f"{count(errors, 'error')}, {count(warnings, 'warning')}.\n"


def apply(result: ApplyResult, paint: Paint, environment: str | None = None) -> str:
    where = f" in {environment}" if environment else ""
    lines = [f"  {line}  renamed" for line in moved(result.moves)]
    lines += [_result(one, paint) for one in result.results]
    counts = result.summary()
    shown = ", ".join(f"{n} {word.replace('_', ' ')}" for word, n in counts.items() if n)
    done = (
        f"Applied{where}: {len(result.moves)} renamed."
        if result.moves
        else "Nothing to do: everything is as declared."
    )
    lines.append(f"Applied{where}: {shown}." if shown else done)
    return "\n".join(lines) + "\n"


def drift(entries: Sequence[Drifted], paint: Paint, environment: str | None = None) -> str:
    head = [f"Drift of {environment}"] if environment else []
    if not entries:
        return "\n".join([*head, "No drift: nothing was changed behind our back."]) + "\n"
    blocks = head + [_drifted(entry, paint) for entry in riskiest_first(entries)]
    return "\n".join([*blocks, drifted(entries)]) + "\n"


def view(shown: View, environment: str | None = None) -> str:
    head = f"{named(environment)}{inert(shown.address)}  {inert(shown.workflow_id or 'not bound')}"
    head += f"  {inert(shown.status)}" if shown.status else ""
    rows = [("field", "desired", "live", "applied", "known by")]
    rows += [
        (path(row.path), *_sides(row, row.path in shown.unmanaged), row.basis or "-") for row in shown.fields
    ]
    return "\n".join([head, *_table(rows)]) + "\n"


def _sides(row: Row, unmanaged: bool) -> tuple[str, str, str]:
    """Desired, live and applied, each beside what it could be taken for."""
    desired, live = pair(row.desired, row.live)
    return "(unmanaged)" if unmanaged else desired, live, pair(row.applied, row.live)[0]


def state(value: State) -> str:
    named = f"environment {value.environment}  " if value.environment else ""
    lines = [f"{named}lineage {inert(value.lineage or '-')}  serial {value.serial}"]
    lines += [f"  {a}  {inert(b.workflow_id)}" for a, b in sorted(value.managed.items())]
    lines += [f"  {CANARY}  {inert(b.workflow_id)}  for candidates" for b in _canary(value)]
    for address, intent in sorted(value.unresolved.items()):
        lines += unresolved(address, intent)
    for address, old in sorted(value.tombstones.items()):
        lines += [f"  {address}  {inert(b.workflow_id)}  retired, still live" for b in old]
    if len(lines) == 1:
        lines.append("  nothing is bound")
    return "\n".join(lines) + "\n"


def _canary(state: State) -> list[Binding]:
    return [state.bindings[CANARY]] if CANARY in state.bindings else []


def unresolved(address: str, intent: Intent) -> list[str]:
    """What an operator needs to settle a create whose outcome is unknown."""
    because = f" ({inert(intent.why)})" if intent.why else ""
    name = value(str(intent.sent.get("name")))
    known = f"    Its answer gave the id {inert(intent.answered)}." if intent.answered else ""
    return [
        f"  {address}  unknown: a create was sent at {intent.at}{because}.",
        *([known] if known else []),
        f"    Look in the console for a workflow named {name} made at about that time, then run",
        "    the one that is true (the second from 15 minutes on, or with --now):",
        *(f"      {each}" for each in settling(address, intent.answered or "WORKFLOW_ID")),
    ]


def receipt(created: Receipt) -> list[str]:
    """How to record by hand what could not be recorded."""
    workflow_id = inert(created.workflow_id)
    return [
        f"  {created.address} was created as {workflow_id}, but the state could not be written. Run:",
        f"      {command('state resolve {} --id {}', created.address, created.workflow_id)}",
    ]


def _header(result: Plan) -> str:
    how = "" if result.refreshed else ", live not read"
    return f"Plan for {place(result)}, generation {result.generation}, state serial {result.serial}{how}"


def _change(change: Change, paint: Paint) -> str:
    workflow_id = f" ({inert(change.workflow_id)})" if change.workflow_id else ""
    action = "" if change.action == "none" else f"  {change.action}"
    head = f"  {_SIGNS[change.action]} {change.address}{workflow_id}{action}"
    rows = [(f, " -> ".join(sides(f)), remark(f, change)) for f in change.fields]
    return "\n".join([head, *_fields(rows, paint), *(f"      {note}" for note in notes(change))])


def _fields(rows: Sequence[tuple[FieldChange, str, str]], paint: Paint) -> list[str]:
    """Path, change, direction and remark in columns, the worst first."""
    ordered = sorted(rows, key=lambda row: WORST_FIRST.index(row[0].direction))
    paths = max((n for f, _, _ in rows if (n := len(path(f.path))) <= _ALIGNED), default=0)
    changes = max((len(change) for _, change, _ in rows if len(change) <= _ALIGNED), default=0)
    lines = []
    for field, change, note in ordered:
        way = "" if field.direction == "none" else field.direction
        said = paint(way, _COLOURS[field.direction]) + " " * (13 - len(way)) if way else " " * 13
        lines.append(f"      {path(field.path):<{paths}}  {change:<{changes}}  {said}  {note}".rstrip())
    return lines


def _finding(one: Finding, paint: Paint) -> list[str]:
    about = " ".join(word for word in (one.address, one.field and path(one.field)) if word)
    verdict = paint(one.verdict, _VERDICT_COLOURS[one.verdict])
    verdict += "" if one.evaluated else " (not evaluated)"
    head = "  ".join(part for part in (one.rule, verdict, about, _at(one.span)) if part)
    lines = [f"  {_VERDICT_SIGNS[one.verdict]} {head}"]
    lines += [f"      {inert(one.message)}", f"      {inert(one.detail)}"]
    if one.waiver:
        lines += [f"      {line}" for line in _waiver(one.waiver)]
    return lines


def _waiver(given: Waiver) -> list[str]:
    where = _at(given.span)
    place = f"  {where}" if where else ""
    return [
        f"waived by {inert(given.approver)} until {given.expires.isoformat()}{place}",
        f"reason: {inert(given.reason)}",
    ]


def _conclusion(result: Plan, paint: Paint) -> str:
    counts = result.summary()
    lines = [work(result)]
    for way in ("loosens", "indeterminate"):
        if counts[way]:
            lines.append(paint(f"{count(counts[way], 'workflow')}: {way}.", _COLOURS[way]))
    if counts["unobservable"] and result.refreshed:
        lines.append(f"{count(counts['unobservable'], 'workflow')} with fields that cannot be read back.")
    if counts.get("unmanaged"):
        lines.append(f"{count(counts['unmanaged'], 'workflow')} with fields that are left to the console.")
    verdicts = Counter(finding.verdict for finding in result.findings)
    if verdicts:
        said = ", ".join(f"{verdicts[word]} {word}" for word in VERDICTS if verdicts[word])
        lines.append(paint(f"Policy: {said}.", "red" if result.denied else "white"))
    lines.append(f"Digest: {consent(result)}" if result.refreshed else _UNREAD)
    return "\n".join(lines)


def _result(one: Result, paint: Paint) -> str:
    workflow_id = f"  {inert(one.workflow_id)}" if one.workflow_id else ""
    outcome = paint(one.outcome.replace("_", " "), _OUTCOMES[one.outcome])
    error = f": {inert(one.error)}" if one.error else ""
    return f"  {one.address}  {one.action}  {outcome}{workflow_id}{error}"


def _drifted(entry: Drifted, paint: Paint) -> str:
    head = f"  {entry.address} ({inert(entry.workflow_id)})  "
    if not entry.fields:
        return head + "the API answers 404 for it"
    rows = [(f, " -> ".join(edit(f)), declared(f, entry)) for f in entry.fields]
    return "\n".join([head + paint(entry.direction, _COLOURS[entry.direction]), *_fields(rows, paint)])


def _place(one: Diagnostic) -> str:
    return _at(one.span)


def _at(span: Span | None) -> str:
    if span is None:
        return ""
    parts = [inert(span.file), span.line, span.column]
    return ":".join(str(part) for part in parts if part)


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(n for row in rows if (n := len(row[i])) <= _ALIGNED) for i in range(len(rows[0]))]
    return [
        "  " + "  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
