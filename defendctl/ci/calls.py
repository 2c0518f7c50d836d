"""Requests to a forge: bounded, never redirected, four tries, and its token in no message.

A forge gets a transport of its own: its token never goes to the guardrail API, and the API's key never here.
"""

from __future__ import annotations

import json as json_
from typing import TYPE_CHECKING, Any, Final

from defendctl.api.answer import Answer, Unanswered
from defendctl.api.mask import mask
from defendctl.api.patience import Patience
from defendctl.api.transport import Transport
from defendctl.ci.forge import ForgeError, NotAllowed
from defendctl.diagnostics import ApiError
from defendctl.hosts import api_host
from defendctl.project.url import base_url_problem
from defendctl.render.inert import inert

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECONDS: Final = 30.0
PAGE: Final = 100
MOST_PAGES: Final = 30
_SAID: Final = 300
_HIDDEN: Final = frozenset({401, 403, 404, 410})
_NOT_TAKEN: Final = frozenset({413, 422})


class NoCertainty(ForgeError):
    """The request left, and nobody knows what became of it."""


class NotTaken(ForgeError):
    """The forge refuses what was sent, mostly for its length."""


class Calls:
    """One forge and one token."""

    def __init__(self, forge: str, url: str, token: str, patience: Patience | None = None) -> None:
        problem = base_url_problem(url)
        if problem:
            raise ForgeError(f"the address of {forge} {problem}")
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise ForgeError(f"the token for {forge} holds characters that no token has")
        self._forge, self._token, self._host = forge, token, api_host(url)
        self._transport = Transport(url, token)
        self._patience = patience or Patience()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        return self._json(self._ask("GET", path, params=dict(params or {})))

    def pages(self, path: str, params: Mapping[str, Any], within: str | None = None) -> Iterator[Any]:
        """Each item of a list that comes in pages, or of the list at the key `within` of each page."""
        for page in range(1, MOST_PAGES + 1):
            told = self.get(path, {**params, "per_page": PAGE, "page": page})
            items = told.get(within) if within and isinstance(told, dict) else told
            if not isinstance(items, list):
                raise self._unusable(path)
            yield from items
            if len(items) < PAGE:
                return
        raise ForgeError(f"{self._forge}: {path} has more than {MOST_PAGES * PAGE:,} entries")

    def change(self, method: str, path: str, content: Mapping[str, Any]) -> Any:
        """What may be sent twice without harm."""
        return self._json(self._ask(method, path, json=dict(content)))

    def add(self, path: str, content: Mapping[str, Any]) -> Any:
        """What may not: sent once. Raises NoCertainty where its answer was lost."""
        try:
            return self._json(self._ask("POST", path, json=dict(content), once=True))
        except Unanswered as error:
            raise NoCertainty(self._told(f"POST {path}: {error}")) from None

    def _ask(self, method: str, path: str, *, once: bool = False, **more: Any) -> Answer:
        def send() -> Answer:
            answer = self._transport.send(method, path, seconds=SECONDS, **more)
            answer = _as_limit(answer)
            if once and answer.status >= 500:
                raise Unanswered(f"it answers {answer.status}")
            return answer

        try:
            what = f"{self._forge} ({self._host}): {method} {path}"
            answer = self._patience.ask(what, send, self._explain, Unanswered if once else ())
        except ApiError as error:
            raise ForgeError(self._told(error.message)) from None
        if answer.status >= 300:
            raise self._refused(method, path, answer)
        return answer

    def _refused(self, method: str, path: str, answer: Answer) -> ForgeError:
        kinds = {**dict.fromkeys(_HIDDEN, NotAllowed), **dict.fromkeys(_NOT_TAKEN, NotTaken)}
        kind = kinds.get(answer.status, ForgeError)
        return kind(self._told(f"{self._forge} ({self._host}): {method} {path}: {self._explain(answer)}"))

    def _explain(self, answer: Answer) -> str:
        if 300 <= answer.status < 400:
            return f"it answers {answer.status}, a redirect, and defendctl follows none"
        try:
            told = json_.loads(answer.body)
        except (ValueError, RecursionError):
            told = None
        said = part(told, "message") or part(told, "error")  # GitLab has both, and either may be a tree
        words = said if isinstance(said, str) else json_.dumps(said, ensure_ascii=False) if said else ""
        return f"it answers {answer.status}" + (f": {words[:_SAID]}" if words else "")

    def _told(self, text: str) -> str:
        return inert(mask(text, self._token, ()))

    def _json(self, answer: Answer) -> Any:
        try:
            return json_.loads(answer.body) if answer.body else None
        except (ValueError, RecursionError):
            raise ForgeError(f"{self._forge} ({self._host}): its answer is not JSON") from None

    def _unusable(self, path: str) -> ForgeError:
        return ForgeError(f"{self._forge} ({self._host}): GET {path}: its answer has an unknown form")


def _as_limit(answer: Answer) -> Answer:
    """GitHub refuses who asks too much with 403 too: then it says how long to wait."""
    headers = answer.headers
    limited = "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    return Answer(429, headers, answer.body) if answer.status == 403 and limited else answer


def part(value: Any, *path: str | int) -> Any:
    """What stands there in an answer; None where the way does not lead on."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def text(value: Any, *path: str | int) -> str | None:
    found = part(value, *path)
    return found if isinstance(found, str) else None
