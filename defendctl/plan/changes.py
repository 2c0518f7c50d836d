"""The plan: what apply does, and all that the digest covers. What is shown beside it: `review.py`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from defendctl.exits import Exit
from defendctl.plan.direction import INDETERMINATE, NONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.model import Binding, LocalFile, Observed, Workflow
    from defendctl.plan.compare import FieldChange
    from defendctl.plan.direction import Direction
    from defendctl.plan.shapes import Action, OptionsDocument, SummaryDocument

    Files = Mapping[str, LocalFile]
    """What stands in a `file_search` for a file of the repository (its content, or its id) → that file."""

ACTIONS: Final[tuple[Action, ...]] = ("create", "adopt", "update", "replace", "retire", "blocked", "none")

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
class Create:
    """Declared, and neither bound nor remembered."""

    action: ClassVar[Literal["create"]] = "create"
    workflow_id: ClassVar[None] = None
    direction: ClassVar[Direction] = NONE
    observed: ClassVar[None] = None
    binding: ClassVar[None] = None
    unobservable: ClassVar[bool] = False

    address: str
    fields: tuple[FieldChange, ...]
    desired: Workflow
    files: Files = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Adopt:
    """Remembered, or named by `import`: bound (again), and brought to what is declared."""

    action: ClassVar[Literal["adopt"]] = "adopt"

    address: str
    workflow_id: str
    direction: Direction
    fields: tuple[FieldChange, ...]
    desired: Workflow
    observed: Observed
    binding: Binding
    unobservable: bool = False
    files: Files = field(default_factory=dict)
    imported: bool = False
    """Whether its id comes from the manifest's `import:`."""
    was: str | None = None
    """Another address that remembers this workflow, and forgets it when it is adopted here."""


@dataclass(frozen=True, slots=True)
class Update:
    """Bound, live, and not as declared."""

    action: ClassVar[Literal["update"]] = "update"

    address: str
    workflow_id: str
    direction: Direction
    fields: tuple[FieldChange, ...]
    desired: Workflow
    observed: Observed
    binding: Binding
    unobservable: bool = False
    files: Files = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Replace:
    """To be created anew, as the command line says; the old one may be gone."""

    action: ClassVar[Literal["replace"]] = "replace"

    address: str
    workflow_id: str
    """Of the old one."""
    direction: Direction
    fields: tuple[FieldChange, ...]
    desired: Workflow
    observed: Observed | None
    binding: Binding
    unobservable: bool = False
    files: Files = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Retire:
    """Bound, and no longer declared: forgotten here, and live as it was."""

    action: ClassVar[Literal["retire"]] = "retire"
    direction: ClassVar[Direction] = INDETERMINATE
    fields: ClassVar[tuple[FieldChange, ...]] = ()
    desired: ClassVar[None] = None
    observed: ClassVar[None] = None
    unobservable: ClassVar[bool] = False
    files: ClassVar[Files] = {}

    address: str
    workflow_id: str
    binding: Binding


@dataclass(frozen=True, slots=True)
class Block:
    """Left as it is, for a reason; with as much as was known by then."""

    action: ClassVar[Literal["blocked"]] = "blocked"

    address: str
    workflow_id: str | None
    reason: Reason
    direction: Direction = NONE
    fields: tuple[FieldChange, ...] = ()
    desired: Workflow | None = None
    observed: Observed | None = None
    binding: Binding | None = None
    unobservable: bool = False
    files: Files = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Same:
    """As declared, or neither declared nor bound. `fields` are those that no apply would change."""

    action: ClassVar[Literal["none"]] = "none"

    address: str
    workflow_id: str | None = None
    direction: Direction = NONE
    fields: tuple[FieldChange, ...] = ()
    desired: Workflow | None = None
    observed: Observed | None = None
    binding: Binding | None = None
    unobservable: bool = False
    files: Files = field(default_factory=dict)


Write = Create | Adopt | Update | Replace
"""What sends a workflow's fields."""
Work = Write | Retire
"""What apply attempts."""
Change = Work | Block | Same
"""What apply does to one address. What a kind never has is None on its class, so that all can be asked."""


def block(change: Change, reason: Reason) -> Block:
    """With all that is known of it."""
    return Block(
        change.address,
        change.workflow_id,
        reason,
        change.direction,
        change.fields,
        change.desired,
        change.observed,
        change.binding,
        change.unobservable,
        change.files,
    )


def files_to_upload(change: Change) -> tuple[LocalFile, ...]:
    """Before it can be sent."""
    sends = isinstance(change, Write) and any(f.path == "file_search" for f in change.fields)
    return tuple(f for name, f in sorted(change.files.items()) if sends and name == f.content)


def is_drifted(change: Change) -> bool:
    return any(f.origin in ("drift", "conflict") for f in change.fields)


def is_listed(change: Change) -> bool:
    """What is told and left as it is too: a status, or a text that the API did not take as written."""
    return change.action != "none" or bool(change.fields)


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

    def data(self) -> OptionsDocument:
        """What came later is there only where it was chosen."""
        document: OptionsDocument = {"target": list(self.target), "replace": list(self.replace)}
        if self.selector:
            document["selector"] = list(self.selector)
        if self.reassert:
            document["reassert"] = list(self.reassert)
        return document


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
        return [change for change in self.changes if is_listed(change)]

    @property
    def work(self) -> list[Work]:
        return [change for change in self.changes if isinstance(change, Work)]

    @property
    def empty(self) -> bool:
        return not self.moves and all(change.action == "none" for change in self.changes)

    def summary(self) -> SummaryDocument:
        """`unmanaged` only where there are any."""
        actions = Counter(change.action for change in self.changes)
        ways = Counter(change.direction for change in self.changes)
        document: SummaryDocument = {
            "create": actions["create"],
            "adopt": actions["adopt"],
            "update": actions["update"],
            "replace": actions["replace"],
            "retire": actions["retire"],
            "blocked": actions["blocked"],
            "none": actions["none"],
            "drift": sum(is_drifted(change) for change in self.changes),
            "tightens": ways["tightens"],
            "loosens": ways["loosens"],
            "indeterminate": ways["indeterminate"],
            "unobservable": sum(change.unobservable for change in self.changes),
        }
        left = sum(bool(change.desired and change.desired.unmanaged) for change in self.changes)
        if left:
            document["unmanaged"] = left
        return document

    def blocked_exits(self) -> set[int]:
        blocked = (change for change in self.changes if isinstance(change, Block))
        return {code for change in blocked if (code := change.reason.exit_code)}
