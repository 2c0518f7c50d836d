"""Texts that look the same, and what a server may have made of what was written."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defendctl.plan.alike import distinct, remade, rounded

NFC, NFD = "caf\u00e9", "cafe\u0301"
LONG = "x" * 150

REMADE = [
    ("text\n", "text", True),
    ("  text ", "text", True),
    (NFD, NFC, True),
    ("a\r\nb\rc", "a\nb\nc", True),
    (f" {NFD}\r\n", NFC, True),
    ("", "  ", True),
    ("text", "text", False),
    ("text", "Text", False),
    ("a  b", "a b", False),
    ("a\u200bb", "ab", False),
    ("text", None, False),
    (0.5, 0.5, False),
]


@pytest.mark.parametrize(("written", "found", "expected"), REMADE)
def test_a_text_that_a_server_made_of_another(written: Any, found: Any, expected: bool) -> None:
    assert remade(written, found) is expected
    assert remade(found, written) is expected


ROUNDED = [
    (0.855, 0.86, True),
    (0.855, 0.85, True),  # as a float it is below its half
    (0.8555, 0.856, True),
    (0.123456, 0.12346, True),
    (0.855, 0.87, False),
    (0.85, 0.9, False),  # people write such numbers
    (0.86, 0.855, False),
    (0.7, 0.71, False),
    (0.5, 0.5, False),
    (True, 1.0, False),
    ("low", "high", False),
]


@pytest.mark.parametrize(("written", "found", "expected"), ROUNDED)
def test_a_number_of_fewer_decimals(written: Any, found: Any, expected: bool) -> None:
    assert rounded(written, found) is expected


SHOWN: list[tuple[Any, Any, tuple[str, str] | None]] = [
    ("Bot ", "Bot", (r'"Bot\u0020"', '"Bot"')),
    (NFC, NFD, (r'"caf\u00e9"', r'"cafe\u0301"')),
    ("a\r\nb", "a\nb", (r'"a\r\nb"', r'"a\nb"')),
    ("a\u200bb", "ab", (r'"a\u200bb"', '"ab"')),
    ("a\u00a0b", "a b", (r'"a\u00a0b"', r'"a\u0020b"')),
    ("a\x1bb", "ab", (r'"a\u001bb"', '"ab"')),
    ("text", "next", None),
    ("text", None, None),
    (0.5, 0.6, None),
    (LONG + "a", LONG + "b", (f'"…{"x" * 30}a"', f'"…{"x" * 30}b"')),
    (LONG + "a" + LONG, LONG + "b" + LONG, (f'"…{"x" * 30}a{"x" * 59}…"', f'"…{"x" * 30}b{"x" * 59}…"')),
    (LONG + "\n", LONG, (rf'"…{"x" * 30}\n"', f'"…{"x" * 30}"')),
    ("x" * 99 + "a", "x" * 99 + "b", None),
]


@pytest.mark.parametrize(("before", "after", "expected"), SHOWN)
def test_what_differs_is_shown(before: Any, after: Any, expected: tuple[str, str] | None) -> None:
    assert distinct(before, after) == expected


texts = st.text("ae\u00e9\u0301 \u00a0\n\r\u200b\x1b", max_size=150)


@given(texts, texts)
def test_two_texts_that_differ_never_look_the_same(one: str, other: str) -> None:
    shown = distinct(one, other)
    if shown:
        assert shown[0] != shown[1]
        assert all(len(side) < 700 for side in shown)
    elif one != other:
        assert unicodedata.normalize("NFC", one.strip()) != unicodedata.normalize("NFC", other.strip())
    assert (distinct(other, one) is None) == (shown is None)
