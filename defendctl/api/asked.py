"""How long an answer asks to wait: Retry-After and the RateLimit headers, by the server's own clock. Pure.

A date means what it is later than the answer's `Date`, whatever the clock of this machine says. RateLimit
headers have no one form: read are the fields that begin with `RateLimit-` or `X-RateLimit-`, and both forms
of one field `RateLimit` in drafts of the IETF (`limit=…, remaining=…, reset=…` and `"name";r=…;t=…`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LONGEST: Final = 1e9
"""Seconds. A larger number, in the place of a wait, is a time since 1970."""
_PARAMETER: Final = re.compile(r"(?:^|[;,\s])(r|t|remaining|reset)\s*=\s*([0-9.]+)")
_PREFIXES: Final = ("ratelimit-", "x-ratelimit-", "x-rate-limit-")


def asked_wait(status: int, headers: Mapping[str, str]) -> float | None:
    """Seconds until another request may be sent; None where the answer does not say it.

    Of an answer that is no refusal, only whether nothing is left until a limit is reset.
    """
    asked = _retry_after(headers) if status == 429 or status >= 500 else None
    if asked is None:
        asked = _reset(headers, refused=status == 429)
    return None if asked is None else min(asked, LONGEST)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = _number(text)
    return seconds if seconds is not None else _from_now(_moment(text), headers)


def _reset(headers: Mapping[str, str], *, refused: bool) -> float | None:
    limits = [(left, reset) for left, reset in _limits(headers) if reset is not None]
    used_up = [reset for left, reset in limits if left == 0]
    others = [reset for _, reset in limits] if refused else []
    return max(used_up or others, default=None)


def _limits(headers: Mapping[str, str]) -> Iterator[tuple[float | None, float | None]]:
    """Each limit: what is left of it, and in how many seconds it is reset."""
    for prefix in _PREFIXES:
        if f"{prefix}reset" in headers:
            reset = _relative(_number(headers[f"{prefix}reset"]), headers)
            yield _number(headers.get(f"{prefix}remaining")), reset
    text = headers.get("ratelimit")
    if text is None:
        return
    for item in [text] if "reset" in text else text.split(","):
        found = {name[0] if name != "reset" else "t": value for name, value in _PARAMETER.findall(item)}
        yield _number(found.get("r")), _number(found.get("t"))


def _relative(number: float | None, headers: Mapping[str, str]) -> float | None:
    """Seconds, or a time since 1970 in seconds or milliseconds."""
    if number is None or number < LONGEST:
        return number
    return _from_now(number / 1000 if number >= 1000 * LONGEST else number, headers)


def _from_now(moment: float | None, headers: Mapping[str, str]) -> float | None:
    now = _moment(headers.get("date"))
    return max(0.0, moment - now) if moment is not None and now is not None else None


def _moment(text: str | None) -> float | None:
    """Seconds since 1970 of a date in HTTP, which is one of Greenwich."""
    from email.utils import mktime_tz, parsedate_tz  # for answers that ask to wait

    date = parsedate_tz(text or "")
    try:
        return float(mktime_tz((*date[:9], date[9] or 0))) if date else None
    except (ValueError, OverflowError):
        return None


def _number(text: str | None) -> float | None:
    """Not negative; may be infinite."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if number >= 0 else None
