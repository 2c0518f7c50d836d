"""The endpoints defendctl uses, in canonical words."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote

from defendctl.api.answer import Answer, NotSent, TooLarge, Unanswered
from defendctl.api.decode import observe
from defendctl.api.dialects.dialect import encode
from defendctl.api.explain import Private, explain, own_words
from defendctl.api.mask import texts
from defendctl.api.outcome import (
    Outcome,
    Refused,
    Submitted,
    Unknown,
    Unsent,
    classify,
    classify_event,
    json_object,
    too_many_values,
)
from defendctl.api.patience import RETRIED, Patience
from defendctl.api.transport import Transport
from defendctl.diagnostics import ApiError, KeyRefused
from defendctl.model import usable_file_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from defendctl.api.detail import Recent
    from defendctl.api.dialects.dialect import Dialect
    from defendctl.event import Event
    from defendctl.inspection.questions import Seen
    from defendctl.model import Fields, Observed

T = TypeVar("T")
READ_SECONDS: Final = 20.0
WRITE_SECONDS: Final = 60.0
_LARGE: Final = 1 << 20
"""Bytes of an uploaded file that are compared with what an answer says. Of a larger one its own words are not
shown, for they might quote it."""
_REFUSES_LIMIT: Final = (400, 422)
_LIMITS: Final = (100, 50, 10)
"""What is asked for where more is refused: no page says what the API takes, and 10 is its own default."""
_NO_OBJECT: Final = "the API answered with something that is not a JSON object"


@dataclass(frozen=True, slots=True)
class _Fewer:
    """Why so many events cannot be read at once, and how many are asked for next; 0 for no more tries."""

    why: str
    most: int


class DefendApi:
    """One API host with one key. Safe to use from many threads."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        seconds: float | None = None,
        log: Callable[[str], None] | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Raises DefendctlError for a setting of the network that cannot be honoured."""
        self._private, self._of_events = Private(key), Private(key, None)
        self._transport = Transport(base_url, key)
        self._read_seconds = seconds or READ_SECONDS
        self._write_seconds = seconds or WRITE_SECONDS
        self._log = log or (lambda line: None)
        self.patience = patience or Patience()
        self._parsing = threading.Lock()
        self.evidence: set[str] = set()
        """The generations that the answers so far point to."""

    def read(self, workflow_id: str) -> Observed | None:
        """None for a 404. Raises KeyRefused or ApiError."""
        what = f"reading {workflow_id}"
        answer = self._ask("GET", what, workflow_id, self._private, params={"limit": 1})
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise ApiError(f"{what}: {explain(answer, self._private)}")
        with self._parsing:
            observed = _observed(answer.body)
        del answer  # an error keeps its frame, and twenty of eight megabytes are many
        if isinstance(observed, str):
            raise ApiError(f"{what}: {observed}")
        if observed.evidence:
            self.evidence.add(observed.evidence)
        return observed

    def recent(self, workflow_id: str, last: int, content: bool) -> Recent | None:
        """Its last events, with what they say if `content`; fewer are asked for while the answer is too
        large, or so many are refused. None for a 404. Raises KeyRefused or ApiError."""
        what, asked = f"reading events of {workflow_id}", last
        while isinstance(found := self._listing(what, workflow_id, asked, content), _Fewer):
            if found.most == 0:
                raise ApiError(f"{what}: {found.why}")
            asked = found.most
        return found

    def event(self, workflow_id: str, event_id: str, content: bool) -> Event | None:
        """One event. None for a 404. Raises KeyRefused or ApiError."""
        what = f"reading event {event_id}"
        answer = self._ask("GET", what, workflow_id, self._of_events, below=_event_path(event_id))
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise ApiError(f"{what}: {explain(answer, self._of_events)}")
        with self._parsing:
            found = _detail(answer.body, event_id, content)
        del answer
        if isinstance(found, str):
            raise ApiError(f"{what}: {found}")
        return found

    def submit(self, workflow_id: str, body: dict[str, Any], before_send: Callable[[], None]) -> Submitted:
        """One POST of an event, sent at most once, over a connection of its own."""
        answer = self._post(f"{_path(workflow_id)}/events", "submitting", body, before_send)
        if not isinstance(answer, Answer):
            return answer
        return self._heeding(classify_event(answer, lambda: explain(answer, self._of_events)), answer)

    def examine(self, workflow_id: str, limit: int) -> Seen:
        """What the answer looks like, whatever it is. Raises KeyRefused or ApiError."""
        from defendctl.api.examine import examined

        answer = self._ask(
            "GET", f"examining {workflow_id}", workflow_id, self._private, params={"limit": limit}
        )
        with self._parsing:
            return examined(answer.status, answer.headers, answer.body)

    def speaking(self, dialect: Dialect) -> Speaking:
        """The same API, written to in the words of one of its generations."""
        return Speaking(self, dialect)

    def _listing(self, what: str, workflow_id: str, asked: int, content: bool) -> Recent | _Fewer | None:
        try:
            answer = self._ask("GET", what, workflow_id, self._of_events, TooLarge, params={"limit": asked})
        except TooLarge as error:
            return _half(asked, str(error))
        if answer.status == 404:
            return None
        if answer.status in _REFUSES_LIMIT:
            return _Fewer(explain(answer, self._of_events), max((n for n in _LIMITS if n < asked), default=0))
        if answer.status != 200:
            raise ApiError(f"{what}: {explain(answer, self._of_events)}")
        with self._parsing:
            found = _listed(answer.body, asked, content)
        del answer
        if found is None:
            raise ApiError(f"{what}: {_NO_OBJECT}")
        return found

    def _post(
        self, path: str, what: str, body: dict[str, Any], before_send: Callable[[], None]
    ) -> Answer | Unsent | Unknown:
        try:
            self.patience.wait_turn(what)
            answer = self._send("POST", path, self._write_seconds, json=body, before_send=before_send)
        except ApiError as error:
            return Unsent(error.message, again=False)
        except NotSent as error:
            self.patience.failed()
            if not error.again:
                self.patience.give_up(str(error))
            return Unsent(str(error), error.again)
        except Unanswered as error:
            return Unknown(str(error))
        return answer

    def _heeding(self, outcome: T, answer: Answer) -> T | Refused:
        """A 429 was refused, and says when to come again. After any answer others may have to wait."""
        if answer.status not in RETRIED:
            self.patience.succeeded(answer)
            return outcome
        wait = self.patience.heed(answer, 1)
        if isinstance(outcome, Refused) and answer.status == 429:
            return Refused(429, outcome.why, wait)
        return outcome

    def _holding(self, body: object) -> Private:
        """What a message about this body must not quote."""
        return Private(self._private.key, tuple(texts(body)))

    def pause(self, seconds: float) -> None:
        """Hold every request back. Raises Interrupted when the run is told to stop."""
        self.patience.hold_back(seconds)
        self.patience.pause(seconds)

    def rest(self, seconds: float) -> None:
        """Wait alone. Raises Interrupted when the run is told to stop."""
        self.patience.pause(seconds)

    def stop(self) -> None:
        """Start nothing that waits, and give what is under way five seconds."""
        self.patience.stop()
        self._transport.hurry(5.0)

    def close(self) -> None:
        self._transport.close()

    def _ask(
        self,
        method: str,
        what: str,
        workflow_id: str,
        private: Private,
        final: type[Unanswered] | tuple[()] = (),
        below: str = "",
        **request: object,
    ) -> Answer:
        path = _path(workflow_id) + below
        seconds = self._read_seconds if method == "GET" else self._write_seconds
        return self._accepted(what, lambda: self._send(method, path, seconds, **request), private, final)

    def _accepted(
        self,
        what: str,
        send: Callable[[], Answer],
        private: Private,
        final: type[Unanswered] | tuple[()] = (),
    ) -> Answer:
        """Any answer but one that refuses the key."""
        answer = self.patience.ask(what, send, lambda answer: explain(answer, private), final)
        if answer.status in (401, 403):
            raise KeyRefused(f"{what}: the API refused the key ({answer.status}){own_words(answer, private)}")
        return answer

    def _send(self, method: str, path: str, seconds: float, **request: object) -> Answer:
        try:
            answer = self._transport.send(method, path, seconds=seconds, **request)  # type: ignore[arg-type]
        except (NotSent, Unanswered) as error:
            self._log(f"{method} {path}: {error}")
            raise
        self._log(f"{method} {path}: {answer.status}")
        return answer


class Speaking:
    """What is written goes out in the words of one generation; what is read is understood in any."""

    def __init__(self, api: DefendApi, dialect: Dialect) -> None:
        self.dialect = dialect
        self.read, self.pause = api.read, api.pause
        self._api = api

    def create(self, values: Fields, before_send: Callable[[], None]) -> Outcome:
        """One POST, sent at most once, over a connection of its own."""
        body = encode(self.dialect, values, self.dialect.support.create)
        answer = self._api._post("/defend", "creating", body, before_send)
        if not isinstance(answer, Answer):
            return answer
        outcome = classify(answer, lambda: explain(answer, self._api._holding(body)))
        return self._api._heeding(outcome, answer)

    def update(self, workflow_id: str, values: Fields) -> None:
        """PUT; safe to repeat, and repeated. Raises KeyRefused or ApiError."""
        body = encode(self.dialect, values, self.dialect.support.update)
        what = f"updating {workflow_id}"
        private = self._api._holding(body)
        answer = self._api._ask("PUT", what, workflow_id, private, json=body)
        if not 200 <= answer.status < 300:
            raise ApiError(f"{what}: {explain(answer, private)}")

    def upload(self, name: str, content: bytes) -> str:
        """One file → its id. Sent again when an answer is lost: a file that no workflow names does nothing.

        Raises KeyRefused or ApiError."""
        part, what = self.dialect.file_part, f"uploading {name}"
        private = self._api._holding([name, content.decode(errors="replace")])
        if len(content) > _LARGE:
            private = self._api._of_events

        def send() -> Answer:
            return self._api._send(
                "POST", "/files/upload", self._api._write_seconds, file=(part, name, content)
            )

        answer = self._api._accepted(what, send, private)
        if not 200 <= answer.status < 300:
            raise ApiError(f"{what}: {explain(answer, private)}")
        file_id = (json_object(answer.body) or {}).get("file_id")
        if not usable_file_id(file_id):
            raise ApiError(f"{what}: the API answered {answer.status} without a usable file_id")
        return str(file_id)


def _path(workflow_id: str) -> str:
    return f"/defend/{quote(workflow_id, safe='')}"


def _event_path(event_id: str) -> str:
    return f"/events/{quote(event_id, safe='')}"


def _detail(body: bytes, event_id: str, content: bool) -> Event | str:
    """What was read, or why it is nothing; holds none of the answer when it has returned."""
    from defendctl.api.detail import detail

    data = json_object(body)
    if data is None:
        return _NO_OBJECT
    if data.get("event_id") != event_id:
        return "the API answered with another event"
    try:
        return detail(data, content)
    except ValueError as error:
        return str(error)


def _observed(body: bytes) -> Observed | str:
    """What was read, or why it is nothing; holds none of the answer when it has returned."""
    data = json_object(body)
    if data is None:
        return _NO_OBJECT
    try:
        return observe(data)
    except ValueError as error:
        return str(error)


def _half(asked: int, why: str) -> _Fewer:
    return _Fewer(why, asked // 2) if asked > 1 else _Fewer(f"{why}, though only one event was asked for", 0)


def _listed(body: bytes, asked: int, content: bool) -> Recent | _Fewer | None:
    """None for what is no object; holds none of the answer when it has returned."""
    from defendctl.api.detail import recent

    if too_many_values(body):
        return _half(asked, "the answer holds more values than defendctl reads")
    data = json_object(body)
    try:
        return None if data is None else recent(data, asked, content)
    except ValueError as error:
        return _half(asked, str(error))
