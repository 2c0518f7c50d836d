"""What is open about the API (docs/api.md 6) and what the reads of one run settle for one server. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from defendctl.event import moment
from defendctl.inspection.checkup import Question
from defendctl.model import LEVELS, METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Seen:
    """What one answer to a GET looks like. Of an event only times, numbers and how many there are."""

    status: int
    error: str | None = None
    """The form of an answer that is no workflow, in our words."""
    limits: tuple[str, ...] = ()
    """The headers about rates that came with it."""
    workflow_id: str | None = None
    name: str | None = None
    evidence: str | None = None
    readable: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    """The keys that the API is known to have, in any generation."""
    unknown: tuple[str, ...] = ()
    state: str | None = None
    """The word under `status`, if it is one that is known."""
    changed: str | None = None
    type: str | None = None
    metrics: Mapping[str, float | str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    """Those that are on and that no manifest can speak of."""
    attempts: float | None = None
    events: int | None = None
    event_at: str | None = None
    """When the newest event that has ended was evaluated last."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Metric → the threshold that the newest event was judged by."""


@dataclass(frozen=True, slots=True)
class Answers:
    """`reads` are workflows that were found, `absent` is for an id that cannot exist, `zero` for limit=0."""

    reads: tuple[Seen, ...] = ()
    absent: Seen | None = None
    zero: Seen | None = None

    @property
    def all(self) -> tuple[Seen, ...]:
        return (*self.reads, *(seen for seen in (self.absent, self.zero) if seen))


def questions(answers: Answers) -> tuple[Question, ...]:
    """Every open question, with its answer where there is one."""
    return tuple(Question(id, text, settle(answers), why) for id, text, settle, why in _OPEN)


def _never(answers: Answers) -> str | None:
    return None


def _attempts(answers: Answers) -> str | None:
    if not answers.reads:
        return None
    told = sum(seen.attempts is not None for seen in answers.reads)
    if not told:
        return "No: no workflow that was read has it."
    return f"Yes: {told} of {len(answers.reads)} workflows that were read have it."


def _moves(answers: Answers) -> str | None:
    pairs = [(seen.changed, seen.event_at) for seen in answers.reads if seen.changed and seen.event_at]
    later = [at for changed, at in pairs if moment(at) > moment(changed)]
    return "No: an event was evaluated after the `updated_at` of its workflow." if later else None


def _unique(answers: Answers) -> str | None:
    names = Counter(seen.name for seen in answers.reads if seen.name)
    return "No: two workflows that were read have one name." if any(n > 1 for n in names.values()) else None


def _no_attempts(answers: Answers) -> str | None:
    none = any(seen.attempts == 0 for seen in answers.reads)
    return "Yes: a workflow that was read has 0." if none else None


def _zero(answers: Answers) -> str | None:
    if answers.zero is None:
        return None
    if answers.zero.status != 200:
        return f"No: it answers {answers.zero.status}."
    listed = answers.zero.events
    return f"Yes, but {listed} events are listed." if listed else "Yes, and no event is listed."


def _errors(answers: Answers) -> str | None:
    absent = answers.absent
    return f"A {absent.status} holds {absent.error}." if absent and absent.error else None


def _rates(answers: Answers) -> str | None:
    told = sorted({name for seen in answers.all for name in seen.limits})
    if told:
        return f"Answers announce them in {', '.join(told)}."
    return f"None of {len(answers.all)} answers announces one." if answers.all else None


def _levels(answers: Answers) -> str | None:
    """An automatic threshold moves as events come in, so this is what they are now."""
    seen: dict[str, set[float]] = {}
    for read in answers.reads:
        for metric, level in read.metrics.items():
            if level in LEVELS and metric in read.thresholds:
                seen.setdefault(str(level), set()).add(read.thresholds[metric])
    shown = [
        f"{level}: {', '.join(f'{n:g}' for n in sorted(seen[level]))}" for level in LEVELS if level in seen
    ]
    return f"Newest events were judged by {'; '.join(shown)}." if shown else None


def _correctness(answers: Answers) -> str | None:
    there = any(seen.type == "automatic" and "correctness" in seen.metrics for seen in answers.reads)
    return "Yes: an automatic workflow that was read has it." if there else None


def _own_metrics(answers: Answers) -> str | None:
    own = sorted({name for seen in answers.reads for name in seen.metrics if name not in METRICS})
    return f"Like these, which were read: {', '.join(own[:5])}." if own else None


def _inactive(answers: Answers) -> str | None:
    words = sorted({seen.state for seen in answers.reads if seen.state not in (None, "active")} - {None})
    return f"A workflow that is off has the status {' and '.join(map(str, words))}." if words else None


_WRITE: Final = "only a write could show it"
_UNSEEN: Final = "nothing that was read shows it"
_Row = tuple[str, str, "Callable[[Answers], str | None]", str]
_OPEN: Final[tuple[_Row, ...]] = (
    ("attempts-readable", "Does a read return the attempts limit?", _attempts, _UNSEEN),
    ("updated-at-moves", "Does `updated_at` move when events are evaluated?", _moves, _UNSEEN),
    ("limit-zero", "Does a read take `limit=0`?", _zero, _UNSEEN),
    ("error-form", "What do errors look like?", _errors, _UNSEEN),
    ("rate-limits", "Are there rate limits?", _rates, _UNSEEN),
    ("inactive", "Which status does a workflow have that was switched off?", _inactive, _UNSEEN),
    ("unique-names", "Are names unique?", _unique, "no two workflows that were read have one name"),
    ("zero-attempts", "Is 0 a legal attempts limit?", _no_attempts, _UNSEEN),
    ("levels", "Which numbers stand behind low, medium and high?", _levels, _UNSEEN),
    ("correctness", "Is correctness accepted in automatic workflows?", _correctness, _UNSEEN),
    ("own-metrics", "How are an organization's own metrics named?", _own_metrics, _UNSEEN),
    ("maps", "Does an update merge or replace the maps, and keep what is left out?", _never, _WRITE),
    ("old-bodies", "Are request bodies of older generations accepted?", _never, _WRITE),
    ("created-status", "With which status does a create succeed?", _never, _WRITE),
    ("modified-at", "Is an update's `modified_at` the next read's `updated_at`?", _never, _WRITE),
    ("lengths", "How long may names and descriptions be?", _never, _WRITE),
    ("inactive-update", "Can a workflow that is off be updated?", _never, _WRITE),
    ("uploads", "Which form does an upload of files take?", _never, _WRITE),
    ("strict-end", "Which end of a tolerance is the strict one?", _never, "no answer shows it"),
)
