"""Whether what is declared is what is served: the newest event's own record against the manifest.

An event records the settings that judged it. Only one younger than the last change can prove anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from defendctl.event import moment
from defendctl.model import FIELDS, FieldPath, capability_path, field_of, leaves
from defendctl.plan.diff import same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.event import Event
    from defendctl.model import Fields, Workflow


Answer = Literal["proven", "differs", "not_yet"]
_NAMES: Final = ("name", "description")
"""They decide about nothing, and no event records them."""


@dataclass(frozen=True, slots=True)
class Proven:
    """One value. `served` is None where the event does not tell it, or has no such metric."""

    path: FieldPath
    declared: Any
    served: Any
    verdict: Literal["same", "differs", "not_told"]


@dataclass(frozen=True, slots=True)
class Proof:
    address: str
    workflow_id: str
    answer: Answer
    why: str | None = None
    """Why nothing is proven yet."""
    event_id: str | None = None
    at: str | None = None
    """When the event was submitted, and the workflow last changed; both as the API says."""
    changed_at: str | None = None
    fields: tuple[Proven, ...] = ()


def prove(
    address: str, workflow_id: str, declared: Workflow, event: Event | None, changed_at: str | None
) -> Proof:
    """By the clock of the API alone: times of this machine are not compared with its times."""
    why = _unfit(event, changed_at)
    if event is None:
        return Proof(address, workflow_id, "not_yet", why, changed_at=changed_at)
    known = (event.event_id, event.at, changed_at)
    if why:
        return Proof(address, workflow_id, "not_yet", why, *known)
    others = (Proven(capability_path(name), None, True, "differs") for name in sorted(event.capabilities))
    fields = (*compared(declared.fields(), event.settings), *others)
    verdicts = {field.verdict for field in fields}
    if "differs" in verdicts:
        return Proof(address, workflow_id, "differs", None, *known, fields)
    if verdicts == {"not_told"}:
        why = "the event does not record what judged it"
        return Proof(address, workflow_id, "not_yet", why, *known, fields)
    return Proof(address, workflow_id, "proven", None, *known, fields)


def _unfit(event: Event | None, changed_at: str | None) -> str | None:
    if event is None:
        return "there is no event"
    if event.at is None:
        return "the time of the newest event is not told" if event.ended else "the newest event has not ended"
    if changed_at is None:
        return "the API does not tell when the workflow was last changed"
    if moment(event.at) <= moment(changed_at):
        return "the newest event is not younger than the last change of the workflow"
    return None


def compared(declared: Fields, served: Fields) -> Iterator[Proven]:
    """Each declared value, and each metric that is served besides; what is left to the console is neither."""
    wanted = {path: value for path, value in leaves(declared).items() if path not in _NAMES}
    seen = leaves({name: value for name, value in served.items() if name in declared})
    for path in sorted({*wanted, *seen}, key=lambda path: (FIELDS.index(field_of(path)), path)):
        want, got = wanted.get(path), seen.get(path)
        if field_of(path) not in served:
            yield Proven(path, want, None, "not_told")
        else:
            yield Proven(path, want, got, "same" if same(want, got) else "differs")
