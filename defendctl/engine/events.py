"""Reading recent events, in parallel. One workflow whose events cannot be read does not stop the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import ApiError, KeyRefused
from defendctl.engine.refresh import in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from defendctl.api.events import Listing
    from defendctl.engine.protocols import EventSource

_AT_ONCE: Final = 10
"""Answers under way, of eight megabytes at most, whatever the parallelism."""


def read_events(
    source: EventSource,
    ids: Mapping[str, str],
    last: int,
    parallelism: int,
    on_read: Callable[[], None] = lambda: None,
) -> dict[str, Listing | ApiError | None]:
    """Address → its last events, why they cannot be read, or None for a 404. Raises KeyRefused."""

    def read(workflow_id: str) -> Listing | ApiError | None:
        try:
            return source.events(workflow_id, last)
        except KeyRefused:
            raise
        except ApiError as error:
            return error
        finally:
            on_read()

    return in_parallel(read, ids, min(parallelism, _AT_ONCE)) if ids else {}
