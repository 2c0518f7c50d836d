"""What `validate` calls wrong, the schema of its kind calls wrong too, and nothing else."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from defendctl.manifest.resolve import resolve
from defendctl.manifest.suites import read_suites
from defendctl.manifest.validate import validate
from defendctl.project.load import load_project
from defendctl.project.project import Project
from defendctl.schema.editor import manifest_schema, policy_schema, project_schema
from defendctl.schema.editor_suite import suite_schema
from defendctl.yamltext.loader import loads
from defendctl.yamltext.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Json = Any
PARTS: dict[str, list[Json]] = {
    "type": ["custom", "automatic"],
    "metrics": [
        {"completeness": 0.8},
        {"completeness": "low"},
        ["completeness"],
        {"correctness": None},
        {"correctness": 0.5, "completeness": None},
        ["correctness", "completeness"],
        {},
        [],
    ],
    "tolerance": ["low"],
    "improvement_action": ["none"],
}


def parts() -> list[Json]:
    """Every part of a workflow that these make."""
    choices = [[{}, *({key: value} for value in values)] for key, values in PARTS.items()]
    return [{k: v for one in chosen for k, v in one.items()} for chosen in itertools.product(*choices)]


def faults(document: Json) -> list[str]:
    documents, wrong = loads(json.dumps(document), "m.yaml")
    report = Report("m.yaml", wrong)
    for one in documents:
        list(validate(one, (), report))
    return [each.message for each in (*wrong, *report.diagnostics)]


def of_other_type(message: str) -> bool:
    """The metrics of `defaults` were meant for another type: the workflow is wrong only with them in it."""
    said = ("must be a number from 0 to 1", "must be low, medium or high", "of a custom workflow must be")
    more = ("`tolerance` goes with a list", "`tolerance` belongs to", "lacks `tolerance`")
    return any(one in message for one in (*said, *more))


def test_about_any_workflow_with_any_defaults() -> None:
    agreed: Counter[bool] = Counter()
    schema = Draft7Validator(manifest_schema())
    pairs = list(itertools.product(parts(), parts()))
    for defaults, workflow in random.Random(7).sample(pairs, 1_500):
        document = {"version": 1, "defaults": defaults, "workflows": {"a": workflow}}
        wrong = faults(document)
        if schema.is_valid(document) and wrong:
            assert all(map(of_other_type, wrong)), (document, wrong)
            assert "metrics" in defaults
        else:
            assert schema.is_valid(document) == (not wrong), (document, wrong)
            agreed[not wrong] += 1
    assert agreed[True] > 80
    assert agreed[False] > 1_000


@pytest.mark.parametrize("lacking", ["type", "metrics", "improvement_action"])
def test_what_defaults_lack_is_required_of_each_workflow(lacking: str) -> None:
    whole = {"type": "custom", "metrics": {"completeness": 0.8}, "improvement_action": "none"}
    defaults = {key: value for key, value in whole.items() if key != lacking}
    document = {"version": 1, "defaults": defaults, "workflows": {"a": {}, "b": {lacking: whole[lacking]}}}
    (error,) = Draft7Validator(manifest_schema()).iter_errors(document)
    assert (list(error.absolute_path), error.validator) == (["workflows", "a"], "required")
    (told,) = faults(document)
    assert f"`a` lacks `{lacking}`" in told


CASE = {"input": {"user_prompt": "?"}, "output": "!", "expect": "passes"}
OWN = [{}, {"workflow": "a"}, {"model_used": "m"}, {"workflow": "a", "model_used": "m"}]


def test_about_any_case_with_any_defaults(tmp_path: Path) -> None:
    project = Project(tmp_path, None, tmp_path / "s", tests=("t.yaml",))
    valid = 0
    for defaults, case in itertools.product([None, *OWN, {"tags": ["x"]}], OWN):
        document: Json = {"version": 1, "tests": {"one": {**CASE, **case}}}
        document |= {} if defaults is None else {"defaults": defaults}
        (tmp_path / "t.yaml").write_text(json.dumps(document))
        wrong = read_suites(_with_spans(project), tmp_path).diagnostics
        assert Draft7Validator(suite_schema()).is_valid(document) == (not wrong), (document, wrong)
        valid += not wrong
    assert valid == 11


def _with_spans(project: Project) -> Project:
    from dataclasses import replace

    from defendctl.diagnostics import Span

    return replace(project, test_spans=(Span("defendctl.yaml"),))


def rules() -> Iterator[Json]:
    for metric in ("completeness", "completness", "tone"):
        yield {"id": "a", "level": "deny", "require_metrics": [metric]}
        yield {"id": "a", "level": "deny", "min_threshold": {metric: 0.5}}


@pytest.mark.parametrize("custom", [None, [], ["tone"]])
@pytest.mark.parametrize("known", [(), ("tone",)])
@pytest.mark.parametrize("where", ["top", "environment"])
def test_about_the_metrics_that_rules_name(
    tmp_path: Path, custom: list[str] | None, known: tuple[str, ...], where: str
) -> None:
    """A schema that does not know all of `custom_metrics` takes any word for a metric."""
    schema = Draft7Validator(project_schema(known))
    for rule in rules():
        policy = {"policy": {"rules": [rule]}}
        document: Json = {"version": 1} | (policy if where == "top" else {"environments": {"prod": policy}})
        document |= {} if custom is None else {"custom_metrics": custom}
        (tmp_path / "defendctl.yaml").write_text(json.dumps(document))
        wrong = load_project(None, tmp_path)[1]
        if set(custom or ()) <= set(known):
            stale = not custom and "tone" in known and "tone" in json.dumps(rule)
            assert schema.is_valid(document) == (not wrong or stale), (document, wrong)
        else:
            assert schema.is_valid(document)


def test_a_schema_made_in_a_project_knows_its_metrics(tmp_path: Path) -> None:
    for rule in rules():
        document = {"version": 1, "rules": [rule]}
        told = Draft7Validator(policy_schema(("tone",))).is_valid(document)
        assert told == ("completness" not in json.dumps(rule))


URLS = {
    "https://api.example.com": True,
    "HTTPS://api.example.com:8443/base/": True,
    "http://localhost:8080": True,
    "http://LOCALHOST/": True,
    "http://127.0.0.1": True,
    "http://127.1.2.3:99/x": True,
    "http://[::1]:8080": True,
    "http://api.example.com": False,
    "http://127.0.0.1.example.com": False,
    "http://localhost.example.com": False,
    "http://localhost@example.com": False,
    "https://me:secret@api.example.com": False,
    "https://api.example.com?x": False,
    "file:///etc/passwd": False,
    "": False,
}


@pytest.mark.parametrize("url", URLS)
def test_about_any_url(tmp_path: Path, url: str) -> None:
    document = {"version": 1, "api": {"base_url": url}}
    (tmp_path / "defendctl.yaml").write_text(json.dumps(document))
    assert (load_project(None, tmp_path)[1] == []) == URLS[url]
    assert Draft7Validator(project_schema()).is_valid(document) == URLS[url]


def test_about_whole_files_that_are_right(tmp_path: Path) -> None:
    """A document with everything in `defaults` and one with nothing there."""
    whole = {
        "type": "automatic",
        "tolerance": "low",
        "metrics": ["completeness"],
        "improvement_action": "none",
    }
    for defaults, workflow in ((whole, {}), ({"labels": {"team": "a"}}, {**whole, "labels": {"team": None}})):
        document = {"version": 1, "defaults": defaults, "workflows": {"a": workflow}}
        (tmp_path / "m.yaml").write_text(json.dumps(document))
        project = Project(tmp_path, None, tmp_path / "s")
        assert resolve(project, [tmp_path / "m.yaml"], tmp_path).diagnostics == []
        assert Draft7Validator(manifest_schema()).is_valid(document)
