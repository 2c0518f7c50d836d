"""What the digest of a plan is made of, in the words of the plan's JSON."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from defendctl.plan.direction import Direction  # noqa: TC001  pydantic looks for it here

Basis = Literal["live", "applied", "unknown"]
Origin = Literal["pending", "drift", "conflict"]
Action = Literal["create", "adopt", "update", "replace", "retire", "blocked", "none"]


class FieldDocument(TypedDict):
    """One difference. `before` is live or what stands in for it (`basis` says which), `after` desired."""

    path: str
    before: Any
    after: Any
    applied: Any
    basis: Basis | None
    origin: Origin | None
    direction: Direction


class DigestedDocument(TypedDict):
    """What apply would do to one address, without the reason, which is for people alone."""

    address: str
    workflow_id: str | None
    action: Action
    direction: Direction
    fields: list[FieldDocument]


class ChangeDocument(TypedDict):
    """What apply would do to one address."""

    address: str
    workflow_id: str | None
    action: Action
    reason: str | None
    direction: Direction
    fields: list[FieldDocument]


class OptionsDocument(TypedDict):
    """What was chosen on the command line and is part of the plan."""

    target: list[str]
    replace: list[str]
    selector: NotRequired[list[str]]
    reassert: NotRequired[list[str]]


class SummaryDocument(TypedDict):
    """Counts of addresses."""

    create: int
    adopt: int
    update: int
    replace: int
    retire: int
    blocked: int
    none: int
    drift: int
    tightens: int
    loosens: int
    indeterminate: int
    unobservable: int
    unmanaged: NotRequired[int]


MoveDocument = TypedDict("MoveDocument", {"from": str, "to": str, "workflow_id": str})
"""A binding that gets another address; nothing is sent for it."""
