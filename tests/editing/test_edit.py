"""Edits: what was wanted and nothing else, on as few lines as there are values."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defendctl.editing.edit import ANCHORED, NO_BODY, Edit, edited
from defendctl.model import FieldPath
from defendctl.yamltext.marks import compose
from defendctl.yamltext.splice import comments
from tests.editing.layouts import manifests, workflows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from defendctl.model import Workflow

odd = st.sampled_from(
    ["A", "null", "it's", 'say "x": # no', "*a", "[a]", "1.5", " x ", "é\u2028\U0001f916\x07", "yes"]
)
texts = st.sampled_from(["", "one\ntwo\n", "one\n\n # two"]) | odd


@st.composite
def changes(draw: st.DrawFn, workflow: Workflow) -> dict[FieldPath, Any]:
    """Path → value, as drift finds them: never the value that is there."""
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "name": odd,
        "description": texts,
        "improvement_action": st.sampled_from(["fixit", "regenerate", "none"]),
        "max_retries": st.integers(0, 12),
        "web_search": st.booleans(),
        "context_awareness": st.booleans(),
        "file_search": st.sampled_from([(), ("file_a",), ("file_b", "file_c"), ("f: #1", "file_b")]),
    }
    chosen = {path: draw(kinds[path]) for path in draw(st.sets(st.sampled_from(sorted(kinds)), max_size=3))}
    level = st.floats(0, 1) if workflow.type == "custom" else st.sampled_from(["low", "medium", "high"])
    metrics = draw(
        st.dictionaries(
            st.sampled_from(["completeness", "correctness", "comprehensive_safety"]),
            level | st.none(),
            max_size=2,
        )
    )
    chosen |= {
        f"metrics.{name}": value for name, value in metrics.items() if value or name in workflow.metrics
    }
    return {FieldPath(path): value for path, value in chosen.items() if value != _now(workflow, path)}


def _now(workflow: Workflow, path: str) -> Any:
    field, _, name = path.partition(".")
    return workflow.metrics.get(name) if name else getattr(workflow, field)


def put(workflow: Workflow, values: Mapping[FieldPath, Any]) -> Workflow:
    levels = {path.partition(".")[2]: value for path, value in values.items() if path.startswith("metrics.")}
    metrics = {n: v for n, v in {**workflow.metrics, **levels}.items() if v is not None}
    fields = {path: value for path, value in values.items() if not path.startswith("metrics.")}
    return replace(workflow, **fields, metrics=dict(sorted(metrics.items())))


@st.composite
def jobs(draw: st.DrawFn, *, tied: bool = True) -> tuple[str, list[Edit]]:
    text = draw(manifests(tied=tied))
    found = []
    for address, workflow in workflows(text).items():
        values = draw(changes(workflow))
        found += [Edit(address, values, dict(put(workflow, values).metrics))] if values else []
    return text, found


@given(jobs())
@settings(max_examples=100)
def test_it_says_what_was_wanted_and_nothing_else(job: tuple[str, list[Edit]]) -> None:
    text, edits = job
    before, done = workflows(text), edited(text, edits)
    wanted = dict(before)
    for edit in edits:
        written = {path: v for path, v in edit.values.items() if (edit.address, path) not in done.refused}
        wanted[edit.address] = put(before[edit.address], written)
    assert workflows(done.text) == wanted
    kept = comments(done.text, compose(done.text))
    values = [pair for edit in edits for pair in edit.values.items()]
    removed = any(value is None or path == "file_search" for path, value in values)
    assert removed or sorted(kept) == sorted(comments(text, compose(text)))


@given(jobs(tied=False))
@settings(max_examples=60)
def test_without_anchors_everything_finds_its_line(job: tuple[str, list[Edit]]) -> None:
    text, edits = job
    done = edited(text, edits)
    allowed = ("no metric is live any more", "`tolerance` gives every metric", "there are comments")
    assert all(why.startswith(allowed) for why in done.refused.values()), done.refused
    assert edited(text, []).text == text


HEAD = "version: 1\nworkflows:\n"
CUSTOM = "type: custom\n    improvement_action: none\n"
ONE = f"{HEAD}  a:\n    {CUSTOM}    metrics: {{correctness: 1}}\n"
TALL = (
    f"{HEAD}  a:\n    {CUSTOM}    metrics: {{\n      completeness: 0.1, # x\n      # about y\n"
    "      correctness: 0.2 # y\n    }\n"
)
JSON = (
    '{"version": 1, "workflows": {"a": {"type": "custom", "metrics": {"correctness": 1}, '
    '"improvement_action": null}}}'
)

JSON_NEW = '"fixit", "file_search": ["f"]'

TABLE: list[tuple[str, str, dict[str, Any], list[str]]] = [
    (
        "out of the middle of a tall mapping",
        TALL,
        {"metrics.completeness": None},
        ["-      completeness: 0.1, # x"],
    ),
    ("off its end", TALL, {"metrics.correctness": None}, ["-      correctness: 0.2 # y"]),
    (
        "into a tall mapping",
        TALL,
        {"metrics.comprehensive_safety": 0.5},
        ["-      correctness: 0.2 # y", "+      correctness: 0.2, comprehensive_safety: 0.5 # y"],
    ),
    (
        "JSON stays JSON",
        JSON,
        {"improvement_action": "fixit", "metrics.completeness": 0.5, "file_search": ("f",)},
        [
            "-" + JSON,
            "+"
            + JSON.replace("1}, ", '1, "completeness": 0.5}, ').replace(
                "null", '"fixit", "file_search": ["f"]'
            ),
        ],
    ),
    (
        "text in lines stays so, with the comment behind its mark",
        f"{ONE}    description: >- # d\n      one\n      two\n",
        {"description": "one\nthree\n"},
        ["-    description: >- # d", "-      two", "+    description: | # d", "+      three"],
    ),
    (
        "what no block can hold is quoted",
        f"{ONE}    description: | # d\n      one\n",
        {"description": " x"},
        ["-    description: | # d", "-      one", '+    description: " x" # d'],
    ),
    (
        "the old name stays the name",
        f"{ONE}    max_improvement_attempts: 3\n",
        {"max_retries": 4},
        ["-    max_improvement_attempts: 3", "+    max_improvement_attempts: 4"],
    ),
    (
        "the last id of a block list",
        f"{ONE}    file_search:\n    - a\n    - b\n",
        {"file_search": ()},
        ["-    file_search:", "-    - a", "-    - b", "+    file_search: []"],
    ),
    (
        "ids come and go by line",
        f"{ONE}    file_search:\n    - a # x\n    - b\n",
        {"file_search": ("b", "c")},
        ["-    - a # x", "+    - c"],
    ),
    (
        "an anchor that nobody uses",
        f"{HEAD}  a:\n    {CUSTOM}    metrics: {{correctness: &x 1}}\n    name: &y\n",
        {"metrics.correctness": 0.5},
        ["-    metrics: {correctness: &x 1}", "+    metrics: {correctness: &x 0.5}"],
    ),
    (
        "the second document of a file",
        ONE.replace("a:", "b:") + f"---\n{HEAD}  a:\n    {CUSTOM}    metrics:\n      correctness: 1",
        {"metrics.correctness": None, "metrics.completeness": 0.5, "web_search": True},
        ["-      correctness: 1", "+      completeness: 0.5", "+    web_search: true"],
    ),
]


@pytest.mark.parametrize(
    ("text", "values", "lines"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_layouts(text: str, values: dict[FieldPath, Any], lines: list[str]) -> None:
    done = edited(text, [Edit("a", values, {})])
    assert done.refused == {}
    found = difflib.unified_diff(text.splitlines(), done.text.splitlines(), n=0, lineterm="")
    told = [line for line in found if not line.startswith(("---", "+++", "@@"))]
    assert sorted(told) == sorted(lines)


REFUSED = [
    ("no body", f"x-a: &a {{}}\n{HEAD}  a: *a\n", {"name": "x"}, NO_BODY),
    ("not there", f"{HEAD}  b: {{}}\n", {"name": "x"}, NO_BODY),
    (
        "explicit keys",
        f"{HEAD}  a:\n    ? type\n    : custom\n",
        {"name": "x"},
        "its neighbours are not on lines",
    ),
    (
        "shared",
        f"{HEAD}  a: &a\n    {CUSTOM}    metrics: {{correctness: 1}}\n  b: *a\n",
        {"improvement_action": "fixit"},
        ANCHORED,
    ),
    (
        "merged",
        f"x-m: &m {{correctness: 1}}\n{HEAD}  a:\n    {CUSTOM}    metrics: {{<<: *m, completeness: 1}}\n",
        {"metrics.correctness": None},
        "it comes from a merge key",
    ),
    (
        "half of a character",
        ONE,
        {"name": "\ud800"},
        "YAML has no way to write it",
    ),
]


@pytest.mark.parametrize(
    ("text", "values", "why"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_is_refused_is_said_and_left(text: str, values: dict[FieldPath, Any], why: str) -> None:
    done = edited(text, [Edit("a", values, {})])
    assert done.text == text
    [(at, said)] = done.refused.items()
    assert at == ("a", next(iter(values)))
    assert why in said
