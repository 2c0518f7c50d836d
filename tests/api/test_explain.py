"""What is shown of the API's own words, and what of them never is."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defendctl.api.answer import Answer
from defendctl.api.explain import LONGEST, Private, explain
from defendctl.api.mask import KEY_PART, TEXT_PART, mask, texts
from tests.conftest import KEY

SENT = ("Support bot", "Answers questions about invoices and refunds", "fixit", "0.85", "file_8c1d22")


def shown(body: Any, sent: tuple[str, ...] | None = SENT, status: int = 422) -> str:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return explain(Answer(status, httpx.Headers(), raw), Private(KEY, sent))


ONE = {"loc": ["body", "name"], "msg": "String should have at most 100 characters", "type": "string_too_long"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"detail": "Names must be unique"}, "Names must be unique"),
        ({"detail": [ONE]}, "name: String should have at most 100 characters"),
        ({"detail": [{**ONE, "input": "planted", "ctx": {"x": "planted"}, "url": "planted"}]},
         "name: String should have at most 100 characters"),
        ({"detail": [{"loc": ["body", "metrics", "completeness"], "msg": "Too big"}]},
         "metrics.completeness: Too big"),
        ({"detail": [{"loc": ["body", "file_search", 3], "msg": "Unknown"}]}, "file_search.3: Unknown"),
        ({"detail": [{"loc": ["query", "limit"], "msg": "Too big"}]}, "query.limit: Too big"),
        ({"detail": [{"loc": ["body", "name"], "type": "missing"}]}, "name is missing"),
        ({"detail": [{"loc": ["body", "name"], "type": "odd"}]}, "name was refused"),
        ({"detail": [{"msg": "Too big"}]}, "Too big"),
        ({"detail": [ONE, ONE]}, "name: String should have at most 100 characters"),
        ({"detail": {"message": "Not now"}}, "Not now"),
        ({"detail": {"error": {"message": "Not now"}}}, "Not now"),
        ({"message": "Not now"}, "Not now"),
        ({"success": False, "data": None, "message": "Not now"}, "Not now"),
        ({"error": "Not now"}, "Not now"),
        ({"error": {"code": 7, "message": "Not now"}}, "Not now"),
        ({"errors": [{"message": "Not now"}, {"message": "Never"}]}, "Not now; Never"),
        ({"detail": "first", "message": "second"}, "first"),
        ({"detail": "", "message": "second"}, "second"),
        ({"detail": None, "error": "second"}, "second"),
        ({"detail": [f"e{n}" for n in range(9)]}, "e0; e1; e2; e3; e4; and more"),
        ({"detail": "two\nlines\x1b[31m \u202e\u2028\x00tail"}, "two lines [31m tail"),
        ({"detail": 5}, ""),
        ({"detail": [3, None, {"msg": 4}]}, ""),
        ({"detail": [[[[["deep"]]]]]}, ""),
        ({"input": "planted", "ctx": "planted", "prompt": "planted"}, ""),
        (["planted"], ""),
        ("planted", ""),
        (b"<h1>planted</h1>", ""),
        (b"", ""),
    ],
)  # fmt: skip
def test_its_own_words(body: Any, words: str) -> None:
    assert shown(body) == "the API answered 422" + (f": {words}" if words else "")


@pytest.mark.parametrize("status", [400, 404, 405, 409, 413, 418, 422, 431, 499])
def test_every_4xx_speaks(status: int) -> None:
    assert shown({"detail": "Not now"}, status=status) == f"the API answered {status}: Not now"


@pytest.mark.parametrize("status", [200, 204, 500, 502, 503])
def test_nothing_else_does(status: int) -> None:
    assert shown({"detail": "planted"}, status=status) == f"the API answered {status}"
    assert "planted" not in shown({"detail": "planted"}, status=302)


def test_a_wait_is_told_before_the_words() -> None:
    answer = Answer(429, httpx.Headers({"Retry-After": "119.2"}), b'{"detail": "Slow down"}')
    assert explain(answer, Private(KEY)) == "the API answered 429 and asks to wait 120 s: Slow down"


def test_no_more_than_300_characters() -> None:
    words = shown({"detail": "wordy " * 2000}).removeprefix("the API answered 422: ")
    assert len(words) == LONGEST
    assert words.endswith("…")
    assert shown({"detail": "x" * LONGEST}).endswith("x")


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (f"No key {KEY}", "No key […]"),
        (f"No key {KEY.upper()}!", "No key […]!"),
        (f"No key {KEY[:8]}***", "No key […]***"),
        (f"No key ***{KEY[-9:]}", "No key ***_[…]"),
        ("No Support bot", "No […]"),
        ("No SUPPORT-BOT, no support bots", "No […], no support bots"),
        ("No 'fixit'; fix it", "No '[…]'; […]"),
        ("At most 0.85", "At most […]"),
        ("At most 10.855", "At most 10.855"),
        ("No file_8c1d22", "No […]"),
        ("Answers questions about inv...", "[…]..."),
        ('about "invoices" _and', "[…]"),
        ("String should have at least 1 character", "String should have at least 1 character"),
        ("See https://files.example/x.pdf?signature=planted now", "See […] now"),
        ("See s3://bucket/x?signature=planted", "See […]"),
        ("Ünïcode: ŞUPPORT ßot", "Ünïcode: ŞUPPORT ßot"),
    ],
)
def test_what_was_sent_is_not_quoted(words: str, left: str) -> None:
    assert shown({"detail": words}) == f"the API answered 422: {left}"
    if "://" not in words:
        error = {"loc": ["body", words], "msg": words}
        assert shown({"detail": [error]}) == f"the API answered 422: {left}: {left}"


def test_a_secret_is_gone_before_the_words_are_cut() -> None:
    words = shown({"detail": "x" * (LONGEST - 5) + " " + KEY})
    assert KEY[:4] not in words


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ("planted", ""),
        ([{"loc": ["body", "model_input", "user_prompt"], "msg": "planted", "type": "missing"}],
         ": model_input.user_prompt is missing"),
        ([{"loc": ["body", "planted", 3], "type": "missing"}], ""),
        ([{"loc": ["body", "planted", "run_mode"], "type": "planted"}], ": run_mode was refused"),
        ([{"loc": ["run_mode"], "type": ["planted"]}, {"loc": "run_mode"}, 3], ": run_mode was refused"),
        ([{"loc": [n], "type": "missing"} for n in ("name", "type", "files", "file", "context", "nametag")],
         ": name is missing; type is missing; files is missing; file is missing; context is missing"
         "; and more"),
    ],
)  # fmt: skip
def test_of_an_event_our_words_alone(detail: Any, words: str) -> None:
    body = {"detail": detail, "message": "planted", "error": "planted"}
    assert shown(body, None) == f"the API answered 422{words}"


def test_what_a_body_holds() -> None:
    body = {
        "name": "n",
        "metrics": {"completeness": 0.85, "x": 1},
        "files": ["f", None],
        "flag": True,
        "n": 4711,
    }
    assert list(texts(body)) == ["n", "0.85", "f", "4711"]


WORDS = st.text(st.characters(codec="utf-8"), max_size=60)


@given(WORDS, WORDS, st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=40))
def test_no_part_of_a_key_is_left(before: str, after: str, key: str) -> None:
    left = mask(f"{before} {key} {after}", key, ())
    flat, secret = _letters(left), _letters(key)
    for start in range(len(secret) - KEY_PART + 1):
        assert secret[start : start + KEY_PART] not in flat or len(secret) < KEY_PART


@given(WORDS, WORDS, st.text("abcdefgh 019", min_size=TEXT_PART, max_size=60))
def test_no_longer_part_of_a_text_is_left(before: str, after: str, sent: str) -> None:
    left = mask(f"{before}{sent}{after}", KEY, [sent])
    flat, secret = _letters(left), _letters(sent)
    for start in range(len(secret) - TEXT_PART + 1):
        assert secret[start : start + TEXT_PART] not in flat


@given(WORDS)
def test_where_nothing_is_secret_nothing_changes(text: str) -> None:
    if "://" not in text:
        assert mask(text, "", ("", " - ")) == text


def _letters(text: str) -> str:
    return "".join(c.lower()[0] for c in text if c.isalnum())


def test_no_words_of_an_api_command_a_ci_runner() -> None:
    assert shown({"detail": "##[error]x ###vso[task.y]"}) == (
        "the API answered 422: # #[error]x # # #vso[task.y]"
    )
