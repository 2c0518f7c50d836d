"""Random manifests, states, journals, plan files and answers: a documented code or error, no other."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from defendctl.api.answer import Answer
from defendctl.api.decode import observe
from defendctl.api.explain import Private, explain
from defendctl.api.outcome import json_object
from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.inspection.view import build_view
from defendctl.manifest.resolve import resolve
from defendctl.model import FIELDS, METRICS, Binding
from defendctl.operations.planfile import read_plan
from defendctl.project.project import Project as Settings
from defendctl.render.text import diagnostics as diagnostics_text
from defendctl.render.text import view as view_text
from defendctl.state.document import _checksum, from_text, to_text
from defendctl.state.lines import encode
from defendctl.state.open import open_local
from tests.bad.golden import assert_inert
from tests.bad.spoil_states import BOUND, HEAD, INTENT, LINEAGE, good
from tests.conftest import Project, Server, custom, environment_for

CODES = {0, 1, 2, 3, 4, 5, 6, 7, 64, 130}
FEW = settings(derandomize=True, max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(FEW, max_examples=3_000)

WORDS = st.sampled_from(
    [
        *FIELDS,
        *METRICS,
        "version",
        "workflows",
        "tolerance",
        "custom",
        "automatic",
        "fixit",
        "none",
        "low",
        "max_improvement_attempts",
        "$schema",
        "x-a",
        "<<",
        "a",
        "12",
        "null",
        "~",
        "true",
        "1",
        "0.5",
        "1e999",
        ".nan",
        "-.inf",
        "0x1F",
        "9" * 200,
        "!!python/object:os.system",
        "!t",
        "&a",
        "*a",
        "&a x",
        '"\\u202e"',
        "'",
        '"',
        "|",
        ">-",
        "%YAML 1.1",
        "---",
        "...",
        "?",
        "-",
        ":",
        ",",
        "[",
        "]",
        "{",
        "}",
        "#",
        "@",
        "`",
        "\t",
        "é",
        "\u2028",
        "\x1b[31m",
        "\x00",
        "�",
        "::error::x",
        "##[error]x",
        "{a: *a}",
        "[[[[",
    ]
)
SEPARATORS = st.sampled_from(
    [": ", ":\n  ", "\n", "\n  ", "\n    ", "\n- ", " ", ", ", "", "\r\n", "\n---\n"]
)
LINES = st.lists(st.tuples(WORDS, SEPARATORS), max_size=30).map(
    lambda pairs: "".join(a + b for a, b in pairs)
)
HEADS = st.sampled_from(
    ["", "version: 1\nworkflows:\n", "version: 1\nworkflows:\n  a:\n    type: custom\n    "]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=12,
)


def _validated(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.yaml")
        path.write_bytes(content)
        found = resolve(Settings(path.parent, None, path), [path], path.parent).diagnostics
    for one in found:
        assert one.span
        assert one.span.line or one.code in ("file-too-large", "too-many-problems")
    assert_inert(diagnostics_text.listing(found, lambda said, colour: said))


@FEW
@given(HEADS, LINES)
def test_manifests_by_grammar(head: str, lines: str) -> None:
    _validated((head + lines).encode("utf-8", "surrogatepass"))


@pytest.mark.slow
@MANY
@given(HEADS, LINES)
def test_many_manifests_by_grammar(head: str, lines: str) -> None:
    _validated((head + lines).encode("utf-8", "surrogatepass"))


@FEW
@given(st.dictionaries(WORDS | st.text(max_size=5), JSON, max_size=6), JSON)
def test_manifests_of_any_values(body: dict[str, Any], other: Any) -> None:
    for document in ({"version": 1, "workflows": {"a": {**custom(), **body}}}, body, other):
        _validated(json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass"))


FLIPS = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=3)
CUTS = st.none() | st.integers(0, 5000)


def flipped(data: bytes, flips: list[tuple[int, int]], cut: int | None) -> bytes:
    changed = bytearray(data)
    for place, value in flips:
        changed[place % len(changed)] = value
    return bytes(changed[:cut])


def _read(state: bytes, journal: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "state.json")
        path.write_bytes(state)
        path.with_name("state.json.journal").write_bytes(journal)
        with suppress(Precondition):
            open_local(path, path.parent / ".defendctl", LINEAGE).read()


@FEW
@given(FLIPS, CUTS, st.booleans())
def test_flipped_bytes(flips: list[tuple[int, int]], cut: int | None, in_journal: bool) -> None:
    state = to_text(good()).encode()
    journal = b"".join(encode(record) for record in (HEAD, INTENT, BOUND))
    if in_journal:
        _read(state, flipped(journal, flips, cut))
    else:
        _read(flipped(state, flips, cut), journal)


@pytest.mark.slow
@MANY
@given(FLIPS, CUTS, st.booleans())
def test_many_flipped_bytes(flips: list[tuple[int, int]], cut: int | None, in_journal: bool) -> None:
    test_flipped_bytes.hypothesis.inner_test(flips, cut, in_journal)  # type: ignore[attr-defined]


@settings(FEW, max_examples=15)
@given(st.lists(st.dictionaries(st.sampled_from(["do", "address", "intent", "binding", "op", *HEAD]), JSON)))
def test_journals_of_any_records(records: list[dict[str, Any]]) -> None:
    _read(to_text(good()).encode(), b"".join(encode(record) for record in (HEAD, *records)))
    steps = ("intent", "bound", "withdrawn", "unknown", "unconfirmed", "known", "retired", "adopted")
    for step in steps:
        forged = [{"address": "a", **record, "do": step} for record in records]
        _read(to_text(good()).encode(), b"".join(encode(record) for record in (HEAD, *forged)))


def _paths(data: Any) -> list[tuple[Any, ...]]:
    """Of everything in it, by keys and indices."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [()] + [(step, *rest) for step, value in inner for rest in _paths(value)]


def _replaced(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = data.copy()
    copy[path[0]] = _replaced(data[path[0]], path[1:], value)
    return copy


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory, http: httpx.Client) -> Project:
    root = tmp_path_factory.mktemp("project")
    project = Project(root, Server("", http), environment_for("http://127.0.0.1:9"))
    project.declare({"c": custom()})
    return project


def _in_each_command(project: Project, body: dict[str, Any]) -> None:
    rest = {key: value for key, value in body.items() if key != "checksum"}
    with suppress(ValueError):
        rest["checksum"] = _checksum(rest)
    project.state_file.write_text(json.dumps(rest))
    before = project.state_file.read_bytes()
    for command in (["state", "list"], ["outputs", "--format", "env"], ["plan", "--target", "c"]):
        ran = project.run(*command)
        assert ran.code in CODES
        assert_inert(ran.out + ran.err)
    assert project.state_file.read_bytes() == before


@FEW
@given(st.data())
def test_forged_states(offline: Project, data: st.DataObject) -> None:
    """The checksum is right, and something else is not."""
    body = json.loads(to_text(good()))
    path = data.draw(st.sampled_from([path for path in _paths(body) if path]))
    _in_each_command(offline, _replaced(body, path, data.draw(JSON)))


@settings(FEW, max_examples=25)
@given(st.data())
def test_plan_files(offline: Project, data: st.DataObject) -> None:
    offline.state_file.unlink(missing_ok=True)
    path = offline.root / "p.json"
    path.unlink(missing_ok=True)
    offline.ok("plan", "--out", "p.json")
    document = json.loads(path.read_text())
    step = data.draw(st.sampled_from(_paths(document)))
    path.write_text(json.dumps(_replaced(document, step, data.draw(JSON))))
    with suppress(DefendctlError):
        read_plan(path)
    path.write_bytes(flipped(json.dumps(document).encode(), data.draw(FLIPS), data.draw(CUTS)))
    with suppress(DefendctlError):
        read_plan(path)


KEYS = st.sampled_from(
    [
        "workflow_id",
        "name",
        "description",
        "status",
        "type",
        "threshold_type",
        "metrics",
        "capabilities",
        "files",
        "custom_hallucination_threshold_values",
        "automatic_hallucination_tolerance_levels",
        "max_retries",
        "automatic_tolerance",
        "improvement_action",
        "max_improvement_attempts",
        "created_at",
        "detail",
        "events",
    ]
)


def _observed(answer: dict[str, Any]) -> None:
    raw = json.dumps(answer).encode()
    data = json_object(raw)
    assert data is not None
    with suppress(ValueError):
        seen = observe({"workflow_id": "w", **data})
        binding = Binding("w", seen.fields)
        state = good()
        state.bindings["a"] = binding
        assert from_text(to_text(state)).bindings["a"] == binding  # NaN aside, what is read can be kept
        assert_inert(view_text.view(build_view("a", None, seen, binding)))
    for private in (Private("sk_key", ("sent",)), Private("sk_key", None)):
        told = explain(Answer(422, httpx.Headers(), raw), private)
        assert_inert(told)
        assert len(told) <= 400


@FEW
@given(st.dictionaries(KEYS, JSON))
def test_answers(answer: dict[str, Any]) -> None:
    _observed(answer)


@pytest.mark.slow
@MANY
@given(st.dictionaries(KEYS, JSON))
def test_many_answers(answer: dict[str, Any]) -> None:
    _observed(answer)
