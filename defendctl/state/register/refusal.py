"""What came back when a store did not do what it was asked: as a value, and in words for a message. Pure.

The text of a store is foreign: of it the code and the sentence are quoted, made harmless, without addresses,
without what this run opens the store with, and without anything that is long enough to be a key, a token or a
signature.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from defendctl.hosts import hide_secrets
from defendctl.yamltext.quote import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_OBJECT: Final = {"NoSuchKey", "BlobNotFound"}
NO_BUCKET: Final = {"NoSuchBucket", "ContainerNotFound"}
WRONG_REGION: Final = {"PermanentRedirect", "AuthorizationHeaderMalformed"}
WRONG_KEY: Final = {
    *("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "RequestTimeTooSkewed"),
    *("AuthenticationFailed", "AuthorizationFailure", "InvalidAuthenticationInfo"),
}
"""Codes of S3 (Google's XML API has the same) and of Azure, from their lists of errors."""

_ASKED: Final = re.compile(r"Error performing [A-Z]+ (\S+)")
_STATUS: Final = re.compile(r"(?:status code|\(code): (\d{3})\b[^:]*:?(.*)", re.DOTALL)
_CODE: Final = re.compile(r"<Code>(\w{1,60})</Code>")
_SENTENCE: Final = re.compile(r"<Message>([^<\n]*)")
_KIND: Final = re.compile(r"HttpError \{\s+kind: (\w+)")
_KINDS: Final = {"Connect": "no connection could be made", "Timeout": "no answer came in time"}
_LINK: Final = re.compile(r"\w+://\S+")
_LONG: Final = re.compile(r"\S{24,}")
"""No word of a sentence; keys, tokens and signatures are."""
_LONGEST: Final = 200
_PASSING: Final = {408, 409, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Refusal:
    url: str
    """What was asked: an object, or a service that gives credentials; empty if nothing was. Never printed."""
    status: int | None
    """None where nothing was answered."""
    code: str
    """The store's word, like NoSuchKey."""
    text: str

    @property
    def is_passing(self) -> bool:
        """Whether the same request may fare better in a moment; it may have been done, too."""
        return bool(self.url) and (self.status is None or self.status in _PASSING)


def refusal_in(error: Exception, secrets: Sequence[str] = ()) -> Refusal:
    """`error` as obstore raises it: a sentence, perhaps with the store's answer, and then Rust's values.

    None of `secrets` is in its text.
    """
    said, _, values = str(error).partition("\n\nDebug source")
    asked, status = _ASKED.search(said), _STATUS.search(said)
    url = asked[1] if asked else ""
    if status:
        code, sentence = _answered(status[2])
        told = (status[1], hide_secrets(code, secrets), _harmless(sentence, secrets))
        return Refusal(url, int(status[1]), code, ": ".join(filter(None, told)))
    if "redirect without LOCATION" in said:  # S3's 301, of which obstore tells no more
        return Refusal(url, 301, "", "301")
    kind = _KIND.search(values)
    why = _KINDS.get(kind[1], "the connection broke") if kind else _harmless(said, secrets)
    return Refusal(url, None, "", why)


def _answered(body: str) -> tuple[str, str]:
    """The code, and a sentence of the store; of what is no answer of a store, how it begins."""
    code, sentence = _CODE.search(body), _SENTENCE.search(body)
    return code[1] if code else "", sentence[1] if sentence else "" if code else body


def _harmless(text: str, secrets: Sequence[str]) -> str:
    flat = " ".join(_LONG.sub("…", hide_secrets(_LINK.sub("…", text), secrets)).split())
    return printable(flat if len(flat) <= _LONGEST else f"{flat[:_LONGEST]}…")
