"""Defaults under workflows and overlays over them: the law of merging, as tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.diagnostics import errors
from defendctl.manifest.resolve import resolve
from defendctl.project.load import load_project
from tests.conftest import automatic, custom

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.manifest.desired import Desired

Json = Any
LEVELS = {"completeness": "low", "correctness": "high"}
TWICE = ["correctness", "comprehensive_safety", "comprehensive_safety"]
SAFE = {"comprehensive_safety": 0.9}
TWO = {"completeness": 0.8, "correctness": 0.7}
LISTED = {"type": "automatic", "tolerance": "low", "metrics": ["completeness", "correctness"]}


def declared(folder: Path, base: dict[str, Json], *overlays: Json, env: str | None = "prod") -> Desired:
    """What environment `prod` is with these overlays; files are JSON, which is YAML."""
    folder.mkdir(exist_ok=True)
    names = [f"over-{number}.yaml" for number in range(len(overlays))]
    section = {"environments": {"prod": {"overlays": names}}} if env else {}
    files = {"defendctl.yaml": {"version": 1, "manifests": ["all.yaml"], **section}, "all.yaml": base}
    files |= dict(zip(names, overlays, strict=True))
    for name, content in files.items():
        (folder / name).write_text(json.dumps({"version": 1, **content}))
    project, problems = load_project(None, folder)
    assert problems == []
    return resolve(project.environments[env] if env else project, None, folder, keep=True)


def over(folder: Path, below: Json, above: Json) -> Desired:
    return declared(folder, {"workflows": {"a": below}}, {"workflows": {"a": above}})


def told(desired: Desired) -> list[str]:
    found = errors(desired.diagnostics)
    return [f"{d.span.file}:{d.span.line} {d.code}" if d.span else d.code for d in found]


def metrics(desired: Desired) -> Json:
    assert told(desired) == []
    return dict(desired.workflows["a"].metrics)


@pytest.mark.parametrize(
    ("below", "above", "expected"),
    [
        (custom(metrics=TWO), {"metrics": {"completeness": 0.4}}, {**TWO, "completeness": 0.4}),
        (custom(metrics=TWO), {"metrics": {"completeness": None}}, {"correctness": 0.7}),
        (custom(metrics=TWO), {"metrics": {"comprehensive_safety": 1}}, {**TWO, "comprehensive_safety": 1.0}),
        (automatic(**LISTED), {"metrics": {"correctness": None}}, {"completeness": "low"}),
        (automatic(**LISTED), {"tolerance": "high"}, {"completeness": "high", "correctness": "high"}),
        (
            automatic(**LISTED),
            {"metrics": ["comprehensive_safety"]},
            {"completeness": "low", "correctness": "low", "comprehensive_safety": "low"},
        ),
        (automatic(**LISTED), {"metrics": {"correctness": "high"}}, LEVELS),
        (
            custom(type="automatic", metrics={"completeness": "low", "correctness": "high"}),
            {"metrics": ["correctness"], "tolerance": "medium"},
            {"completeness": "low", "correctness": "medium"},
        ),
        (automatic(**LISTED), {"type": "custom", "metrics": TWO}, TWO),
        (custom(metrics=TWO), {"type": "automatic", **LISTED}, {"completeness": "low", "correctness": "low"}),
    ],
)
def test_metrics_are_laid_over_one_by_one(below: Json, above: Json, expected: Json, tmp_path: Path) -> None:
    assert metrics(over(tmp_path, below, above)) == expected


@pytest.mark.parametrize(
    ("above", "field", "value"),
    [
        ({"max_retries": 3}, "max_retries", 3),
        ({"max_improvement_attempts": 3}, "max_retries", 3),
        ({"max_retries": None}, "max_retries", 10),
        ({"description": None}, "description", ""),
        ({"name": None}, "name", "a"),
        ({"file_search": ["f2"]}, "file_search", ("f2",)),
        ({"improvement_action": "none"}, "improvement_action", "none"),
    ],
)
def test_any_other_field_is_one_value(above: Json, field: str, value: Json, tmp_path: Path) -> None:
    below = custom(name="A", description="d", max_improvement_attempts=5, file_search=["f1"])
    desired = over(tmp_path, below, above)
    assert told(desired) == []
    assert getattr(desired.workflows["a"], field) == value


@pytest.mark.parametrize(
    ("below", "above", "code"),
    [
        (custom(), {"metrics": {"completness": None}}, "nothing-to-remove"),
        (automatic(), {"metrics": {"comprehensive_safety": None}}, "nothing-to-remove"),
        (custom(), {"labels": {"tier": "x"}, "max_retries": None}, "nothing-to-remove"),
        (custom(), {"metrics": {"completeness": None}}, "empty-metrics"),
        (custom(), {"metrics": None}, "missing-key"),
        (custom(), {"improvement_action": None}, "missing-key"),
        (custom(), {"metrics": {"completeness": 7}}, "out-of-range"),
        (custom(), {"metrics": ["correctness"]}, "wrong-type"),
        (custom(), {"metrics": 5}, "wrong-type"),
        (custom(), {"metrcs": {}}, "unknown-key"),
        (custom(), {"labels": 5}, "wrong-type"),
        (custom(), 5, "wrong-type"),
        (automatic(), {"metrics": [5]}, "wrong-type"),
        (automatic(), {"metrics": TWICE}, "duplicate-item"),
        (automatic(), {"tolerance": "lax"}, "invalid-value"),
        (custom(type="automatic", metrics={"correctness": "low"}), {"tolerance": "low"}, "key-not-for-type"),
    ],
)
def test_a_mistake_of_an_overlay_is_told_in_the_overlay(
    below: Json, above: Json, code: str, tmp_path: Path
) -> None:
    assert told(over(tmp_path, below, above)) == [f"over-0.yaml:1 {code}"]


def test_a_mistake_of_the_base_is_told_in_the_base(tmp_path: Path) -> None:
    changed = over(tmp_path, custom(metrics={"completeness": 0.8, "tone": 1}), {"max_retries": 2})
    assert told(changed) == ["all.yaml:1 unknown-metric"]
    kind = over(tmp_path, custom(metrics=TWO), {"type": "automatic", "metrics": {"completeness": "low"}})
    assert told(kind) == ["all.yaml:1 wrong-type"], "no guardrail goes without being named"
    assert told(over(tmp_path, 5, {"max_retries": 2})) == ["all.yaml:1 wrong-type"]


@pytest.mark.parametrize(
    ("overlay", "found"),
    [
        ({"workflows": {"a": None}}, []),
        ({"workflows": {"b": custom()}}, []),
        ({"workflows": {"b": {"max_retries": 2}}}, ["over-0.yaml:1 unknown-address"]),
        ({"workflows": {"b": None}}, ["over-0.yaml:1 unknown-address"]),
        ({"workflows": [1]}, ["over-0.yaml:1 wrong-type"]),
        ({"defaults": {}, "workflows": {}}, ["over-0.yaml:1 key-not-for-type"]),
        ({"rules": []}, ["over-0.yaml:1 not-an-overlay"]),
        ({"version": 2, "workflows": {}}, ["over-0.yaml:1 invalid-value"]),
    ],
)
def test_whole_workflows(overlay: Json, found: list[str], tmp_path: Path) -> None:
    desired = declared(tmp_path, {"workflows": {"a": custom()}}, overlay)
    assert told(desired) == found
    if not found:
        [address] = overlay["workflows"]
        assert list(desired.workflows) == (["a", "b"] if address == "b" else [])


def test_two_overlays_may_not_name_the_same_value(tmp_path: Path) -> None:
    base = {"workflows": {"a": custom(metrics=TWO)}}
    one, same = ({"workflows": {"a": {"metrics": {"correctness": n}}}} for n in (0.1, 0.2))
    other = {"workflows": {"a": {"metrics": {"completeness": 0.3}, "max_retries": 1}}}
    assert told(declared(tmp_path, base, one, other)) == []
    assert told(declared(tmp_path, base, one, same)) == ["over-1.yaml:1 conflicting-overlays"]
    out = {"workflows": {"a": None}}
    assert told(declared(tmp_path, base, one, out)) == ["over-1.yaml:1 conflicting-overlays"]
    assert told(declared(tmp_path, base, out, one)) == ["over-1.yaml:1 conflicting-overlays"]


def test_a_workflow_of_one_environment_may_come_from_several_overlays(tmp_path: Path) -> None:
    first = {"workflows": {"b": custom()}}
    second = {"workflows": {"b": {"labels": {"tier": "x"}}}}
    desired = declared(tmp_path, {"workflows": {}}, first, second)
    assert told(desired) == []
    assert desired.labels == {"b": {"tier": "x"}}


def defaulted(folder: Path, defaults: Json, workflow: Json) -> Desired:
    return declared(folder, {"defaults": defaults, "workflows": {"a": workflow}}, env=None)


@pytest.mark.parametrize(
    ("defaults", "workflow", "expected"),
    [
        (custom(metrics=TWO), {}, TWO),
        (custom(metrics=TWO), {"metrics": SAFE}, {**TWO, **SAFE}),
        (custom(metrics=TWO), {"metrics": {"correctness": None}}, {"completeness": 0.8}),
        ({"tolerance": "low"}, custom(), {"completeness": 0.8}),
        ({"tolerance": "low"}, automatic(tolerance="high", metrics=["correctness"]), {"correctness": "high"}),
        (automatic(**LISTED), {"metrics": {"correctness": "high"}}, LEVELS),
        (automatic(**LISTED), {"metrics": {"correctness": None}}, {"completeness": "low"}),
        (automatic(**LISTED), {"type": "custom", "metrics": TWO}, TWO),
    ],
)
def test_defaults_fill_what_is_left_out(
    defaults: Json, workflow: Json, expected: Json, tmp_path: Path
) -> None:
    assert metrics(defaulted(tmp_path, defaults, workflow)) == expected


@pytest.mark.parametrize(
    ("defaults", "workflow", "code"),
    [
        (None, custom(), "wrong-type"),
        ([], custom(), "wrong-type"),
        ({"name": "Bot"}, custom(), "not-a-default"),
        ({"metrics": {"completness": 0.5}}, custom(), "unknown-metric"),
        ({"metrics": 5}, custom(), "wrong-type"),
        ({"metrics": {}}, custom(), "empty-metrics"),
        ({"max_retries": "5"}, custom(max_retries=4), "wrong-type"),
        ({"tolerence": "low"}, automatic(), "unknown-key"),
        ({"metrics": TWO}, custom(metrics={"comprehensive_safety": None}), "wrong-type"),
        ({"metrics": TWO}, automatic(metrics=["comprehensive_safety"]), "wrong-type"),
        (automatic(**LISTED), {"metrics": {"comprehensive_safety": None}}, "nothing-to-remove"),
    ],
)
def test_a_mistake_of_defaults(defaults: Json, workflow: Json, code: str, tmp_path: Path) -> None:
    found = told(defaulted(tmp_path, defaults, workflow))
    assert found, "never silence"
    assert set(found) <= {f"all.yaml:1 {code}", "all.yaml:1 unknown-key"}


def test_every_value_is_where_it_was_said(tmp_path: Path) -> None:
    (tmp_path / "defendctl.yaml").write_text(
        "version: 1\nmanifests: [all.yaml]\nenvironments: {prod: {overlays: [over.yaml]}}\n"
    )
    (tmp_path / "all.yaml").write_text(
        "version: 1\ndefaults:\n  improvement_action: fixit\n  metrics: {correctness: 0.1}\n"
        "workflows:\n  a:\n    type: custom\n    metrics:\n      completeness: 0.8\n    max_retries: 1\n"
    )
    (tmp_path / "over.yaml").write_text(
        "version: 1\nworkflows:\n  a:\n    metrics:\n      completeness: 0.4\n    web_search: true\n"
    )
    project, _ = load_project(None, tmp_path)
    desired = resolve(project.environments["prod"], None, tmp_path)
    assert told(desired) == []
    at = {path: f"{span.file}:{span.line}" for (_, path), span in desired.places.items()}
    assert at == {
        "": "all.yaml:6",
        "improvement_action": "all.yaml:3",
        "metrics": "over.yaml:5",
        "metrics.correctness": "all.yaml:4",
        "type": "all.yaml:7",
        "metrics.completeness": "over.yaml:5",
        "max_retries": "all.yaml:10",
        "web_search": "over.yaml:6",
    }


def waiver(**changes: Json) -> Json:
    about = {"address": "a", "rule": "r", "field": "max_retries", "to": 1, "reason": "x", "approver": "y"}
    return {**about, "expires": "2099-01-01", **changes}


def test_a_waiver_of_an_overlay_takes_the_place_of_one_about_the_same(tmp_path: Path) -> None:
    base = {"workflows": {"a": custom()}, "waivers": [waiver(), waiver(field="name", to="b")]}
    desired = declared(tmp_path, base, {"waivers": [waiver(to=2), waiver(rule="s")]})
    assert told(desired) == []
    assert [(w.rule, w.field, w.to) for w in desired.waivers] == [
        ("r", "name", "b"),
        ("r", "max_retries", 2),
        ("s", "max_retries", 1),
    ]


def test_what_is_left_out_here_is_no_idle_waiver(tmp_path: Path) -> None:
    base = {"workflows": {"a": custom()}, "waivers": [waiver()]}
    codes = {d.code for d in declared(tmp_path, base, {"workflows": {"a": None}}).diagnostics}
    assert codes == {"unknown-rule"}
