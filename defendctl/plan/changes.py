"""The plan: what apply does, and all that the digest covers. What is shown beside it: `review.py`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from defendctl.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.model import Binding, LocalFile, Observed, Workflow
    from defendctl.plan.compare import FieldChange

Action = Literal["create", "adopt", "update", "replace", "retire", "blocked", "none"]
ACTIONS: Final[tuple[Action, ...]] = ("create", "adopt", "update", "replace", "retire", "blocked", "none")

WRITES: Final = frozenset({"create", "adopt", "update", "replace"})

UNRESOLVED: Final = "unresolved"
MISSING: Final = "missing"
IMPOSSIBLE: Final = "impossible"
CLASHING: Final = "clashing"
UNDER_WAY: Final = "under-way"
_EXITS: Final = {
    UNRESOLVED: Exit.UNKNOWN,
    MISSING: Exit.FAILED,
    IMPOSSIBLE: Exit.BLOCKED,
    CLASHING: Exit.FAILED,
    UNDER_WAY: Exit.OK,
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an address is blocked: `kind` decides the exit code, `text` says it to people."""

    kind: str
    text: str

    @property
    def exit_code(self) -> int:
        return _EXITS[self.kind]


@dataclass(frozen=True, slots=True)
class Change:
    """What apply does to one address; from `desired` on it is what it does it with."""

    address: str
    workflow_id: str | None
    action: Action
    reason: Reason | None
    direction: str
    fields: tuple[FieldChange, ...]
    desired: Workflow | None = None
    observed: Observed | None = None
    binding: Binding | None = None
    unobservable: bool = False
    imported: bool = False
    """Whether its id comes from the manifest's `import:`."""
    was: str | None = None
    """Another address that remembers this workflow, and forgets it when it is adopted here."""
    files: Mapping[str, LocalFile] = field(default_factory=dict)
    """What stands in its `file_search` for a file of the repository (its content, or its id) → that file."""

    @property
    def uploads(self) -> tuple[LocalFile, ...]:
        """The files that must be uploaded before it can be sent."""
        sends = self.action in WRITES and any(f.path == "file_search" for f in self.fields)
        return tuple(f for name, f in sorted(self.files.items()) if sends and name == f.content)

    @property
    def drifted(self) -> bool:
        return any(f.origin in ("drift", "conflict") for f in self.fields)

    @property
    def listed(self) -> bool:
        """What is told and left as it is too: a status, or a text that the API did not take as written."""
        return self.action != "none" or bool(self.fields)


@dataclass(frozen=True, slots=True)
class Move:
    """A binding that gets another address; nothing is sent for it."""

    old: str
    new: str
    workflow_id: str


@dataclass(frozen=True, slots=True)
class Options:
    """What was chosen on the command line and is part of the plan."""

    target: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    selector: tuple[str, ...] = ()
    reassert: tuple[str, ...] = ()
    """Fields that are written where nobody knows what they are."""

    def data(self) -> dict[str, Any]:
        """In the words of the plan's JSON. What came later is there only where it was chosen."""
        later = {"selector": list(self.selector), "reassert": list(self.reassert)}
        return {
            "target": list(self.target),
            "replace": list(self.replace),
            **{name: value for name, value in later.items() if value},
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """Every address in scope, sorted; those that are equal are there too, with the action `none`."""

    host: str
    lineage: str | None
    serial: int
    generation: str
    options: Options
    changes: tuple[Change, ...]
    refreshed: bool = True
    """Whether live was read; else `before` is what was last applied and there is no digest to consent to."""
    environment: str | None = None
    """Of a project that has any."""
    moves: tuple[Move, ...] = ()
    """Renames that the state does not know of yet: apply makes them durable before anything else."""

    @property
    def is_first(self) -> bool:
        """Whether there is no state yet, so that everything declared is new."""
        return self.lineage is None

    @property
    def listed(self) -> list[Change]:
        return [change for change in self.changes if change.listed]

    @property
    def work(self) -> list[Change]:
        """What apply attempts: neither what is equal nor what is blocked."""
        return [change for change in self.changes if change.action not in ("none", "blocked")]

    @property
    def empty(self) -> bool:
        return not self.moves and all(change.action == "none" for change in self.changes)

    def summary(self) -> dict[str, int]:
        """Counts of addresses, in the words of the plan's JSON; `unmanaged` only where there are any."""
        actions = Counter(change.action for change in self.changes)
        ways = Counter(change.direction for change in self.changes)
        left = sum(bool(change.desired and change.desired.unmanaged) for change in self.changes)
        return {
            **{action: actions[action] for action in ACTIONS},
            "drift": sum(change.drifted for change in self.changes),
            **{way: ways[way] for way in ("tightens", "loosens", "indeterminate")},
            "unobservable": sum(change.unobservable for change in self.changes),
            **({"unmanaged": left} if left else {}),
        }

    def blocked_exits(self) -> set[int]:
        return {code for change in self.changes if change.reason and (code := change.reason.exit_code)}
