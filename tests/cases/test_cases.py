"""Whole plans, as files: a folder each, without any network.

manifests/*.yaml   what is declared
overlays/*.yaml    what lies over them in the environment of options.json (default: none)
live.json          address → what GET answers, raw, or null for a 404 (default: nothing is live)
state.json         what we remember (default: nothing), see `read_state`
options.json       target, replace, generation, custom_metrics (default: none, auto); replay: how many events;
                   environment: its name
policy.yaml        rules (default: none); the day is TODAY
expected/          plan and drift as .txt, .json, .md (a comment) and .github (annotations)

What no file can say yet stands in built.py, as plans; their folders hold only `expected/`.

After a change that was meant: UPDATE_GOLDEN=1 pytest tests/cases, then read the difference.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.api.decode import observe
from defendctl.api.detail import recent
from defendctl.api.dialects import DIALECTS
from defendctl.diagnostics import Span, errors
from defendctl.engine.generation import disagreement, evidence, generation
from defendctl.manifest.resolve import resolve
from defendctl.model import Binding, Fields, Intent, Observed, State
from defendctl.operations.policy import judge_plan
from defendctl.operations.replay import replay_read
from defendctl.operations.replay import to_read as to_replay
from defendctl.operations.selection import Selection, in_scope
from defendctl.plan.build import World, build_plan, probable_moves, to_read
from defendctl.plan.drift import Drifted, build_drift
from defendctl.plan.renames import settle
from defendctl.project.project import Project
from defendctl.render import github
from defendctl.render.json import plan as plan_json
from defendctl.render.json import results as results_json
from defendctl.render.json.contract import PlanDocument, document_schema
from defendctl.render.json.dump import dumped
from defendctl.render.markdown import comment as comment_markdown
from defendctl.render.setting import Setting
from defendctl.render.text import diagnostics as diagnostics_text
from defendctl.render.text import drift as drift_text
from defendctl.render.text import plan as plan_text
from defendctl.render.text.paint import plain
from defendctl.replay.sample import Sample
from defendctl.review import Replayed, Review
from defendctl.state.document import fields_from
from tests.cases.built import BUILT

if TYPE_CHECKING:
    from defendctl.diagnostics import Diagnostic
    from defendctl.manifest.desired import Desired
    from defendctl.plan.changes import Plan
    from defendctl.plan.renames import Past

HERE = Path(__file__).parent
CASES = sorted(folder.parent for folder in HERE.glob("*/manifests"))
UPDATE = "UPDATE_GOLDEN=1 pytest tests/cases tests/render"
TODAY = date(2026, 3, 1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Path) -> None:
    plan, drifted = planned(case)
    setting = Setting(environment=plan.plan.environment)
    outputs = {
        "plan.txt": plan_text.plan(plan) + diagnostics_text.listing(plan.diagnostics, plain),
        "plan.json": dumped(plan_json.plan(plan)),
        "plan.md": comment_markdown.plan(plan),
        "plan.github": github.plan(plan),
        "drift.txt": drift_text.drift(drifted, setting),
        "drift.json": dumped(results_json.drift(drifted, setting)),
        "drift.md": comment_markdown.drift(drifted, setting),
        "drift.github": github.drift(drifted, setting),
    }
    for name, actual in outputs.items():
        expect(case / "expected" / name, actual)


@pytest.mark.parametrize("name", BUILT)
def test_built(name: str) -> None:
    """Those that no manifest makes: with a policy's findings, replays, or 500 workflows."""
    plan = BUILT[name]()
    expect(HERE / name / "expected" / "plan.md", comment_markdown.plan(plan))
    expect(HERE / name / "expected" / "plan.github", github.plan(plan))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_plan_fits_its_schema(case: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((HERE.parents[1] / "schemas" / "plan.schema.json").read_text(encoding="utf-8"))
    assert schema == document_schema(PlanDocument, "defendctl plan")
    jsonschema.Draft7Validator(schema).validate(json.loads(dumped(plan_json.plan(planned(case)[0]))))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_acts_on_a_terminal(case: Path) -> None:
    plan, drifted = planned(case)
    for shown in (plan_text.plan(plan), drift_text.drift(drifted), dumped(plan_json.plan(plan))):
        assert all(line.isprintable() for line in shown.split("\n"))
    for shown in (plan_text.plan(plan), drift_text.drift(drifted)):
        assert not any(line.lstrip().startswith("::") or "##[" in line for line in shown.split("\n"))


def expect(golden: Path, actual: str) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True, parents=True)
        golden.write_text(actual, encoding="utf-8")
    expected = golden.read_text(encoding="utf-8") if golden.exists() else ""
    assert actual == expected, (
        f"{golden.relative_to(HERE.parent)} is not as it was; if that is meant: {UPDATE}"
    )


@cache
def planned(case: Path) -> tuple[Review, list[Drifted]]:
    """The way of the data, as plan and drift go it, with answers from a file."""
    options = read_json(case / "options.json", {})
    desired = read_manifests(case, options)
    answers = {a: raw and observe(raw) for a, raw in read_json(case / "live.json", {}).items()}
    state = read_state(read_json(case / "state.json", {}), desired, options)
    chosen = Selection(target=tuple(options.get("target", ())), replace=tuple(options.get("replace", ())))
    plan, found = make_plan(desired, answers, state, chosen, options)
    replayed = Replayed()
    if "replay" in options:
        replayed = replay_events(plan, read_json(case / "live.json", {}), options["replay"])
    findings, unneeded = judge_plan(plan, replayed.judged, desired, TODAY)
    told = (*found, *replayed.diagnostics, *unneeded)
    review = Review(plan, told, findings, replayed.shown, replayed.judged)
    bindings = past_of(desired, state).state.bindings
    bound = {address: answers[address] for address in bindings}
    return review, build_drift(desired.workflows, bound, bindings)


def past_of(desired: Desired, state: State) -> Past:
    return settle(desired.renamed, desired.imports, desired.workflows, state)


def make_plan(
    desired: Desired,
    answers: dict[str, Observed | None],
    state: State,
    chosen: Selection,
    options: dict[str, Any],
) -> tuple[Plan, list[Diagnostic]]:
    pinned = options.get("generation", "auto")
    past = past_of(desired, state)
    state = past.state
    scope = in_scope(desired, state, chosen)
    live = {address: answers[address] for address in to_read(desired.workflows, state, scope, past)}
    seen = evidence(live.values())
    support = DIALECTS[generation(pinned, seen, state.generation)].support
    world = World(desired.workflows, live, state, support, "api.example.com", scope, chosen.options)
    world = replace(world, moves=past.moves, taken=past.taken, held=past.held)
    made = build_plan(replace(world, environment=options.get("environment")))
    return made, [*disagreement(pinned, seen), *probable_moves(made.changes)]


def replay_events(plan: Plan, answers: dict[str, Any], last: int) -> Replayed:
    read = {address: recent(answers[address], last, content=False) for address in to_replay(plan)}
    return replay_read(plan, read, {}, Sample(last), Sample(last))


def read_manifests(case: Path, options: dict[str, Any]) -> Desired:
    custom_metrics = tuple(options.get("custom_metrics", ()))
    project = Project(case, None, case / "state.json", ("manifests",), custom_metrics=custom_metrics)
    paths: list[Path] | None = [case / "manifests"]
    if (case / "overlays").exists():  # with `paths`, what they alone declare would be left out, as with -f
        paths, laid = None, (Span("defendctl.yaml"),)
        project = replace(project, file=case / "defendctl.yaml", overlays=("overlays",), overlay_spans=laid)
    if (case / "policy.yaml").exists():
        project = replace(project, includes=("policy.yaml",), include_spans=(Span("defendctl.yaml"),))
    desired = resolve(project, paths, case, TODAY)
    assert not errors(desired.diagnostics), desired.diagnostics
    return desired


def read_json(file: Path, default: Any) -> Any:
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else default


def read_state(data: dict[str, Any], desired: Desired, options: dict[str, Any]) -> State:
    """`{"serial", "generation", "bindings": {address: BINDING}, "tombstones": {address: [BINDING]},
    "unresolved": {address: {"at", "sent"}}}`

    BINDING is `{"id", "applied", "assumed", "unconfirmed"}`. A map of fields may hold `"as": "declared"`:
    the values that the manifest declares now, but for those that stand beside it or are assumed.
    """

    def fields(address: str, given: dict[str, Any]) -> Fields:
        own = {name: value for name, value in given.items() if name != "as"}
        now = {old: new for new, old in desired.renamed.items()}.get(address, address)
        base = desired.workflows[now].fields() if given.get("as") == "declared" else {}
        support = DIALECTS[data.get("generation", "2025-12-07")].support
        return {**{n: v for n, v in base.items() if n in support.create}, **fields_from(own)}

    def binding(address: str, given: dict[str, Any]) -> Binding:
        applied, assumed = (fields(address, given.get(key, {})) for key in ("applied", "assumed"))
        known = {name: value for name, value in applied.items() if name not in assumed}
        return Binding(given["id"], known, assumed, frozenset(given.get("unconfirmed", ())))

    return State(
        lineage="7f3a9c12-0000-4000-8000-000000000000" if data else None,
        serial=data.get("serial", 0),
        api_host="api.example.com",
        generation=data.get("generation"),
        bindings={a: binding(a, b) for a, b in data.get("bindings", {}).items()},
        tombstones={a: tuple(binding(a, b) for b in old) for a, old in data.get("tombstones", {}).items()},
        unresolved={
            a: Intent("op-1", intent["at"], fields(a, intent["sent"]))
            for a, intent in data.get("unresolved", {}).items()
        },
    )
