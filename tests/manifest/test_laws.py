"""The laws of merging, over manifests that are made up: defaults, overlays, nulls, both forms of metrics."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from defendctl.diagnostics import errors
from defendctl.manifest.resolve import resolve
from defendctl.model import LEVELS, leaves
from defendctl.project.load import load_project
from defendctl.render import effective
from defendctl.render.setting import Setting
from tests.conftest import automatic, custom

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from defendctl.manifest.desired import Desired

Json = Any
PROD = Setting(environment="prod")
METRICS = ("completeness", "correctness", "comprehensive_safety", "context_adherence")
FIELDS = ("description", "max_retries", "web_search", "file_search", "context_awareness")

quick = settings(derandomize=True, max_examples=20, deadline=None)
thresholds = st.sampled_from([0.0, 0.5, 0.85, 1.0])
levels = st.sampled_from(LEVELS)
metric_names = st.sampled_from(METRICS)
labels = st.dictionaries(st.sampled_from(["tier", "team", "null"]), st.sampled_from(["x", "1", "true"]))
retries = st.dictionaries(
    st.sampled_from(["max_retries", "max_improvement_attempts"]), st.integers(0, 20), max_size=1
)
extras = st.fixed_dictionaries(
    {},
    optional={
        "description": st.sampled_from(["", "d", "yes: #no", None]),
        "web_search": st.booleans(),
        "file_search": st.sampled_from([[], ["f2", "f1"]]),
        "improvement_action": st.sampled_from(["none", "regen", "fixit"]),
        "labels": labels,
    },
)
scales = {
    "custom": st.dictionaries(metric_names, thresholds, min_size=1, max_size=2),
    "levels": st.dictionaries(metric_names, levels, min_size=1, max_size=2),
    "list": st.lists(metric_names, min_size=1, max_size=2, unique=True),
}


@st.composite
def parts(draw: st.DrawFn, kind: str) -> Json:
    """Something of a workflow, without a type."""
    part: Json = draw(extras) | draw(retries)
    if draw(st.booleans()):
        part["metrics"] = draw(scales[kind])
    if kind == "list" and draw(st.booleans()):
        part["tolerance"] = draw(levels)
    return part


@st.composite
def wholes(draw: st.DrawFn, kind: str) -> Json:
    part = draw(parts(kind))
    unmanaged = [key for key in FIELDS if key not in part and key != "max_retries"]
    left = draw(st.lists(st.sampled_from(unmanaged), unique=True, max_size=2)) if unmanaged else []
    made: Json = {
        "custom": custom(),
        "levels": automatic(metrics={"correctness": "high"}),
        "list": automatic(),
    }[kind]
    if kind == "levels":
        del made["tolerance"]
    return {**made, **part, **({"unmanaged": left} if left else {})}


@st.composite
def documents(draw: st.DrawFn) -> Json:
    """A manifest with defaults of one form, under workflows of which some leave much out."""
    kind = draw(st.sampled_from(sorted(scales)))
    defaults = draw(st.none() | wholes(kind) | parts(kind))
    workflows = {}
    for address in draw(st.sets(st.sampled_from(["a", "b", "c"]), min_size=1)):
        whole = defaults is None or "type" not in defaults or draw(st.booleans())
        workflows[address] = draw(wholes(kind) if whole else parts(kind))
    return {"workflows": workflows, **({} if defaults is None else {"defaults": defaults})}


@st.composite
def overlays(draw: st.DrawFn, base: Desired) -> Json:
    """Over what there is: values of either form, nulls for metrics that are there, a workflow left out."""
    patches: Json = {}
    for address in draw(st.sets(st.sampled_from(sorted(base.workflows)), min_size=1, max_size=2)):
        workflow = base.workflows[address]
        listed = workflow.type == "automatic" and draw(st.booleans())
        patch = draw(parts("list" if listed else "custom" if workflow.type == "custom" else "levels"))
        if patch.get("description", "") is None or "description" in workflow.unmanaged:
            patch.pop("description", None)
        if listed:
            patch["tolerance"] = draw(levels)
        elif draw(st.booleans()):
            gone = draw(st.sampled_from(sorted(workflow.metrics)))
            patch["metrics"] = {**patch.get("metrics", {}), gone: None}
        if address in base.labels and draw(st.booleans()):
            patch["labels"] = {**patch.get("labels", {}), min(base.labels[address]): None}
        patches[address] = draw(st.sampled_from([patch] * 7 + [None]))
    return {"workflows": patches}


def declared(folder: Path, bases: list[Json], over: list[Json]) -> Desired:
    """What environment `prod` is with these files; they are JSON, which is YAML, unless they are text."""
    names = [f"base-{number}.yaml" for number in range(len(bases))]
    laid = [f"over-{number}.yaml" for number in range(len(over))]
    head = {"version": 1, "manifests": names, "environments": {"prod": {"overlays": laid}}}
    (folder / "defendctl.yaml").write_text(json.dumps(head))
    for name, content in zip([*names, *laid], [*bases, *over], strict=True):
        text = content if isinstance(content, str) else json.dumps({"version": 1, **content})
        (folder / name).write_text(text)
    project, problems = load_project(None, folder)
    assert problems == []
    return resolve(project.environments["prod"], None, folder, keep=True)


def meant(desired: Desired) -> tuple[Json, ...]:
    """All that anybody goes by, but for places; and how it is printed."""
    assert errors(desired.diagnostics) == []
    printed = effective.yaml(desired, PROD)
    return desired.workflows, desired.labels, desired.renamed, desired.imports, printed


def sound(folder: Path, bases: list[Json]) -> Desired:
    """Of manifests that contradict themselves there is no law."""
    desired = declared(folder, bases, [])
    assume(not errors(desired.diagnostics))
    return desired


@quick
@given(base=documents())
def test_an_overlay_of_nothing_is_the_base(base: Json, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("law")
    plain = meant(sound(folder, [base]))
    nothing = [{"workflows": {}}, {"workflows": {address: {} for address in base["workflows"]}}]
    for over in (nothing[:1], nothing):
        assert meant(declared(folder, [base], over)) == plain
    empty: Json = {"workflows": {address: {"metrics": {}, "labels": {}} for address in base["workflows"]}}
    assert meant(declared(folder, [base], [empty]))[:4] == plain[:4], "in other words"
    assert meant(declared(folder, [{"defaults": {}, **base}], [])) == plain


@quick
@given(data=st.data())
def test_the_order_of_files_does_not_matter(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("law")
    bases = [data.draw(documents()), data.draw(documents())]
    bases[1]["workflows"] = {f"{a}-2": body for a, body in bases[1]["workflows"].items()}
    below = sound(folder, bases)
    over = [data.draw(overlays(below)) for _ in range(2)]
    over.append({"workflows": {"only-here": data.draw(wholes("list"))}})
    one = declared(folder, bases, over)
    for changed in (declared(folder, bases[::-1], over), declared(folder, bases, over[::-1])):
        assert bool(errors(one.diagnostics)) == bool(errors(changed.diagnostics))
        if not errors(one.diagnostics):
            assert meant(one) == meant(changed)


@quick
@given(data=st.data())
def test_render_of_render_is_the_same(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("law")
    base = data.draw(documents())
    base["workflows"]["moved"] = {**custom(), "renamed_from": "old", "import": {"workflow_id": "wkfl_1"}}
    once = declared(folder, [base], [data.draw(overlays(sound(folder, [base])))])
    assume(not errors(once.diagnostics))
    for origins in (False, True):
        printed = effective.yaml(once, replace(PROD, origins=origins))
        assert meant(declared(folder, [printed], [])) == meant(once)
    as_json = json.loads(effective.json(once, PROD))
    assert meant(declared(folder, [as_json["manifest"]], [])) == meant(once)


@quick
@given(data=st.data())
def test_an_overlay_touches_only_what_it_names(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("law")
    base = data.draw(documents())
    before = sound(folder, [base])
    over = data.draw(overlays(before))
    after = declared(folder, [base], [over])
    assume(not errors(after.diagnostics))
    patches = over["workflows"]
    assert before.workflows.keys() - after.workflows.keys() == {a for a, p in patches.items() if p is None}
    for address, workflow in after.workflows.items():
        patch = patches.get(address, {})
        named, was, now = spoken_of(patch), all_of(before, address), all_of(after, address)
        assert {path: now.get(path) for path in named} == named
        every = {path for path in was if path.startswith("metrics.") and "tolerance" in patch}
        for path in (was.keys() | now.keys()) - named.keys() - every:
            assert now[path] == was[path]
        assert workflow.unmanaged == before.workflows[address].unmanaged


def all_of(desired: Desired, address: str) -> Json:
    labelled = desired.labels.get(address, {})
    return leaves(desired.workflows[address].fields()) | {f"labels.{k}": v for k, v in labelled.items()}


def spoken_of(part: Json) -> Json:
    """Path → the value that it must have then; None for what is taken away."""
    spellings = {"regen": "regenerate", "max_improvement_attempts": "max_retries"}
    named = {spellings.get(key, key): value for key, value in part.items()}
    metrics, level = named.pop("metrics", {}), named.pop("tolerance", None)
    if isinstance(metrics, list):
        metrics = dict.fromkeys(metrics, level)
    for what, values in (("metrics", metrics), ("labels", named.pop("labels", {}))):
        named |= {f"{what}.{name}": value for name, value in values.items()}
    if "file_search" in named:
        named["file_search"] = tuple(sorted(named["file_search"]))
    if "improvement_action" in named:
        named["improvement_action"] = spellings.get(named["improvement_action"], named["improvement_action"])
    return named
