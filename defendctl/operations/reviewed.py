"""apply --reviewed: what a plan does, held against what people saw of it, one change at a time.

A digest covers a plan as a whole, so that what another pull request adds, or half of it that is done already,
makes another one of it. What must not be applied unseen
is a change: each has a fingerprint, and each is looked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from defendctl.command import command, shell_word
from defendctl.diagnostics import Precondition
from defendctl.operations.planfile import read_plan
from defendctl.plan.digest import digest
from defendctl.plan.direction import TIGHTENS
from defendctl.plan.fingerprints import MOVE
from defendctl.render.plural import count
from defendctl.render.words import consent, path, sides
from defendctl.state.spent import is_ahead, is_forgotten, spent_since

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from defendctl.model import State
    from defendctl.plan.changes import Plan
    from defendctl.plan.fingerprints import Fingerprint
    from defendctl.review import Review

_NAMED: Final = 50
"""So many of what is not covered are named."""
_OPTIONS: Final = {"target": "--target", "replace": "--replace", "selector": "-l", "reassert": "--reassert"}


@dataclass(frozen=True, slots=True)
class SeenPlan:
    """What one review showed, of a plan that was made from the state with this serial."""

    serial: int
    fingerprints: frozenset[str]
    digest: str | None = None
    """Where that alone was kept, because there were too many changes: this very plan is covered."""


@dataclass(frozen=True, slots=True)
class Uncovered:
    """One thing that the plan does and that no review covers; `text` says it to people, without controls."""

    fingerprint: Fingerprint
    text: str
    direction: str


class NotReviewed(Precondition):
    """Something would be applied that nobody saw; all of it."""

    def __init__(self, found: Sequence[Uncovered], plan: Plan) -> None:
        more = [f"  and {len(found) - _NAMED} more"] if len(found) > _NAMED else []
        lines = [f"  {one.text}" for one in found[:_NAMED]]
        named = "\n".join([f"not reviewed: {count(len(found), 'change')} of this plan", *lines, *more])
        super().__init__(named, ways_out(plan))
        self.found = tuple(found)
        self.consent = consent(plan)


def ways_out(plan: Plan) -> str:
    """The two ends that this may have."""
    chosen = ((option, value) for name, option in _OPTIONS.items() for value in getattr(plan.options, name))
    options = "".join(f" {option} {shell_word(value)}" for option, value in chosen)
    exactly = command("apply --expect {}", consent(plan)) + options
    return (
        "take back what nobody saw (an edit in the console, a change of the manifests) and run this again; "
        f"or have this very plan looked at, and then: {exactly}"
    )


def read_reviews(files: Iterable[Path]) -> tuple[SeenPlan, ...]:
    """What each plan file shows. Raises DefendctlError for what is none, Precondition for a newer format."""
    return tuple(seen_in(read_plan(file)) for file in files)


def seen_in(document: dict[str, Any]) -> SeenPlan:
    """Of a plan document; one from before there were fingerprints covers nothing."""
    told = document.get("fingerprints", [])
    return SeenPlan(document["serial"], frozenset(one["fingerprint"] for one in told))


def uncovered(review: Review, reviews: Sequence[SeenPlan], state: State) -> list[Uncovered]:
    """All that apply would do and that no review covers, in the order of the plan."""
    if any(_covers_all(one, review.plan, state) for one in reviews):
        return []
    return [
        _uncovered(one, review.plan, why)
        for one in review.fingerprints
        if (why := _why_not(one.value, reviews, state)) is not None
    ]


def _covers_all(one: SeenPlan, plan: Plan, state: State) -> bool:
    if one.digest is None or one.digest != digest(plan):
        return False
    if is_ahead(state, one.serial) or is_forgotten(state, one.serial):
        return False
    return not spent_since(state, [one.digest], one.serial)


def _why_not(value: str, reviews: Sequence[SeenPlan], state: State) -> str | None:
    """None where one of them covers it; what is applied once needs to be seen anew."""
    showing = [one for one in reviews if value in one.fingerprints]
    if not showing:
        return ""
    past = [one.serial for one in showing if not is_ahead(state, one.serial)]
    if not past:
        return f"; its review names a serial above {state.serial}, which the state has not reached"
    newest = max(past)
    if is_forgotten(state, newest):
        return "; it was reviewed so long ago that nobody knows whether it was applied since"
    if spent_since(state, [value], newest):
        return "; it was reviewed, applied, and taken back since"
    return None


def _uncovered(one: Fingerprint, plan: Plan, why: str) -> Uncovered:
    if one.action == MOVE:
        old = next(move.old for move in plan.moves if move.new == one.address)
        return Uncovered(one, f"{old} -> {one.address}: renamed{why}", "none")
    change = next(change for change in plan.work if change.address == one.address)
    if one.field is None:
        return Uncovered(one, f"{one.address}: {one.action}{why}", change.direction)
    field = next(field for field in change.fields if field.path == one.field)
    told: list[str] = [field.origin] if field.origin in ("drift", "conflict") else []
    told += [field.direction] if field.direction != "none" else []
    how = f" ({', '.join(told)})" if told else ""
    text = f"{one.address}: {path(field.path)} {' -> '.join(sides(field))}{how}{why}"
    return Uncovered(one, text, field.direction)


def refuse_unreviewed(
    review: Review, reviews: Sequence[SeenPlan], state: State, *, tightening: bool = False
) -> None:
    """Raises Precondition where not each change was seen, or where there is no state to see it of.

    With `tightening`, what nobody saw may be done if all of it tightens.
    """
    if review.plan.lineage is None:
        raise Precondition(
            "there is no state yet, so no review can speak of it",
            f"begin one (`{command('apply --new-state')}`), then plan again, and have that reviewed",
        )
    found = uncovered(review, reviews, state)
    if found and not (tightening and all(one.direction == TIGHTENS for one in found)):
        raise NotReviewed(found, review.plan)
