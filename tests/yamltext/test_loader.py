"""YAML as editors read it, the place of everything, and files that are not what they should be."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from defendctl.diagnostics import Span
from defendctl.yamltext import source
from defendctl.yamltext.loader import load
from defendctl.yamltext.marks import compose

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.diagnostics import Diagnostic
    from defendctl.yamltext.node import Document


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("loader")


def read(folder: Path, content: str | bytes) -> tuple[list[Document], list[Diagnostic]]:
    file = folder / "x.yaml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return load(file, "x.yaml")


def value(folder: Path, text: str) -> Any:
    documents, diagnostics = read(folder, f"a: {text}\n")
    assert diagnostics == []
    return documents[0].data["a"]


def only(folder: Path, content: str | bytes) -> tuple[str, int | None, int | None]:
    documents, (diagnostic,) = read(folder, content)
    assert documents == []
    assert diagnostic.span
    return diagnostic.code, diagnostic.span.line, diagnostic.span.column


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[(word, None) for word in ("", "~", "null", "Null", "NULL")],
        *[(word, True) for word in ("true", "True", "TRUE")],
        *[(word, False) for word in ("false", "False", "FALSE")],
        *[(word, word) for word in ("yes", "no", "on", "off", "y", "tRUE", "nULL", "1:30", "2026-01-01")],
        *[("010", 10), ("-7", -7), ("+7", 7), ("0o17", 15), ("0x1F", 31), ("-0o7", "-0o7")],
        *[
            ("1_000", "1_000"),
            ("0b11", "0b11"),
            ("1e3", 1000.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("-1.5E-2", -0.015),
        ],
        *[(".inf", float("inf")), ("-.INF", float("-inf")), ("+.Inf", float("inf")), (".", "."), ("-", None)],
        *[("'12'", "12"), ('"true"', "true"), ("''", ""), ("|\n  12\n", "12\n"), ("٣", "٣")],
    ],
)
def test_core_schema(folder: Path, text: str, expected: Any) -> None:
    if text == "-":  # a list with an empty item
        text, expected = "\n- ", [None]
    actual = value(folder, text)
    assert actual == expected
    assert type(actual) is type(expected)


@pytest.mark.parametrize("others", ["", r"\u0000", r"\u0000\u0007\u000b", r"\\ud83d\\ude00 \\", r"\u00e9\n"])
def test_json_with_a_character_in_two_escapes(folder: Path, others: str) -> None:
    """As Python, Java and others write it; all places stay where they are."""
    text = rf'{{"\ud83d\ude00": "x\uD83D\uDE00{others}", "a": {{"b": -}}}}'.replace("-", "1")
    documents, diagnostics = read(folder, text)
    assert diagnostics == []
    assert documents[0].data == json.loads(text)
    assert documents[0].span(("a", "b")).column == text.rindex("1") + 1
    (mark,) = compose(text)
    key, said = mark.pairs[0]
    assert (key.text, said.text) == next(iter(json.loads(text).items()))
    assert json.loads(text[said.start : said.end]) == said.text


@pytest.mark.parametrize(
    "text", [r'"\ud83d"', r'"\ude00\ud83d"', r'"\ud83d\n\ude00"', r'"\ud83d\ude00\u0000\u0007\u000b\u001b"']
)
def test_half_a_character_is_none(folder: Path, text: str) -> None:
    assert only(folder, f'{{"a": {text}}}')[0] == "yaml-syntax"


def test_only_json_is_read_so(folder: Path) -> None:
    """Elsewhere the same letters may be no escape."""
    assert value(folder, r"'\ud83d\ude00'") == r"\ud83d\ude00"


def test_nan(folder: Path) -> None:
    assert value(folder, ".nan") != value(folder, ".nan")


def test_keys_are_text(folder: Path) -> None:
    documents, diagnostics = read(folder, "12: a\ntrue: b\nnull: c\n1.0: d\n'<<': e\n? x\n: f\n")
    assert diagnostics == []
    assert documents[0].data == {"12": "a", "true": "b", "null": "c", "1.0": "d", "<<": "e", "x": "f"}


def test_anchors_on_and_aliases_as_keys(folder: Path) -> None:
    documents, diagnostics = read(folder, "&k 12: a\nb: *k\nc: &t text\n*t : d\n")
    assert diagnostics == []
    assert documents[0].data == {"12": "a", "b": 12, "c": "text", "text": "d"}


def test_places(folder: Path) -> None:
    text = "\ufeffa:\n  b: [1, {c: 2}]\n  grün: 'x'\n"
    (document,), _ = read(folder, text)
    assert document.span(()) == Span("x.yaml", 1, 1)
    assert document.span(("a", "b")) == Span("x.yaml", 2, 6)
    assert document.span(("a", "b"), key=True) == Span("x.yaml", 2, 3)
    assert document.span(("a", "b", 1, "c")) == Span("x.yaml", 2, 14)
    assert document.span(("a", "b", 1, "c"), key=True) == Span("x.yaml", 2, 11)
    assert document.span(("a", "grün")) == Span("x.yaml", 3, 9)
    assert document.span(("a", "b", 7, "z")) == Span("x.yaml", 2, 6), "the nearest value around it"
    assert document.span(("a", "z"), key=True) == Span("x.yaml", 2, 3)


def test_places_through_aliases_and_merges(folder: Path) -> None:
    (document,), _ = read(folder, "x: &x\n  a: 1\ny: *x\nz: {<<: *x, b: 2}\n")
    assert document.data == {"x": {"a": 1}, "y": {"a": 1}, "z": {"b": 2, "a": 1}}
    assert document.span(("y",)) == Span("x.yaml", 3, 4)
    assert document.span(("y", "a")) == Span("x.yaml", 2, 6)
    assert document.span(("z", "a"), key=True) == Span("x.yaml", 2, 3)
    assert document.span(("z", "b")) == Span("x.yaml", 4, 16)


def test_merge_precedence(folder: Path) -> None:
    text = "a: &a {p: 1, q: 1}\nb: &b {q: 2, r: 2}\nc: {<<: [*a, *b], p: 3}\nd: {p: 4, <<: {p: 5, s: 5}}\n"
    (document,), diagnostics = read(folder, text)
    assert diagnostics == []
    assert document.data["c"] == {"p": 3, "q": 1, "r": 2}
    assert document.data["d"] == {"p": 4, "s": 5}


def test_anchors_end_with_their_document(folder: Path) -> None:
    _, (diagnostic,) = read(folder, "a: &x 1\n---\nb: *x\n")
    assert diagnostic.code == "yaml-undefined-alias"


def test_every_duplicate_is_told(folder: Path) -> None:
    documents, diagnostics = read(folder, "a: 1\nb: {c: 1, c: 2}\na: 2\na: 3\n")
    assert [(d.code, d.span) for d in diagnostics] == [
        ("duplicate-key", Span("x.yaml", 2, 11)),
        ("duplicate-key", Span("x.yaml", 3, 1)),
        ("duplicate-key", Span("x.yaml", 4, 1)),
    ]
    assert documents[0].data == {"a": 1, "b": {"c": 1}}
    assert "line 1" in diagnostics[2].message


@pytest.mark.parametrize("bracket", ["[", "{a: ", "- ", "? ", "[{? "])
def test_nesting_without_end(folder: Path, bracket: str) -> None:
    assert only(folder, bracket * 200_000)[0] == "yaml-too-deep"


def test_a_hundred_levels_are_fine(folder: Path) -> None:
    assert read(folder, "[" * 100 + "]" * 100)[1] == []


@pytest.mark.parametrize(
    "text",
    [
        "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30)),
        "a0: &a {x: 1}\n"
        + "".join(f"a{i}: &b{i} {{p: *a, q: *a}}\n" for i in range(1, 2))
        + "".join(f"c{i}: &b{i} [*b{i - 1}, *b{i - 1}]\n" for i in range(2, 50)),
        "a: &a [" + "x, " * 1000 + "]\nb:\n" + "- *a\n" * 1000,
        "{<<: " * 90 + "{" + ", ".join(f"k{i}: 1" for i in range(5000)) + "}" * 91,
    ],
)
def test_alias_bombs(folder: Path, text: str) -> None:
    began = time.process_time()
    assert only(folder, text)[0] == "yaml-alias-bomb"
    assert time.process_time() - began < 5


def test_many_honest_aliases(folder: Path) -> None:
    text = "x: &x {a: 1, b: 2, c: [3]}\n" + "".join(f"k{i}: {{<<: *x}}\n" for i in range(10_000))
    (document,), diagnostics = read(folder, text)
    assert diagnostics == []
    assert document.data["k9999"] == {"a": 1, "b": 2, "c": [3]}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a: b\n\xff", ("invalid-utf8", 2, 1)),
        (b"\xef\xbb\xbfa: \xc3", ("invalid-utf8", 1, 4)),
        ("a: ü\n".encode("utf-16"), ("invalid-utf8", 1, 1)),
        ("a: ü\r\nb: \0".encode(), ("invalid-character", 2, 4)),
        (b"a: b\rb: \x1b", ("invalid-character", 2, 4)),
        (b"\xef\xbb\xbf\xef\xbb\xbfa: b", ("invalid-character", 1, 1)),
        ("a: b\n# \u2028x: 1".encode(), ("invalid-character", 2, 3)),
        (b"\xed\xa0\x80", ("invalid-utf8", 1, 1)),
        (b'a: "\\UFFFFFFFF"', ("yaml-syntax", 1, 7)),
        (b"%YAML 3.0\n---\na: b", ("yaml-syntax", 1, 1)),
        (b"a: 1\n---\nb: [\n", ("yaml-syntax", 4, 1)),
    ],
)
def test_text_that_is_none(folder: Path, content: bytes, expected: tuple[str, int, int]) -> None:
    assert only(folder, content) == expected


def test_numbers_without_end(folder: Path) -> None:
    for number in ("9" * 5000, "0x" + "f" * 5000, "1." + "0" * 5000):
        _, (diagnostic,) = read(folder, f"a: {number}\n")
        assert (diagnostic.code, diagnostic.span) == ("yaml-number", Span("x.yaml", 1, 4))


def test_empty_documents(folder: Path) -> None:
    for text in ("", "\n", "# nothing\n", "---\n", "---\n---\n...\n", "\ufeff"):
        assert read(folder, text) == ([], [])
    documents, _ = read(folder, "---\n---\na: 1\n---\nnull\n---\n''\n")
    assert [document.data for document in documents] == [{"a": 1}, None, ""]


def test_a_file_too_large_is_not_read_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_BYTES", 10)
    assert read(folder, "a: 3456789")[1] == []
    assert only(folder, "a: 34567890") == ("file-too-large", None, None)


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "device").symlink_to("/dev/zero")
    codes = {
        name: load(tmp_path / name, name)[1][0].code
        for name in ("fifo", ".", "device", "none", "loop", "a\0b")
    }
    assert codes == {
        "fifo": "not-a-regular-file",
        ".": "not-a-regular-file",
        "device": "not-a-regular-file",
        "none": "not-found",
        "loop": "unreadable",
        "a\0b": "unreadable",
    }


def test_problems_without_end_are_cut(folder: Path) -> None:
    began = time.process_time()
    _, diagnostics = read(folder, "a: 1\n" * 1_000_000)
    assert len(diagnostics) == 1001
    assert diagnostics[-1].code == "too-many-problems"
    assert time.process_time() - began < 5


WORDS = ["a", "b: ", "0x", "1e5", ".nan", "~", "&x ", "*x", "<<: ", "!t ", "---\n", "...\n", "\n", "  "]
TOKENS = [*WORDS, *"-?:,[]{}#%@'\"|>\\ \t\r\0é\u2028\ufeff"]


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.lists(st.sampled_from(TOKENS), max_size=40).map("".join) | st.text())
@example('"\\UFFFFFFFF"')
def test_any_text(folder: Path, text: str) -> None:
    _, diagnostics = read(folder, text.encode("utf-8", "surrogatepass"))
    lines = text.count("\n") + text.count("\r") + 1
    assert all(
        d.span and 1 <= (d.span.line or 1) <= lines + 1 and (d.span.column or 1) >= 1 for d in diagnostics
    )
    assert all(d.message.isprintable() for d in diagnostics)


@settings(derandomize=True, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(folder: Path, content: bytes) -> None:
    read(folder, content)
