"""Text from outside reaches a terminal as text, whatever it holds."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defendctl.render.inert import inert, value

ACTING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}
EVERY = [chr(code) for code in range(sys.maxunicode + 1)]
CATEGORIES = sorted({unicodedata.category(c) for c in EVERY})


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_character_of_a_category(category: str) -> None:
    characters = [c for c in EVERY if unicodedata.category(c) == category]
    for c in characters[:2000] + characters[-2000:]:
        shown = inert(f"a{c}b")
        if category in ACTING and c != " ":
            assert shown.isascii()
            assert shown.isprintable()
            assert shown.startswith("a\\")
        else:
            assert shown == f"a{c}b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Support bot", "Support bot"),
        ("Bücher 🤖 日本", "Bücher 🤖 日本"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b31m", "\\x9b31m"),
        ("a\nb\r", "a\\x0ab\\x0d"),
        ("\u202egnp", "\\u202egnp"),
        ("\u2066x", "\\u2066x"),
        ("\u200bx", "\\u200bx"),
        ("\u2028", "\\u2028"),
        ("\ud83d", "\\ud83d"),
        ("\U000e0041", "\\U000e0041"),
        ("##[stop-commands]x", "#\\x23[stop-commands]x"),
        ("##vso[task.setvariable]x", "#\\x23vso[task.setvariable]x"),
        ("## heading", "## heading"),
        ("::error::x", "\\x3a:error::x"),
        ("  ::set-output name=a::b", "  \\x3a:set-output name=a::b"),
        ("a::b", "a::b"),
    ],
)
def test_inert(text: str, shown: str) -> None:
    assert inert(text) == shown


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (None, "(none)"),
        ("none", '"none"'),
        ("", '""'),
        ('say "no"\n', '"say \\"no\\"\\n"'),
        (True, "true"),
        (0.85, "0.85"),
        (10, "10"),
        ((), "[]"),
        (("file_1", "\x1b"), '["file_1", "\\u001b"]'),
    ],
)
def test_value(data: object, shown: str) -> None:
    assert value(data) == shown


@settings(derandomize=True, deadline=None)
@given(st.text(st.characters(), max_size=20))
def test_nothing_acts(text: str) -> None:
    for shown in (inert(text), value(text)):
        assert not {unicodedata.category(c) for c in shown if c != " "} & ACTING
        assert "\n" not in shown
