"""`policy:` and the files it names, labels, waivers, and where every field stands."""

from __future__ import annotations

import json
import tracemalloc
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from defendctl.diagnostics import Span, errors
from defendctl.manifest.resolve import resolve
from defendctl.policy.findings import Waiver
from defendctl.policy.rules import CHECKS, Policy, Rule, Selector
from defendctl.policy.waivers import WAIVABLE
from defendctl.project.load import load_project
from defendctl.project.project import Project
from defendctl.replay.sample import Sample
from defendctl.schema.editor import manifest_schema, policy_schema, project_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from defendctl.manifest.desired import Desired

BODY = "{type: custom, metrics: {completeness: 0.8}, improvement_action: none}"
PROJECTS = Path(__file__).parents[1] / "bad" / "projects"
UNKNOWABLE = {"not-found", "duplicate-rule"}
"""Codes of faults that the project's schema cannot see."""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], None]:
    def write(name: str, text: str) -> None:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")

    return write


def configured(folder: Path, today: date | None = None) -> Desired:
    project, problems = load_project(None, folder)
    assert problems == []
    return resolve(project, None, folder, today)


def told(desired: Desired) -> list[tuple[str, str, int | None]]:
    return [(d.code, d.span.file, d.span.line) for d in desired.diagnostics if d.span]


def test_rules_of_the_project_file_and_of_its_includes(tmp_path: Path, write: Callable[..., None]) -> None:
    write(
        "defendctl.yaml",
        """version: 1
custom_metrics: [tone]
policy:
  include: [policies, "more/*.yaml"]
  replay: {last: 30, min_events: 5}
  rules:
    - id: safety-present
      level: deny
      message: Every bot needs a safety check.
      select: {addresses: ["support-*"], labels: {tier: critical}}
      require_metrics: [comprehensive_safety]
""",
    )
    write("policies/b.yaml", "version: 1\nx-mine: 1\nrules:\n  - {id: b, level: warn, max_creates: 3.0}\n")
    write("policies/a/a.yml", "version: 1\nrules: [{id: a, level: deny, min_threshold: {tone: 0.5}}]\n")
    write("more/c.yaml", "version: 1\nrules: [{id: c, level: deny, capabilities: {web_search: false}}]\n")
    write("workflows/a.yaml", f"version: 1\nworkflows:\n  support-a: {BODY}\n")
    desired = configured(tmp_path)
    select = Selector(("support-*",), {"tier": "critical"})
    assert desired.policy == Policy(
        (
            Rule(
                "safety-present",
                "deny",
                "require_metrics",
                ["comprehensive_safety"],
                "Every bot needs a safety check.",
                select,
                Span("defendctl.yaml", 7, 11),
            ),
            Rule("c", "deny", "capabilities", {"web_search": False}, span=Span("more/c.yaml", 2, 14)),
            Rule("a", "deny", "min_threshold", {"tone": 0.5}, span=Span("policies/a/a.yml", 2, 14)),
            Rule("b", "warn", "max_creates", 3, span=Span("policies/b.yaml", 4, 10)),
        ),
        Sample(last=30, min_events=5),
    )
    assert told(desired) == [("idle-rule", "defendctl.yaml", 7)]


def test_without_a_policy(tmp_path: Path, write: Callable[..., None]) -> None:
    write("workflows/a.yaml", f"version: 1\nworkflows:\n  a: {BODY}\n")
    desired = configured(tmp_path)
    assert (desired.policy, desired.waivers, desired.labels, told(desired)) == (Policy(), (), {}, [])


BAD_FILES = {
    "": ["1:1 not-a-policy"],
    "[]\n": ["1:1 not-a-policy"],
    "version: 1\nrules: []\n---\nversion: 1\nrules: []\n": ["4:1 not-a-policy"],
    "rules: []\n": ["1:1 missing-key"],
    "version: 2\nrules: []\n": ["1:10 invalid-value"],
    "version: 1\nrules:\n": ["2:7 wrong-type"],
    "version: 1\nrule: []\n": ["1:1 missing-key", "2:1 unknown-key"],
    "version: 1\nrules: [{id: a, level: deny, no_retire: 1}]\n": ["2:41 wrong-type"],
    "version: 1\nrules: [a, {id: a, level: deny}]\n": ["2:9 wrong-type", "2:12 missing-key"],
    "version: 1\nrules: [{id: mine, level: deny, no_retire: true}]\n": ["2:14 duplicate-rule"],
    "version: [1\n": ["2:1 yaml-syntax"],
}


@pytest.mark.parametrize("text", BAD_FILES)
def test_faults_of_an_included_file(tmp_path: Path, write: Callable[..., None], text: str) -> None:
    mine = "{id: mine, level: warn, no_retire: true}"
    write("defendctl.yaml", f"version: 1\npolicy: {{include: [p.yaml], rules: [{mine}]}}\n")
    write("workflows/a.yaml", f"version: 1\nworkflows:\n  a: {BODY}\n")
    write("p.yaml", text)
    found = configured(tmp_path).diagnostics
    assert [f"{d.span.line}:{d.span.column} {d.code}" for d in found if d.span] == BAD_FILES[text]
    assert {d.span.file for d in found if d.span} == {"p.yaml"}


def test_a_policy_file_is_no_manifest(tmp_path: Path, write: Callable[..., None]) -> None:
    write("defendctl.yaml", 'version: 1\nmanifests: [".", "**/*.yaml"]\npolicy: {include: [all/p.yaml]}\n')
    write("all/p.yaml", "version: 1\nrules: []\n")
    write("all/a.yaml", f"version: 1\nworkflows:\n  a: {BODY}\n")
    desired = configured(tmp_path)
    assert (list(desired.workflows), told(desired)) == (["a"], [])


def test_no_link_leads_out(tmp_path: Path, write: Callable[..., None]) -> None:
    write("outside/p.yaml", "version: 1\nrules: []\n")
    write("in/defendctl.yaml", "version: 1\npolicy: {include: [policies]}\n")
    write("in/workflows/a.yaml", f"version: 1\nworkflows:\n  a: {BODY}\n")
    (tmp_path / "in" / "policies").symlink_to("../outside")
    assert told(configured(tmp_path / "in")) == [("outside-project", "policies", None)]
    write("in/defendctl.yaml", "version: 1\npolicy: {include: [../outside]}\n")
    assert told(configured(tmp_path / "in")) == [], "a path that says so may lead out"


def test_labels_and_waivers(tmp_path: Path, write: Callable[..., None]) -> None:
    write("defendctl.yaml", "version: 1\npolicy: {rules: [{id: r, level: deny, no_retire: true}]}\n")
    write(
        "workflows/a.yaml",
        f"""version: 1
workflows:
  a: {BODY[:-1]}, labels: {{tier: critical}}}}
  b: {BODY[:-1]}, labels: {{}}}}
waivers:
  - {{address: gone, rule: r, field: retire, reason: why, approver: Jane, expires: 2026-03-01}}
---
version: 1
workflows: {{}}
waivers:
  - {{address: a, rule: r, field: file_search, to: [b, a], reason: x, approver: y, expires: 2026-03-01}}
""",
    )
    desired = configured(tmp_path, date(2026, 3, 1))
    assert desired.labels == {"a": {"tier": "critical"}}
    assert [code for code, *_ in told(desired)] == ["expiring-waiver"] * 2
    day, place = date(2026, 3, 1), "workflows/a.yaml"
    assert desired.waivers == (
        Waiver("gone", "r", "retire", None, "why", "Jane", day, Span(place, 6, 5)),
        Waiver("a", "r", "file_search", ("a", "b"), "x", "y", day, Span(place, 11, 5)),
    )
    expired = configured(tmp_path, date(2026, 3, 2))
    assert [(d.severity, *t) for d, t in zip(expired.diagnostics, told(expired), strict=True)] == [
        ("error", "expired-waiver", place, 6),
        ("error", "expired-waiver", place, 11),
    ]
    assert told(configured(tmp_path)) == [], "nobody asked"


@pytest.mark.parametrize(
    ("today", "said"),
    [
        (date(2026, 2, 14), None),
        (date(2026, 2, 15), "This waiver expires on 2026-03-01, in 14 days, and is an error afterwards"),
        (date(2026, 2, 28), "This waiver expires on 2026-03-01, tomorrow, and is an error afterwards"),
        (date(2026, 3, 1), "This waiver expires on 2026-03-01, today, and is an error afterwards"),
    ],
)
def test_a_waiver_that_expires_soon_says_so(
    tmp_path: Path, write: Callable[..., None], today: date, said: str | None
) -> None:
    write("defendctl.yaml", "version: 1\npolicy: {rules: [{id: r, level: deny, no_retire: true}]}\n")
    waiver = "{address: a, rule: r, field: retire, reason: why, approver: Jane, expires: 2026-03-01}"
    write("workflows/a.yaml", f"version: 1\nworkflows:\n  a: {BODY}\nwaivers:\n  - {waiver}\n")
    found = configured(tmp_path, today).diagnostics
    assert [(d.severity, d.code, d.span and d.span.line) for d in found] == (
        [("warning", "expiring-waiver", 5)] if said else []
    )
    assert all(d.message.startswith(str(said)) for d in found)


def test_what_is_about_nothing_is_a_warning(tmp_path: Path, write: Callable[..., None]) -> None:
    write("defendctl.yaml", "version: 1\npolicy: {rules: [{id: stays, level: deny, no_retire: true}]}\n")
    ending = "to: 1, reason: x, approver: y, expires: 2999-01-01}"
    write(
        "workflows/a.yaml",
        f"""version: 1
workflows:
  support: {BODY}
waivers:
  - {{address: suport, rule: stays, field: max_retries, {ending}
  - {{address: support, rule: stayz, field: max_retries, {ending}
  - {{address: gone, rule: stays, field: retire, {ending}
""",
    )
    desired = configured(tmp_path)
    assert [(d.severity, d.code, d.span and d.span.line) for d in desired.diagnostics] == [
        ("warning", "unknown-address", 5),
        ("warning", "unknown-rule", 6),
    ]
    assert all("Did you mean" in d.message for d in desired.diagnostics)
    named = resolve(load_project(None, tmp_path)[0], [tmp_path / "workflows"], tmp_path)
    assert [d.code for d in named.diagnostics] == ["unknown-rule"], "others may be in files that are not read"


def test_where_fields_stand(tmp_path: Path, write: Callable[..., None]) -> None:
    write(
        "workflows/a.yaml",
        """version: 1
workflows:
  custom:
    type: custom
    metrics:
      completeness: 0.8
      correctness: 0.9
    improvement_action: none
    max_improvement_attempts: 3
  listed:
    type: automatic
    tolerance: low
    metrics: [correctness, completeness]
    improvement_action: none
""",
    )
    places = configured(tmp_path).places

    def at(address: str, path: str) -> tuple[int | None, int | None]:
        span = places[address, path]
        assert span.file == "workflows/a.yaml"
        return span.line, span.column

    assert at("custom", "") == (3, 3)
    assert at("custom", "type") == (4, 11)
    assert at("custom", "metrics.correctness") == (7, 20)
    assert at("custom", "metrics.comprehensive_safety") == (6, 7), "where it would stand"
    assert at("custom", "max_retries") == (9, 31), "under its old name"
    assert at("custom", "web_search") == (3, 3), "nowhere: the address"
    assert at("listed", "metrics.completeness") == (13, 28)
    assert at("listed", "tolerance") == (12, 16)
    assert ("gone", "") not in places
    assert len(places) == len(list(places)) == 14
    assert all(key in places for key in places)


def test_places_are_small(tmp_path: Path, write: Callable[..., None]) -> None:
    body = "{type: custom, metrics: {completeness: 0.8, correctness: 0.7}, improvement_action: none, name: x}"
    write("a.yaml", "version: 1\nworkflows:\n" + "".join(f"  a{i}: {body}\n" for i in range(2000)))
    desired = resolve(Project(tmp_path, None, tmp_path / "s"), [tmp_path / "a.yaml"], tmp_path)
    tracemalloc.start()
    kept = list(dict(desired.places).values())
    spans = tracemalloc.get_traced_memory()[0]
    del kept
    tracemalloc.stop()
    assert len(desired.places) == 2000 * 7
    placed = [desired.places._placed[address] for address in desired.workflows]  # type: ignore[attr-defined]
    assert len({id(one.paths) for one in placed}) == 1, "all share one tuple"
    assert sum(one.at.__sizeof__() for one in placed) * 5 < spans


def test_the_schema_of_the_project_agrees() -> None:
    from defendctl.yamltext.loader import load

    validator = Draft7Validator(project_schema())
    for file in sorted(PROJECTS.glob("policy-*.yaml")):
        codes = {d.code for d in load_project(file, file.parent)[1]}
        if codes - UNKNOWABLE:
            [document] = load(file, file.name)[0]
            assert not validator.is_valid(document.data), file.name


SCALARS = st.sampled_from([None, True, False, 0, 1, 3, 5.0, 0.5, -1, 20_000, "", " ", "a", "low", "<x>"])
METRIC = st.sampled_from(["completeness", "completness", ""])
VALUES = (
    SCALARS
    | st.lists(METRIC | st.sampled_from(["custom", "high", "fixit", 1]), max_size=2)
    | st.dictionaries(METRIC | st.sampled_from(["web_search", "addresses"]), SCALARS, max_size=2)
)
SHARES = st.sampled_from([0.2, 0.95, 0.999, 0.9999, 0.49, 0, 1, 95])
SOUND_CHECKS: dict[str, Any] = {
    "min_threshold": {"completeness": 0.5},
    "require_metrics": ["completeness"],
    "allow_types": ["custom"],
    "allow_tolerances": ["low"],
    "allow_improvement_actions": ["none"],
    "min_retries": 3,
    "max_retries": 3,
    "capabilities": {"file_search": True},
    "no_loosening": True,
    "no_indeterminate": True,
    "max_threshold_step": 0.1,
    "no_retire": True,
    "max_creates": 3,
    "max_changes": 3,
    "max_flag_rate": 0.2,
}
SOUND_RULES = st.sampled_from(sorted(SOUND_CHECKS)).map(
    lambda check: {"id": "a", "level": "deny", check: SOUND_CHECKS[check]}
) | st.fixed_dictionaries({"rate": SHARES, "confidence": SHARES}).map(
    lambda exact: {"id": "a", "level": "deny", "max_flag_rate": exact}
)
OTHER = st.dictionaries(
    st.sampled_from([*CHECKS, "id", "level", "message", "select", "x-a", "y"]), VALUES, max_size=2
)
ODD_RULES = st.builds(lambda sound, odd: {**sound, **odd}, SOUND_RULES, OTHER)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("policy")


def allowed(schema: Callable[[], dict[str, Any]], data: object) -> bool:
    return bool(_validator(schema).is_valid(data))


@cache
def _validator(schema: Callable[[], dict[str, Any]]) -> Draft7Validator:
    """A schema takes longer to make than an example to judge."""
    return Draft7Validator(schema())


def test_every_check_is_drawn() -> None:
    assert set(SOUND_CHECKS) == set(CHECKS)


@settings(derandomize=True, deadline=None, max_examples=120)
@given(SOUND_RULES | ODD_RULES | VALUES)
def test_the_schema_agrees_about_any_rule(folder: Path, rule: object) -> None:
    data = {"version": 1, "rules": [rule]}
    (folder / "p.yaml").write_text(json.dumps(data), encoding="utf-8")
    (folder / "w.yaml").write_text("version: 1\nworkflows: {}\n", encoding="utf-8")
    includes, spans = ("p.yaml",), (Span("defendctl.yaml"),)
    project = Project(folder, None, folder / "s", includes=includes, include_spans=spans)
    wrong = errors(resolve(project, [folder / "w.yaml"], folder).diagnostics)
    assert allowed(policy_schema, data) == (wrong == []), wrong


SOUND_WAIVERS = st.fixed_dictionaries(
    {
        "address": st.just("a"),
        "rule": st.just("r"),
        "field": st.sampled_from([*WAIVABLE, "metrics.completeness", "metrics.", "metrics", "create"]),
        "reason": st.sampled_from(["why", "<why>", " ", "a <b>"]),
        "approver": st.sampled_from(["Jane", "<who>"]),
        "expires": st.sampled_from(["2999-01-01", "2999-1-1", "soon"]),
    },
    optional={"to": VALUES},
)
ODD_WAIVERS = st.builds(
    lambda sound, odd: {**sound, **odd},
    SOUND_WAIVERS,
    st.dictionaries(st.sampled_from(["address", "reason", "expires", "x-a", "until"]), SCALARS, max_size=2),
)


@settings(derandomize=True, deadline=None, max_examples=120)
@given(SOUND_WAIVERS | ODD_WAIVERS | VALUES)
def test_the_schema_agrees_about_any_waiver(folder: Path, waiver: object) -> None:
    data = {"version": 1, "workflows": {}, "waivers": [waiver]}
    (folder / "w.yaml").write_text(json.dumps(data), encoding="utf-8")
    project = Project(folder, None, folder / "s")
    wrong = errors(resolve(project, [folder / "w.yaml"], folder).diagnostics)
    assert allowed(manifest_schema, data) == (wrong == []), wrong


LABELS = st.dictionaries(
    st.sampled_from(["tier", "example.com/a", "-x", "", "/a", "a/b/c", "x" * 64, "A.b_c-9"]),
    st.sampled_from(["", "critical", "very critical", "-", "x" * 63, "x" * 64, 1, None, True]),
)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(LABELS | VALUES)
def test_the_schema_agrees_about_any_labels(folder: Path, labels: object) -> None:
    body = {
        "type": "custom",
        "metrics": {"completeness": 0.5},
        "improvement_action": "none",
        "labels": labels,
    }
    data = {"version": 1, "workflows": {"a": body}}
    (folder / "w.yaml").write_text(json.dumps(data), encoding="utf-8")
    wrong = resolve(Project(folder, None, folder / "s"), [folder / "w.yaml"], folder).diagnostics
    assert allowed(manifest_schema, data) == (wrong == []), wrong
