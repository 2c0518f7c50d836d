"""What the engine needs of the API and of the state; tests and backends may bring their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from defendctl.api.detail import Recent
    from defendctl.api.outcome import Outcome, Submitted
    from defendctl.event import Event
    from defendctl.model import Fields, Observed, State
    from defendctl.state.group import Pending
    from defendctl.state.records import Record


class Reader(Protocol):
    def read(self, workflow_id: str) -> Observed | None:
        """None for a 404. Raises ApiError."""


class Remote(Reader, Protocol):
    def create(self, values: Fields, before_send: Callable[[], None]) -> Outcome:
        """Send one POST at most once. `before_send` runs when the connection stands."""

    def update(self, workflow_id: str, values: Fields) -> None:
        """Safe to repeat. Raises ApiError."""

    def pause(self, seconds: float) -> None:
        """Hold every request back. Raises Interrupted when the run is told to stop."""


class Files(Protocol):
    def upload(self, name: str, content: bytes) -> str:
        """The id of the file. Safe to repeat. Raises ApiError."""


class EventSource(Protocol):
    def recent(self, workflow_id: str, last: int, content: bool) -> Recent | None:
        """None for a 404. Raises ApiError."""


class EventReader(Protocol):
    def event(self, workflow_id: str, event_id: str, content: bool) -> Event | None:
        """None for a 404. Raises ApiError."""


class Evaluator(Protocol):
    """What evaluates an event, and is paid for it."""

    def submit(self, workflow_id: str, body: dict[str, Any], before_send: Callable[[], None]) -> Submitted:
        """Send one POST at most once. `before_send` runs when the connection stands."""

    def event(self, workflow_id: str, event_id: str, content: bool) -> Event | None:
        """None for a 404. Raises ApiError."""

    def pause(self, seconds: float) -> None:
        """Hold every request back. Raises Interrupted when the run is told to stop."""

    def rest(self, seconds: float) -> None:
        """Wait alone. Raises Interrupted when the run is told to stop."""


class Memory(Protocol):
    state: State

    @property
    def send_limit(self) -> float:
        """Seconds that may pass between an intent and its request: whoever took longer was paused, and may
        have been given up."""

    def record(self, record: Record) -> float:
        """Durable when it returns; gives when its write began, by `boottime`.

        Raises OSError or Precondition; then it did not happen.
        """

    def record_soon(self, record: Record) -> Pending:
        """Durable when that was waited for. Records are written in the order of these calls."""

    def claim(self, workflow_id: str) -> bool:
        """Take a new id for this run; False if it is bound, remembered or taken already."""

    def note(self, *noted: Record) -> None:
        """Durable when the run ends."""
