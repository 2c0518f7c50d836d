"""What people said of events that were judged: which should have been flagged. Ids, and nothing of content.

One label an event, of its whole verdict, or of one metric where the block says which.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from defendctl.diagnostics import Span

Drawn = Literal["uniform", "flagged", "found"]
"""How the events of a block were chosen: by lot among all, by lot among the flagged, or by somebody."""
Label = Literal["should_be_flagged", "should_pass", "unsure"]

LABELS: Final[tuple[Label, ...]] = ("should_be_flagged", "should_pass", "unsure")
MAX_LABELLED: Final = 10_000
"""Ids in all label files of a project."""
LONGEST_BY: Final = 60


@dataclass(frozen=True, slots=True)
class Window:
    """What a block was drawn from: days or times as they are written, and how many events there were."""

    since: str
    until: str
    events: int


@dataclass(frozen=True, slots=True)
class LabelBlock:
    """One block of a label file. An id stands in one of the three at most."""

    address: str
    drawn: Drawn
    should_be_flagged: tuple[str, ...] = ()
    should_pass: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    metric: str | None = None
    """None: the label is of the whole verdict."""
    by: str | None = None
    window: Window | None = None
    span: Span | None = None
    """Where its `workflow` stands."""

    def ids(self) -> Iterator[tuple[Label, str]]:
        for label in LABELS:
            yield from ((label, event_id) for event_id in getattr(self, label))


@dataclass(frozen=True, slots=True)
class LabelGroup:
    """The labels of one workflow whose events were drawn in one way, of one metric or of the whole verdict.

    The three are disjoint. What two files disagree about is in `unsure`."""

    address: str
    drawn: Drawn
    metric: str | None
    should_be_flagged: frozenset[str]
    should_pass: frozenset[str]
    unsure: frozenset[str]

    @property
    def ids(self) -> frozenset[str]:
        return self.should_be_flagged | self.should_pass | self.unsure


@dataclass(frozen=True, slots=True)
class Hits:
    """So many of so many. No interval where nothing may be said of other events than these."""

    hits: int
    of: int
    interval: tuple[float, float] | None = None
    """Wilson's, 95 %, of hits / of."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One group of labels under the thresholds of one side."""

    drawn: Drawn
    metric: str | None
    caught: Hits
    """Of those that should be flagged, the flagged ones."""
    false_alarms: Hits
    """Of those that should pass, the flagged ones."""
    right: Hits
    """Of the flagged ones that have a label, those that should be."""
    unknown: int
    """Labelled events of which nobody can tell whether they are flagged, for a score is missing."""
    unsure: int
    missing: int
    """Those that the API answers 404 for."""
    unread: int
    """Those that could not be read, or were more than are read; then there are no intervals."""


@dataclass(frozen=True, slots=True)
class LabelCount:
    """How many labels a workflow has, however their events were drawn."""

    should_be_flagged: int
    should_pass: int
    unsure: int
    until: str | None
    """The last day of the newest window that any of them was drawn from, as far as blocks say one."""


def label_groups(blocks: Iterable[LabelBlock], address: str) -> tuple[LabelGroup, ...]:
    """Of one workflow, uniform first, then flagged, then found; each the whole verdict before the metrics."""
    mine = [block for block in blocks if block.address == address]
    said: dict[tuple[str | None, str], set[Label]] = defaultdict(set)
    drawn: dict[tuple[str | None, Drawn], set[str]] = defaultdict(set)
    for block in mine:
        for label, event_id in block.ids():
            said[block.metric, event_id].add(label)
            drawn[block.metric, block.drawn].add(event_id)
    order: tuple[Drawn, ...] = ("uniform", "flagged", "found")
    keys = sorted(drawn, key=lambda key: (order.index(key[1]), key[0] is not None, key[0] or ""))
    return tuple(_group(address, metric, how, drawn[metric, how], said) for metric, how in keys)


def count_labels(blocks: Iterable[LabelBlock], address: str) -> LabelCount | None:
    """What there is of one workflow; None where it has no label."""
    mine = [block for block in blocks if block.address == address]
    groups = label_groups(mine, address)
    bad, good, unsure = (
        len({(one.metric, event_id) for one in groups for event_id in getattr(one, label)})
        for label in LABELS
    )
    days = [one.window.until[: len("2026-11-20")] for one in mine if one.window]
    return LabelCount(bad, good, unsure, max(days, default=None)) if groups else None


def draw_order(seed: str, event_ids: Iterable[str]) -> list[str]:
    """The ids by the SHA-256 of seed and id: the same each time, and by nobody's choice."""
    return sorted(dict.fromkeys(event_ids), key=lambda event_id: _lot(seed, event_id))


def _lot(seed: str, event_id: str) -> str:
    """The zero byte, which no id holds, keeps two pairs from meaning one."""
    return hashlib.sha256(f"{seed}\0{event_id}".encode()).hexdigest()


def _group(
    address: str,
    metric: str | None,
    how: Drawn,
    ids: set[str],
    said: dict[tuple[str | None, str], set[Label]],
) -> LabelGroup:
    agreed = {event_id: _agreed(said[metric, event_id]) for event_id in ids}
    parts = {label: frozenset(i for i, one in agreed.items() if one == label) for label in LABELS}
    return LabelGroup(address, how, metric, **parts)


def _agreed(labels: set[Label]) -> Label:
    return next(iter(labels)) if len(labels) == 1 else "unsure"
