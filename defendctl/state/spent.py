"""What was applied, and by which serial: so that nothing which was reviewed once is applied twice. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from defendctl.model import State

APPLIES: Final = 20
LEAST: Final = 2_000
"""The entries of the newest `APPLIES` applies are kept, and of older ones until there are so many."""


def spend(state: State, what: Iterable[str]) -> None:
    """Note digests and fingerprints under the serial that the run under way will leave."""
    state.spent.update(dict.fromkeys(what, state.serial + 1))


def drop_oldest(state: State) -> None:
    """Bound what is kept. Whoever read the state at or below `spent_floor` can prove nothing any more."""
    count = Counter(state.spent.values())
    kept = 0
    for place, serial in enumerate(sorted(count, reverse=True)):
        if place >= APPLIES and kept >= LEAST:
            state.spent_floor = serial
            state.spent = {what: at for what, at in state.spent.items() if at > serial}
            return
        kept += count[serial]


def spent_since(state: State, what: Iterable[str], serial: int) -> list[str]:
    """Those of `what` that were applied after a plan or review had read `serial`."""
    return [each for each in what if state.spent.get(each, 0) > serial]


def is_ahead(state: State, serial: int) -> bool:
    """Whether no plan or review of this state can have read `serial`; by it nothing would be spent."""
    return serial > state.serial


def is_forgotten(state: State, serial: int) -> bool:
    """Whether a plan that read `serial` is so old that nobody knows any more what was applied since."""
    return serial < state.spent_floor
