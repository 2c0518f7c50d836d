"""What becomes of one request: an answer, or one of two ways to have none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class NotSent(Exception):
    """No byte of the request left: DNS, refused, TLS, proxy. `again`: another try may end otherwise."""

    def __init__(self, why: str, *, again: bool = True) -> None:
        super().__init__(why)
        self.again = again


class Unanswered(Exception):
    """The request left, or part of it, and there is no answer that can be used."""


class TooLarge(Unanswered):
    """The answer is larger than is read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The names of `headers` are in small letters; what stands twice is one text, with commas."""

    status: int
    headers: Mapping[str, str]
    body: bytes
