"""Which of the last events are shown: by time, by nametag, by flag."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from defendctl.event import Evaluation, Event

_DAY = "2026-11-01"


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What an event must be to be shown; None and False ask nothing."""

    since: datetime | None = None
    until: datetime | None = None
    nametag: str | None = None
    flagged: bool = False

    @property
    def everything(self) -> bool:
        return self == EventFilter()


def wanted(since: str | None, until: str | None, nametag: str | None, flagged: bool) -> EventFilter:
    """Of the options of the command line; a day means all of it. Raises Usage for what is no time."""
    return EventFilter(
        _time("--since", since, time.min) if since else None,
        _time("--until", until, time.max) if until else None,
        nametag,
        flagged,
    )


def chosen(events: Iterable[Event], asks: EventFilter, content: bool) -> Iterator[Event]:
    """Those that are wanted, without what they say unless `content`. One without a time is in no window."""
    for event in events:
        if _is_wanted(event, asks):
            yield event if content else without_content(event)


def without_content(event: Event) -> Event:
    evaluations = tuple(replace(one, content=None) for one in event.evaluations)
    return replace(event, content=None, evaluations=evaluations)


def time_of_event(event: Event) -> datetime | None:
    """None where none is told, or what is told is no time."""
    try:
        at = datetime.fromisoformat(event.at) if event.at else None
    except ValueError:
        return None
    return _in_utc(at) if at else None


def _is_wanted(event: Event, asks: EventFilter) -> bool:
    if asks.flagged and not event.flagged:
        return False
    if asks.nametag is not None and asks.nametag not in _nametags(event.evaluations):
        return False
    if asks.since is None and asks.until is None:
        return True
    at = time_of_event(event)
    return at is not None and (asks.since or at) <= at <= (asks.until or at)


def _nametags(evaluations: Iterable[Evaluation]) -> list[Any]:
    return [one.content.get("nametag") for one in evaluations if one.content]


def _time(option: str, text: str, of_day: time) -> datetime:
    try:
        if len(text) == len(_DAY):
            return datetime.combine(datetime.fromisoformat(text), of_day, UTC)
        return _in_utc(datetime.fromisoformat(text))
    except ValueError:
        raise Usage(f"{option} takes a day like {_DAY}, or a time like {_DAY}T08:30:00Z (UTC)") from None


def _in_utc(at: datetime) -> datetime:
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
