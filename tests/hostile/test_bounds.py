"""Every bad input ends within five seconds and 300 MiB; ten thousand workflows in one file still pass."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.hostile.measured import Measured, measure

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 8 * 1024 * 1024 - 1000
HEAD = "version: 1\nworkflows:\n"
BODY = "{type: custom, improvement_action: none, metrics: "
SMALL = "  w%d: {type: custom, metrics: {completeness: 0.5, correctness: 0.5}, improvement_action: fixit}\n"
WHOLE = """  w%d:
    name: Name of it
    description: d
    type: custom
    metrics:
      correctness: 0.5
      completeness: 0.5
      instruction_adherence: 0.5
      context_adherence: 0.5
      ground_truth_adherence: 0.5
      comprehensive_safety: 0.5
    improvement_action: fixit
    max_retries: 5
    web_search: true
    context_awareness: false
    file_search: [a, b]
"""
SECONDS = 15
"""Five on a machine of its own; a test shares its cores, and what is quadratic takes minutes."""


def many(unit: str, head: str = "", tail: str = "", size: int = SIZE) -> str:
    """Eight megabytes of `unit`, in which `%d` counts."""
    parts, left, count = [head], size - len(head) - len(tail), 0
    while left > 0:
        parts.append(unit % count if "%d" in unit else unit)
        left, count = left - len(parts[-1]), count + 1
    return "".join([*parts[:-1], tail])


BOMBS = {
    "unknown keys": lambda: many("k%d: 1\n", HEAD),
    "unknown keys of a workflow": lambda: many("    k%d: 1\n", HEAD + "  a:\n"),
    "workflows that are numbers": lambda: many("  a%d: 1\n", HEAD),
    "workflows that are empty": lambda: many("  a%d: {}\n", HEAD),
    "metrics": lambda: many("m%d: x, ", HEAD + "  a: " + BODY + "{", "}}"),
    "files": lambda: many("1,", HEAD + "  a: {file_search: [", "], type: custom}\n"),
    "tiny documents": lambda: many("---\na\n"),
    "tinier documents": lambda: many("--- 1\n"),
    "empty documents": lambda: many("---\n"),
    "documents of nothing": lambda: many("--- {}\n"),
    "empty lists": lambda: many("[],", "[", "]"),
    "empty mappings": lambda: many("{},", "[", "]"),
    "nested lists": lambda: many("[" * 90 + "]" * 90 + ",", "[", "]"),
    "nested mappings": lambda: many("{a: {b: {c: }}},", "[", "]"),
    "anchors": lambda: many("- &a%d x\n"),
    "aliases": lambda: many("- *a\n", "- &a x\n"),
    "aliases of nothing": lambda: many("- *a%d\n"),
    "merges": lambda: many("*a,", "a: &a {b: c}\nd:\n  <<: [", "]"),
    "one text": lambda: HEAD + "  a: " + "x" * SIZE,
    "one key": lambda: HEAD + "  " + "x" * SIZE + ": 1",
    "tags": lambda: many("- !!x a\n"),
    "texts": lambda: many("a,", "[", "]"),
    "the same key": lambda: many("a: 1\n"),
    "extension keys": lambda: many("x-%d: 1\n", "version: 1\nworkflows: {}\n"),
    "deep": lambda: "[" * SIZE,
    "numbers": lambda: many("- 1e%d\n"),
    "a number": lambda: "version: " + "9" * SIZE,
    "too large": lambda: "#" * (SIZE + 2000),
}
QUICK = ("aliases", "tags", "deep", "one text", "a number", "too large")
NAMES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in BOMBS]


def validate(folder: Path, text: str) -> Measured:
    (folder / "workflows").mkdir()
    (folder / "workflows" / "all.yaml").write_text(text)
    return measure(folder, "validate")


@pytest.mark.parametrize("name", NAMES)
def test_bomb(tmp_path: Path, name: str) -> None:
    ran = validate(tmp_path, BOMBS[name]())
    assert ran.code == 1
    assert len(ran.out) < 500_000
    ran.assert_bounded(SECONDS)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("".join([HEAD, *(WHOLE % n for n in range(2_000))]), id="2000"),
        pytest.param(
            "".join([HEAD, *(WHOLE % n for n in range(10_000))]), id="10000", marks=pytest.mark.slow
        ),
        pytest.param(
            "".join("---\n" + HEAD + SMALL % n for n in range(15_000)), id="documents", marks=pytest.mark.slow
        ),
    ],
)
def test_many_workflows_pass(tmp_path: Path, text: str) -> None:
    ran = validate(tmp_path, text)
    assert ran.code == 0, ran.out
    ran.assert_bounded(SECONDS)


VALUES = {
    "lists": '{"format_version": 1, "kind": "plan", "a": [' + "[]," * 800_000 + "1]}",
    "objects": '{"format_version": 1, "kind": "plan", "a": [' + '{"a":{}},' * 200_000 + "1]}",
    "too many": '{"format_version": 1, "kind": "plan", "a": [' + "{}," * 8_000_000 + "1]}",
    "texts": '{"format_version": 1, "kind": "plan", "a": [' + '"ab",' * 2_000_000 + "1]}",
    "one text": '{"format_version": 1, "kind": "plan", "a": "' + "x" * (31 << 20) + '"}',
}


@pytest.mark.slow
@pytest.mark.parametrize("name", VALUES)
def test_states_and_plans(tmp_path: Path, name: str) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "a.yaml").write_text(HEAD + SMALL % 1)
    (tmp_path / "p.json").write_text(VALUES[name])
    applied = measure(tmp_path, "apply", "p.json")
    assert applied.code == 1, applied
    applied.assert_bounded(SECONDS)
    (tmp_path / "p.json").rename(tmp_path / "defendctl.state.json")
    planned = measure(tmp_path, "plan", DEEP_RAILS_BASE_URL="http://127.0.0.1:9")
    assert planned.code == 6, planned
    planned.assert_bounded(SECONDS)


@pytest.mark.parametrize("size", [200, pytest.param(20_000, marks=pytest.mark.slow)])
def test_as_many_warnings_as_there_are_lines(tmp_path: Path, size: int) -> None:
    """A thousand problems are told, and that there are more."""
    lines = "".join(f"  W{n}: {{}}\n" for n in range(size))
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "a.yaml").write_text(HEAD + lines)
    ran = measure(tmp_path, "validate", "--format", "json")
    assert ran.code == 1
    assert len(json.loads(ran.out)["diagnostics"]) <= 1_001
    ran.assert_bounded(SECONDS)
