"""What is said of a change in every format that people read; each format only dresses it."""

from __future__ import annotations

import re
from posixpath import join, normpath
from typing import TYPE_CHECKING, Final, TypeVar

from defendctl.model import SANDBOX, only_console
from defendctl.plan.alike import rounded
from defendctl.plan.changes import ACTIONS, files_to_upload, is_listed
from defendctl.plan.digest import digest
from defendctl.plan.direction import WORST_FIRST
from defendctl.render.inert import inert, pair, value
from defendctl.render.plural import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from defendctl.model import LocalFile
    from defendctl.plan.changes import Change, Move, Plan
    from defendctl.plan.compare import FieldChange
    from defendctl.plan.drift import Drifted, FieldEdit
    from defendctl.review import Review

F = TypeVar("F", "FieldChange", "FieldEdit")

HEADINGS: Final = {
    "loosens": "Loosens the guardrail",
    "blocked": "Blocked, and left as it is",
    "indeterminate": "May loosen or tighten (the direction cannot be told)",
    "lateral": "Changes what is done about a failure, not what counts as one",
    "tightens": "Tightens the guardrail",
    "none": "Leaves existing protection as it is",
}
"""The sections of a plan, the riskiest first."""
CONSOLE: Final = "only the console can change it"
UNKNOWN: Final = "no manifest can declare this capability: only the console can change it"
NOT_AS_WRITTEN: Final = "the API did not take it as written; put what is live into the manifest"
_SHORT: Final = len("sha256:") + 12
_NO_DELETE: Final = "stays live, for the API has no delete; its id is remembered"


def section(change: Change) -> str:
    """By its direction; what is blocked without one has its own."""
    return "blocked" if change.action == "blocked" and change.direction == "none" else change.direction


def notes(change: Change) -> list[str]:
    """What is said of the whole address."""
    return [*_notes(change), *_files(change)]


def _notes(change: Change) -> list[str]:
    if change.action == "blocked":
        return [inert(part) for part in change.reason.text.split("; ")]
    if change.action == "retire":
        return [f"no longer declared; the workflow {_NO_DELETE}"]
    if change.action == "adopt" and change.imported:
        return ["it exists already, and is bound as `import` in its manifest says"]
    if change.action == "adopt":
        return ["this id is remembered from before, and bound again"]
    if change.action == "replace":
        old = _NO_DELETE if change.observed else "answers 404; its id is remembered"
        return [
            "a new workflow with a new id, which events must be sent to from then on",
            f"the old one {old}",
        ]
    return []


def moved(moves: Iterable[Move]) -> list[str]:
    """An address may be anybody's who writes manifests, but holds nothing odd; an id is the API's."""
    return [f"{move.old} -> {move.new} ({inert(move.workflow_id)})" for move in moves]


def _files(change: Change) -> list[str]:
    """Which file is meant by what a row of `file_search` shows."""
    shown = change.files.items() if any(field.path == "file_search" for field in change.fields) else ()
    return [
        f"{inert(name[:_SHORT])}… is {inert(file.path)} ({count(file.size, 'byte')}){_first(file, change)}"
        if name == file.content
        else f"{inert(name)} is {inert(file.path)} ({file.content[:_SHORT]}…)"
        for name, file in sorted(shown, key=lambda item: (item[1].path, item[0]))
    ]


def _first(file: LocalFile, change: Change) -> str:
    return ", which is uploaded first" if file in files_to_upload(change) else ""


def worst_first(fields: Iterable[F]) -> list[F]:
    return sorted(fields, key=lambda field: WORST_FIRST.index(field.direction))


def riskiest_first(entries: Iterable[Drifted]) -> list[Drifted]:
    return sorted(entries, key=lambda entry: (WORST_FIRST.index(entry.direction), entry.address))


def path(name: str) -> str:
    """A metric's name may come from the API, and say anything."""
    return name if re.fullmatch(r"[A-Za-z0-9._-]+", name) else value(name)


def sides(field: FieldChange) -> tuple[str, ...]:
    """Before and after as they are shown; of a create, which has no before, what it makes."""
    if field.basis is None:
        return (value(field.after),)
    before, after = pair(field.before, field.after)
    return "(unknown)" if field.basis == "unknown" else before, after


def remark(field: FieldChange, change: Change, shown: Callable[[Any], str] = value) -> str:
    """How a difference came about, or how its `before` is known; `shown` dresses a value."""
    wins = "" if change.action == "blocked" else "; git wins"
    if field.path == "status":
        return "the new one will be active" if change.action == "replace" else CONSOLE
    if only_console(field.path):
        return "the new one is not asked to have it" if change.action == "replace" else UNKNOWN
    if field.untaken:
        return NOT_AS_WRITTEN
    if field.origin == "drift" and rounded(field.applied, field.before):
        return f"the API did not take it as written, or it was changed in the console{wins}"
    if field.origin == "drift":
        return f"changed in the console{wins}"
    if field.origin == "conflict":
        return f"changed in the console and in git (last applied: {shown(field.applied)}){wins}"
    if field.basis == "unknown":
        return "cannot be read back"
    return "compared with what was last applied" if field.basis == "applied" else ""


def edit(field: FieldEdit) -> tuple[str, str]:
    return pair(field.was, field.now)


def declared(
    field: FieldEdit,
    entry: Drifted,
    shown: Callable[[Any], str] = value,
    place: Callable[[str], str] = inert,
) -> str:
    """What drift says beside an edit, and what became of it; `shown` dresses a value, `place` a file."""
    if only_console(field.path):
        return CONSOLE if field.path == "status" else UNKNOWN
    fate = entry.fates.get(field.path)
    said = f"declared: {shown(field.declared)}"
    if fate is None:
        return said
    if fate.span is None:
        return f"{said}; not written: {fate.reason}"
    return f"{said}; written to {place(f'{fate.span.file}:{fate.span.line}')}"


def work(result: Plan) -> str:
    """How many of each action, in one sentence."""
    counts = result.summary()
    done = [f"{len(result.moves)} renamed"] if result.moves else []
    does = ", ".join(done + [f"{counts[a]} {a}" for a in ACTIONS if a != "none" and counts[a]])
    same = sum(not is_listed(change) for change in result.changes)
    return f"Plan: {does}; {same} unchanged." if does else _nothing(same, len(result.listed))


def headline(result: Review) -> str:
    """The worst that can be said of it comes first; what is made is counted, however harmless."""
    plan, counts = result.plan, result.plan.summary()
    denied = sum(finding.verdict == "denied" for finding in result.findings)
    worst = [f"{count(denied, 'denial')} by policy"] if denied else []
    worst += [f"{count(counts['loosens'], 'workflow')} loosened"] if counts["loosens"] else []
    worst += [f"{counts['blocked']} blocked"] if counts["blocked"] else []
    worst += [f"{counts['indeterminate']} may be loosened"] if counts["indeterminate"] else []
    made = [f"{counts[word]} {word}d" for word in ("create", "replace") if counts[word]]
    made += [f"{len(plan.moves)} renamed"] if plan.moves else []
    if not (plan.listed or made):
        return ", ".join(worst) or "no changes"
    return ", ".join([*worst, *made] if worst else [*made, "nothing loosened"])


def drifted(entries: Sequence[Drifted]) -> str:
    loosened = sum(entry.direction == "loosens" for entry in entries)
    missing = sum(entry.missing for entry in entries)
    gone = f", {missing} missing" if missing else ""
    return f"Drift in {count(len(entries), 'workflow')}; {loosened} loosened{gone}.{_written(entries)}"


def _written(entries: Sequence[Drifted]) -> str:
    fates = [fate for entry in entries for fate in entry.fates.values()]
    spans = [fate.span for fate in fates if fate.span]
    files = len({span.file for span in spans})
    left = f", {len(fates) - len(spans)} not" if len(fates) > len(spans) else ""
    into = f" into {count(files, 'file')}" if spans else ""
    return f" {count(len(spans), 'value')} written{into}{left}." if fates else ""


def no_state(result: Plan) -> str:
    """Said first where there is none; in the sandbox one begins without a word."""
    how = "" if result.host == SANDBOX else " if it is run with --new-state"
    return f"No state yet: the first apply begins one{how}."


def place(result: Plan, shown: Callable[[str], str] = str) -> str:
    """Which API a plan is for, and in which environment; `shown` dresses a name."""
    host = shown(result.host)
    return f"{shown(result.environment)} at {host}" if result.environment else host


def named(environment: str | None) -> str:
    """Where there is one, it goes before what is shown."""
    return f"{environment}: " if environment else ""


def consent(result: Plan) -> str:
    """What `apply --expect` takes; without a look at live there is nothing to consent to."""
    return f"{digest(result)}@{result.serial}" if result.refreshed else "none"


def located(file: str, folder: str) -> str:
    """A file as the repository names it, where `folder` is the one that the command ran in."""
    return normpath(join(folder, file.replace("\\", "/")))


def _nothing(unchanged: int, told: int) -> str:
    if told:
        return f"Nothing to apply, but {count(told, 'workflow')} not as declared; {unchanged} unchanged."
    return f"No changes: {count(unchanged, 'workflow')} as declared."
