"""Reading what is live, and recent events, in parallel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from defendctl.api.patience import NotTried
from defendctl.diagnostics import ApiError, KeyRefused
from defendctl.engine.parallel import in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from defendctl.api.detail import Recent
    from defendctl.engine.protocols import EventReader, EventSource, Reader
    from defendctl.event import Event
    from defendctl.model import Observed
    from defendctl.plan.build import Live

T = TypeVar("T")
_EVENTS_AT_ONCE: Final = 10
"""Answers under way, of eight megabytes at most, whatever the parallelism."""


def refresh(
    remote: Reader, ids: Mapping[str, str], parallelism: int, on_read: Callable[[], None] = lambda: None
) -> Live:
    """Address → answer for each id. Raises KeyRefused, or one ApiError that tells all failures."""

    answers = in_parallel(_each(remote.read, on_read), ids, parallelism)
    _raise(answers)
    return {a: answer for a, answer in answers.items() if not isinstance(answer, ApiError)}


def read_events(
    source: EventSource,
    ids: Mapping[str, str],
    last: int,
    parallelism: int,
    on_read: Callable[[], None] = lambda: None,
) -> dict[str, Recent | ApiError | None]:
    """Address → its last events, why they cannot be read, or None for a 404: one whose events cannot be read
    does not stop the others. Raises KeyRefused."""
    read = _each(lambda workflow_id: source.recent(workflow_id, last, content=False), on_read)
    return in_parallel(read, ids, min(parallelism, _EVENTS_AT_ONCE))


def read_each_event(
    source: EventReader,
    workflow_ids: Mapping[str, str],
    parallelism: int,
    on_read: Callable[[], None] = lambda: None,
) -> dict[str, Event | ApiError | None]:
    """Event id → the event, why it cannot be read, or None for a 404; `workflow_ids` says of which workflow
    each is. Raises KeyRefused."""
    read = _each(lambda event_id: source.event(workflow_ids[event_id], event_id, content=False), on_read)
    return in_parallel(
        read, {event_id: event_id for event_id in workflow_ids}, min(parallelism, _EVENTS_AT_ONCE)
    )


def _each(read: Callable[[str], T], on_read: Callable[[], None]) -> Callable[[str], T | ApiError]:
    """The same, with the error for an answer; only a key that is refused stops all."""

    def told(workflow_id: str) -> T | ApiError:
        try:
            return read(workflow_id)
        except KeyRefused:
            raise
        except ApiError as error:
            return error
        finally:
            on_read()

    return told


def _raise(answers: Mapping[str, Observed | ApiError | None]) -> None:
    """What failed is shown, and what was not tried because of it is counted."""
    failures = {a: answer for a, answer in answers.items() if isinstance(answer, ApiError)}
    if not failures:
        return
    tried = {a: error for a, error in failures.items() if not isinstance(error, NotTried)} or failures
    shown = [f"{address}: {error.message}" for address, error in list(tried.items())[:5]]
    more, untried = len(tried) - len(shown), len(failures) - len(tried)
    rest = [f"and {more} more"] if more else []
    rest += [f"not tried: {untried} more"] if untried else []
    raise ApiError("\n".join([*shown, *rest]))
