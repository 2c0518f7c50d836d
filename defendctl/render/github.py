"""Workflow commands of GitHub Actions: an annotation on the line of the manifest that a reviewer reads.

The form and its escapes are those of the runner: `::error file=…,line=…,title=…::message`, where `%` and
line ends are percent-escaped, in properties `:` and `,` too. Ten of a level are shown for a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from defendctl.plan.direction import INDETERMINATE, LOOSENS
from defendctl.render.inert import inert
from defendctl.render.markdown.markup import cut
from defendctl.render.markdown.review import rate
from defendctl.render.plural import count
from defendctl.render.setting import PLAIN
from defendctl.render.words import (
    consent,
    declared,
    edit,
    headline,
    located,
    no_state,
    notes,
    path,
    remark,
    riskiest_first,
    sides,
    worst_first,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from defendctl.diagnostics import Diagnostic, Span
    from defendctl.inspection.outputs import Outputs
    from defendctl.plan.changes import Change
    from defendctl.plan.compare import FieldChange
    from defendctl.plan.drift import Drifted, FieldEdit
    from defendctl.policy.findings import Finding
    from defendctl.render.setting import Setting
    from defendctl.replay.replay import Replay
    from defendctl.review import Review

Level = Literal["error", "warning", "notice"]
_LEVELS: Final[tuple[Level, ...]] = ("error", "warning", "notice")
_SHOWN: Final = 10
"""What the runner shows of a level; more of them would push each other out unseen."""
_SAID: Final = 1_000
_VERDICTS: Final[dict[str, Level]] = {"denied": "error", "warned": "warning", "waived": "notice"}


@dataclass(frozen=True, slots=True)
class Annotation:
    """`title` is of our own words; `lines` may hold any text."""

    level: Level
    title: str
    lines: tuple[str, ...]
    span: Span | None = None


def plan(result: Review, setting: Setting = PLAIN) -> str:
    made = result.plan
    found = [Annotation("notice", "no state", (no_state(made),))] if made.is_first else []
    if made.listed or made.moves:
        found.append(Annotation("notice", "plan", (headline(result),)))
    found += [_finding(one, result) for one in result.findings]
    found += [one for change in made.listed for one in _change(change, result)]
    found += [_replay(one, result) for one in result.replays]
    found += [_diagnostic(one) for one in result.diagnostics]
    return _commands(found, setting.folder, made.environment)


def drift(entries: Sequence[Drifted], setting: Setting = PLAIN) -> str:
    edits = [one for entry in riskiest_first(entries) for one in _edits(entry)]
    return _commands(edits, setting.folder, setting.environment)


def diagnostics(found: Sequence[Diagnostic], setting: Setting = PLAIN) -> str:
    return _commands([_diagnostic(one) for one in found], setting.folder, setting.environment)


def outputs(told: Outputs, setting: Setting = PLAIN) -> str:
    """Lines for `$GITHUB_OUTPUT`."""
    return "".join(f"{name}={workflow_id}\n" for name, workflow_id in told.ids.items())


def refusals(title: str, lines: Sequence[str]) -> str:
    """An error for each line, as many as are shown. The title is of our own words."""
    found = _shown([Annotation("error", title, (line,)) for line in lines])
    return "".join(
        f"::error title={_property(title)}::{_data(cut(inert(one.lines[0]), _SAID))}\n" for one in found
    )


def plan_outputs(result: Review, code: int) -> str:
    """Lines for `$GITHUB_OUTPUT`; numbers, and a digest or `none`. `expect` is for `apply --expect`."""
    made = result.plan
    changes = sum(change.action != "none" for change in made.changes) + len(made.moves)
    named = consent(made)
    digests = f"digest={named.partition('@')[0]}\nexpect={named}\n"
    return _outputs(changes, made.summary()[LOOSENS], code) + digests


def drift_outputs(entries: Sequence[Drifted], code: int) -> str:
    return _outputs(len(entries), sum(entry.direction == LOOSENS for entry in entries), code)


def _outputs(changes: int, loosens: int, code: int) -> str:
    return f"changes={changes}\nloosens={loosens}\nexit_code={code}\n"


def _finding(one: Finding, result: Review) -> Annotation:
    span = one.span or _place(result, one.address or "", one.field or "")
    where = " ".join(part for part in (one.address, one.field) if part)
    passes = "" if one.verdict == "warned" else ", and so does not pass"
    unsure = () if one.evaluated else (f"The rule could not be evaluated{passes}.",)
    lines = (f"{one.rule}: {where or 'the whole plan'}", one.message, one.detail, *unsure, *_passes(one))
    return Annotation(_VERDICTS[one.verdict], f"{one.verdict} by policy", lines, span)


def _passes(one: Finding) -> tuple[str, ...]:
    if one.waiver:
        waiver = one.waiver
        return (f"waiver of {waiver.approver}, until {waiver.expires}: {waiver.reason}",)
    return ("The waiver that would let it pass is in the summary.",) if one.remedy else ()


def _change(change: Change, result: Review) -> list[Annotation]:
    """What reviewers must look at: blocked, and each field that loosens or may do so."""
    found = []
    if change.action == "blocked":
        lines = (f"{change.address} is blocked", *notes(change))
        found.append(Annotation("error", "blocked", lines, _place(result, change.address, "")))
    if change.action == "retire":
        lines = (f"{change.address} is retired", *notes(change))
        found.append(Annotation("notice", "may loosen", lines, _place(result, change.address, "")))
    for field in worst_first(change.fields):
        span = _place(result, change.address, field.path)
        found += _field(change.address, field, " -> ".join(sides(field)), remark(field, change), span)
    return found


def _field(
    address: str, field: FieldChange | FieldEdit, said: str, note: str, span: Span | None
) -> list[Annotation]:
    line = f"{address} {path(field.path)}: {said}"
    if field.direction == LOOSENS:
        return [Annotation("warning", "loosens the guardrail", (line, note), span)]
    if field.direction == INDETERMINATE:
        return [Annotation("notice", "may loosen the guardrail", (line, note), span)]
    return []


def _edits(entry: Drifted) -> list[Annotation]:
    if entry.missing:
        line = f"{entry.address} ({entry.workflow_id}): the API answers 404 for it"
        return [Annotation("error", "missing", (line,))]
    found = []
    for field in worst_first(entry.fields):
        said = " -> ".join(edit(field))
        found += _field(entry.address, field, said, declared(field, entry), _written(entry, field))
    return found or [Annotation("notice", "drift", (f"{entry.address} was edited in the console",))]


def _written(entry: Drifted, field: FieldEdit) -> Span | None:
    fate = entry.fates.get(field.path)
    return fate.span if fate else None


def _replay(one: Replay, result: Review) -> Annotation:
    place = _place(result, one.address, "metrics") or _place(result, one.address, "")
    if one.why_not is not None:
        lines = (f"{one.address} was not replayed: {one.why_not}",)
    else:
        rates = f"{rate(one.before)} today, {rate(one.after)} proposed"
        lines = (f"{one.address}, {count(one.events, 'recent event')}: flag rate {rates}",)
    return Annotation("notice", "replay", lines, place)


def _diagnostic(one: Diagnostic) -> Annotation:
    return Annotation(one.severity, one.severity, (f"{one.message} [{one.code}]",), one.span)


def _place(result: Review, address: str, field: str) -> Span | None:
    return result.places.get((address, field)) or result.places.get((address, ""))


def _commands(found: Iterable[Annotation], folder: str, environment: str | None) -> str:
    """The worst level first; where there are more than are shown, the last one says so."""
    ordered = sorted(found, key=lambda one: _LEVELS.index(one.level))
    told = [one for level in _LEVELS for one in _shown([each for each in ordered if each.level == level])]
    return "".join(_command(one, folder, environment) for one in told)


def _shown(found: list[Annotation]) -> list[Annotation]:
    if len(found) <= _SHOWN:
        return found
    more = len(found) - _SHOWN + 1
    said = f"and {more} more like these: the summary and the other formats have them all"
    return [*found[: _SHOWN - 1], Annotation(found[0].level, f"{more} more", (said,))]


def _command(one: Annotation, folder: str, environment: str | None) -> str:
    place = {} if one.span is None else _where(one.span, folder)
    ours = f"defendctl in {environment}" if environment else "defendctl"
    properties = {**place, "title": f"{ours}: {one.title}"}
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    said = "\n".join(cut(inert(line), _SAID) for line in one.lines if line)
    return f"::{one.level} {told}::{_data(said)}\n"


def _where(span: Span, folder: str) -> dict[str, str]:
    numbers = {"line": span.line, "col": span.column}
    return {
        "file": inert(located(span.file, folder)),
        **{name: str(number) for name, number in numbers.items() if number},
    }


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
