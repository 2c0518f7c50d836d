"""How long a server asks to wait, in every form that is known, by its own clock."""

from __future__ import annotations

import httpx
import pytest

from defendctl.api.asked import asked_wait

DATE = "Tue, 01 Jul 2036 10:00:00 GMT"
EPOCH = 2098519200
"""The same, in seconds since 1970: a year that no machine of ours is in, so that no clock of ours counts."""


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "50"}, 50),
        ({"Retry-After": " 50 "}, 50),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "999999999999"}, 1e9),
        ({"Retry-After": "Tue, 01 Jul 2036 10:02:00 GMT", "Date": DATE}, 120),
        ({"Retry-After": "Tue, 01 Jul 2036 09:59:00 GMT", "Date": DATE}, 0),
        ({"Retry-After": "Tue, 01 Jul 2036 12:00:30 +0200", "Date": DATE}, 30),
        ({"Retry-After": "Tuesday, 01-Jul-36 10:00:30 GMT", "Date": DATE}, 30),
        ({"Retry-After": "Tue Jul  1 10:00:30 2036", "Date": DATE}, 30),
        ({"Retry-After": "Tue, 01 Jul 2036 10:02:00 GMT"}, None),
        ({"Retry-After": "Tue, 01 Jul 2036 10:02:00 GMT", "Date": "soon"}, None),
        ({"Retry-After": "Tue, 01 Foo 2036 10:02:00 GMT", "Date": DATE}, None),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, 1e9),
        ({"Retry-After": "1e3"}, 1000),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After-Ms": "1500", "Retry-After": "9"}, 1.5),
        ({"Retry-After-Ms": "x", "Retry-After": "9"}, 9),
        ({"Retry-After": "9", "RateLimit-Reset": "50"}, 9),
        ({"Retry-After": "soon", "RateLimit-Reset": "50"}, 50),
    ],
    ids=str,
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait(429, httpx.Headers(headers)) == seconds


LIMITS: list[tuple[dict[str, str], float | None]] = [
    ({"RateLimit-Limit": "100", "RateLimit-Remaining": "0", "RateLimit-Reset": "50"}, 50),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "50"}, 50),
    ({"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "50"}, 50),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(EPOCH + 50), "Date": DATE}, 50),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{EPOCH + 50}000", "Date": DATE}, 50),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(EPOCH - 50), "Date": DATE}, 0),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(EPOCH + 50)}, None),
    ({"RateLimit": "limit=100, remaining=0, reset=50"}, 50),
    ({"RateLimit": '"default";r=0;t=50'}, 50),
    ({"RateLimit": '"burst";r=9;t=3, "day";r=0;t=50'}, 50),
    ({"RateLimit": '"burst";r=0;t=3, "day";r=0;t=50', "RateLimit-Policy": '"day";q=9;w=86400'}, 50),
    ({"RateLimit": '"default"; r=0; t=50'}, 50),
    ({"RateLimit": '"default";r=0'}, None),
    ({"RateLimit-Remaining": "0"}, None),
    ({"RateLimit-Remaining": "0", "RateLimit-Reset": "soon"}, None),
    ({"RateLimit-Remaining": "0", "RateLimit-Reset": "inf", "Date": DATE}, 1e9),
    ({"RateLimit": "nonsense"}, None),
]


@pytest.mark.parametrize(("headers", "seconds"), LIMITS, ids=str)
@pytest.mark.parametrize("status", [200, 404, 429, 503])
def test_limits_of_which_nothing_is_left(headers: dict[str, str], seconds: float | None, status: int) -> None:
    assert asked_wait(status, httpx.Headers(headers)) == seconds


@pytest.mark.parametrize(
    "headers",
    [
        {"RateLimit-Remaining": "7", "RateLimit-Reset": "50"},
        {"RateLimit-Reset": "50"},
        {"X-RateLimit-Reset": "50"},
        {"RateLimit": "limit=100, remaining=7, reset=50"},
        {"RateLimit": '"default";r=7;t=50'},
        {"RateLimit": '"default";t=50'},
    ],
    ids=str,
)
def test_limits_of_which_something_is_left_count_in_a_refusal_alone(headers: dict[str, str]) -> None:
    assert asked_wait(429, httpx.Headers(headers)) == 50
    assert asked_wait(200, httpx.Headers(headers)) is None
    assert asked_wait(503, httpx.Headers(headers)) is None


def test_whom_retry_after_concerns() -> None:
    headers = httpx.Headers({"retry-after": "50"})
    assert [asked_wait(status, headers) for status in (429, 500, 503)] == [50, 50, 50]
    assert [asked_wait(status, headers) for status in (200, 202, 301, 404, 422)] == [None] * 5
