"""What is wrong with a file is told without what it holds: it may be another file than its author thinks."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from defendctl.diagnostics import DefendctlError
from defendctl.operations.planfile import read_plan
from defendctl.state.document import _checksum
from defendctl.state.journal import encode
from tests.bad.spoil_states import BOUND, HEAD, INTENT, write_good
from tests.conftest import custom

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Project, Ran

Json = Any
TOKEN = "ghp_4711Planted0815"
"""A word, so that nothing but its place can tell that it is none of ours."""
NUMBER = "4929123412340815"
SENTENCE = "My planted card 4929 was refused"
FOREIGN = {
    "token": f"{TOKEN}\n",
    "number": f"{NUMBER}\n",
    "variables": f"API_KEY={TOKEN}\nOTHER={NUMBER}\n",
    "netrc": f"machine api login me password {TOKEN}\n",
    "mapping": f"token: {TOKEN}\nnumber: {NUMBER}\n",
    "keys": f"{TOKEN}: 1\n{NUMBER}: 2\n",
    "version": f"version: {TOKEN}\n",
    "other version": f"version: 2\n{TOKEN}: {TOKEN}\n",
    "kubernetes": f"apiVersion: v1\nkind: Config\nusers: [{{user: {{token: {TOKEN}}}}}]\n",
    "list": f"- {TOKEN}\n- {NUMBER}\n",
    "twice": f"{TOKEN}: 1\n{TOKEN}: 2\n",
    "alias": f"*{TOKEN}\n",
    "anchor": f"a: &{TOKEN} [*{TOKEN}]\nb: *x{TOKEN}\n",
    "tag": f"!{TOKEN} x\n",
    "merge": f"<<: {TOKEN}\na: 1\n",
    "key": f"? [{TOKEN}]\n: 1\n",
    "unclosed": f'"{TOKEN}\n',
    "indentation": f"a: 1\n  {TOKEN}: {TOKEN}: b\n",
    "json": json.dumps({"kind": "plan", "format_version": TOKEN, TOKEN: {TOKEN: NUMBER}}),
    "results": json.dumps({"kind": "test-results", "format_version": "1.0", TOKEN: TOKEN}),
    "plan": json.dumps({"kind": "plan", "format_version": "1.0", "changes": [{TOKEN: TOKEN}], TOKEN: TOKEN}),
    "pairs": json.dumps({f"{TOKEN} {NUMBER}": f"{TOKEN} {NUMBER}"}),
    "cells": f"address,workflow_id\n{TOKEN} {NUMBER},{TOKEN} {NUMBER}\n",
    "scores": f"{TOKEN} {NUMBER}: {{x: 85}}\n",
    "state": json.dumps({"format": 1, TOKEN: TOKEN, "bindings": {TOKEN: TOKEN}}),
}
NAMED: list[list[str]] = [
    ["validate", "FILE"],
    ["plan", "-f", "FILE"],
    ["fmt", "--check", "FILE"],
    ["validate", "--config", "FILE"],
    ["apply", "FILE"],
    ["plan", "--tests", "FILE"],
    ["import", "--from", "FILE"],
    ["events", "submit", "bot", "--input", "FILE"],
    ["sandbox", "serve", "--scores", "FILE"],
]
ENTRIES: dict[str, Json] = {
    "manifests": {"manifests": ["workflows", "FILE"]},
    "tests": {"tests": ["FILE"]},
    "policy": {"policy": {"include": ["FILE"]}},
    "overlays": {"environments": {"prod": {"overlays": ["FILE"]}}},
    "state": {"state": {"path": "FILE"}},
}


def assert_silent(ran: Ran) -> None:
    for secret in (TOKEN, NUMBER, "4929", "planted"):
        assert secret.lower() not in (ran.out + ran.err).lower(), ran
    assert ran.code != 0


@pytest.fixture
def foreign(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    file = tmp_path / "elsewhere" / "it"
    file.parent.mkdir()
    file.write_text(FOREIGN[request.param])
    return str(file)


@pytest.mark.parametrize("foreign", FOREIGN, indirect=True)
def test_a_foreign_file_that_is_named(offline: Project, foreign: str) -> None:
    offline.declare({"bot": custom()})
    for command in NAMED:
        assert_silent(offline.run(*(foreign if word == "FILE" else word for word in command)))


@pytest.mark.parametrize("foreign", FOREIGN, indirect=True)
@pytest.mark.parametrize("entry", ENTRIES)
def test_a_foreign_file_that_an_entry_names(offline: Project, foreign: str, entry: str) -> None:
    offline.declare({"bot": custom()})
    offline.settings(**json.loads(json.dumps(ENTRIES[entry]).replace("FILE", foreign)))
    command = {"tests": "validate", "state": "outputs"}.get(entry, "plan")
    assert_silent(offline.run(command))


EVENT = {
    "user_prompt": "x",
    "system_prompt": "x",
    "context": ["x", {"role": "user", "content": "x"}],
    "ground_truth": "x",
    "model_output": "x",
    "model_used": "x",
    "run_mode": "fast",
    "nametag": "x",
}
CASE = {
    "workflow": "bot",
    "model_used": "m",
    "input": {key: EVENT[key] for key in ("user_prompt", "system_prompt", "context", "ground_truth")},
    "output": "x",
    "expect": {"result": "passes", "metrics": {"completeness": "passes"}, "scores": {"completeness": [0, 1]}},
    "tags": ["a"],
    "repeats": 2,
    "quorum": 2,
    "cost": 0.1,
}


def spoilt(data: Json, planted: str) -> Iterator[Json]:
    """The same with the planted text at one place: as a value, in a list or mapping, as a key."""
    number = int("4929" * 4)
    for path in paths(data):
        for new in (planted, number, [planted], [number], {planted: planted}, {planted: {planted: 1}}, True):
            yield changed(data, path, new)
        yield renamed(data, path, planted)


def paths(data: Json, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    for key in data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ():
        yield from paths(data[key], (*at, key))


def changed(data: Json, path: tuple[Any, ...], new: Json) -> Json:
    made = copy.deepcopy(data)
    inner = made
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = new
    return made


def renamed(data: Json, path: tuple[Any, ...], key: str) -> Json:
    made = copy.deepcopy(data)
    inner = made
    for step in path[:-1]:
        inner = inner[step]
    if isinstance(inner, dict):
        inner[key] = inner.pop(path[-1])
    return made


@pytest.mark.parametrize("planted", [SENTENCE, TOKEN])
def test_an_event_is_never_quoted(offline: Project, planted: str) -> None:
    """Sound ones come as far as the state, in which there is no such workflow."""
    offline.declare({"bot": custom()})
    for event in spoilt(EVENT, planted):
        (offline.root / "event.json").write_text(json.dumps(event))
        assert_silent(offline.run("events", "submit", "bot", "--input", "event.json"))


@pytest.mark.parametrize("planted", [SENTENCE, TOKEN])
def test_inputs_and_outputs_of_tests_are_never_quoted(offline: Project, planted: str) -> None:
    offline.declare({"bot": custom()})
    offline.settings(tests=["cases.json"])
    inner = ("input", "output")
    for case in spoilt(CASE, planted):
        if planted == TOKEN and any(case.get(key) != CASE.get(key) for key in {*CASE, *case} - {*inner}):
            continue  # a word where a word belongs
        (offline.root / "cases.json").write_text(json.dumps({"version": 1, "tests": {"one": case}}))
        ran = offline.run("validate")
        assert_silent(whatever_code(ran))


def whatever_code(ran: Ran) -> Ran:
    from dataclasses import replace

    return replace(ran, code=ran.code or 1)


OURS: dict[str, Json] = {
    "manifest": {
        "version": 1,
        "defaults": {"labels": {"team": "a"}, "metrics": {"correctness": 0.5}},
        "workflows": {
            "bot": custom(
                name="x",
                description="x",
                max_retries=3,
                web_search=True,
                file_search=["file_1", {"path": "x"}],
                unmanaged=["context_awareness"],
                renamed_from="old",
                labels={"tier": "critical"},
            )
        },
        "waivers": [
            {
                "address": "bot",
                "rule": "r",
                "field": "metrics.completeness",
                "to": 0.5,
                "reason": "why",
                "approver": "Jane",
                "expires": "2999-01-01",
            }
        ],
    },
    "project": {
        "version": 1,
        "api": {
            "base_url": "https://api.example.com",
            "generation": "auto",
            "key_variable": "DEEPRAILS_API_KEY",
        },
        "custom_metrics": ["tone"],
        "lint": {"same-name": "error"},
        "policy": {
            "replay": {"last": 50, "min_events": 20},
            "rules": [
                {"id": "a", "level": "deny", "message": "x", "min_threshold": {"completeness": 0.5}},
                {"id": "b", "level": "warn", "select": {"labels": {"a": "b"}}, "require_metrics": ["tone"]},
            ],
        },
    },
}


OURS["overlay"] = {
    "version": 1,
    "workflows": {
        "bot": {
            "name": "x",
            "metrics": {"completeness": None},
            "labels": {"tier": "critical"},
            "file_search": ["file_1"],
            "improvement_action": "none",
            "max_improvement_attempts": 3,
            "unmanaged": ["description"],
        }
    },
    "waivers": OURS["manifest"]["waivers"],
}
OURS["policy"] = {"version": 1, "rules": OURS["project"]["policy"]["rules"]}
OURS["tests"] = {"version": 1, "defaults": {"workflow": "bot", "model_used": "m"}, "tests": {"one": CASE}}
FILES = {
    "manifest": "workflows/all.yaml",
    "project": "defendctl.yaml",
    "overlay": "overlays/prod.yaml",
    "policy": "policies/rules.yaml",
    "tests": "tests/cases.yaml",
}


SETTINGS: dict[str, Json] = {
    "overlay": {"environments": {"prod": {"overlays": ["overlays"]}}},
    "policy": {"policy": {"include": ["policies"]}},
    "tests": {"tests": ["tests"]},
}


@pytest.mark.parametrize("kind", OURS)
def test_no_text_of_our_own_files_is_quoted(offline: Project, kind: str) -> None:
    """Words are, where a word belongs; a sentence is none."""
    offline.declare({"bot": custom()})
    offline.settings(**SETTINGS.get(kind, {}))
    (offline.root / FILES[kind]).parent.mkdir(exist_ok=True)
    written = yaml.safe_dump if kind in ("manifest", "policy") else json.dumps
    for data in spoilt(OURS[kind], SENTENCE):
        (offline.root / FILES[kind]).write_text(written(data))
        assert_silent(whatever_code(offline.run("validate")))


def lists_of_ids() -> Iterator[str]:
    for pairs in (
        {"a": "wkfl_1"},
        {"defend_workflow_ids": {"value": {"a": "wkfl_1"}}},
        [{"address": "a", "workflow_id": "wkfl_1"}],
    ):
        yield from map(json.dumps, spoilt(pairs, SENTENCE))
    yield f"address,workflow_id\n{SENTENCE},wkfl_1\na,{SENTENCE}\n"
    yield f"{SENTENCE},x\na,b\n"
    yield json.dumps({"api_key": TOKEN, "Password": TOKEN})


def test_lists_of_ids_are_not_quoted(offline: Project) -> None:
    offline.declare({"a": custom()})
    for text in lists_of_ids():
        (offline.root / "ids").write_text(text)
        assert_silent(whatever_code(offline.run("import", "--from", "ids")))


def test_saved_plans_are_not_quoted(project: Project) -> None:
    project.declare({"bot": custom()})
    project.ok("plan", "--out", "p.json")
    path = project.root / "p.json"
    saved = json.loads(path.read_text())
    for data in spoilt(saved, SENTENCE):
        path.write_text(json.dumps(data))
        try:
            read_plan(path)
        except DefendctlError as error:
            told = f"{error} {error.hint}"
            assert SENTENCE not in told, told
            assert "4929" not in told, told
    path.write_text(json.dumps({**saved, "options": {**saved["options"], "target": [SENTENCE]}}))
    assert_silent(project.run("apply", "p.json", "--yes"))


def test_what_is_wrong_with_a_state_is_told_without_it(offline: Project) -> None:
    """Whose checksum is right: what is well-formed is ours, and shown."""
    offline.declare({"bot": custom()})
    write_good(offline.state_file)
    body = json.loads(offline.state_file.read_text())
    del body["checksum"]
    for data in spoilt(body, SENTENCE):
        offline.state_file.write_text(json.dumps({**data, "checksum": _checksum(data)}))
        ran = offline.run("state", "list")
        if ran.code:
            assert_silent(ran)


def test_what_is_wrong_with_a_journal_is_told_without_it(offline: Project) -> None:
    offline.declare({"bot": custom()})
    write_good(offline.state_file)
    for records in spoilt([HEAD, INTENT, BOUND], SENTENCE):
        lines = [encode(record) for record in records if isinstance(record, dict)]
        offline.journal.write_bytes(b"".join([*lines[:2], b"damaged\n", *lines[2:]]))
        assert_silent(whatever_code(offline.run("outputs")))


def test_what_an_uploaded_file_holds_is_not_quoted(offline: Project) -> None:
    for content in (f"{SENTENCE}\n".encode(), f"{TOKEN}\0".encode(), b"\xff" + TOKEN.encode()):
        (offline.root / "kept.txt").write_bytes(content)
        offline.declare({"bot": custom(file_search=[{"path": "kept.txt"}])})
        for command in ("validate", "plan"):
            assert_silent(whatever_code(offline.run(command)))


def test_a_word_where_a_word_belongs_is_quoted(offline: Project) -> None:
    offline.declare({"bot": custom(type="costum", max_retires=3)})
    err = offline.ok("validate", code=1).out
    assert 'found the text "costum". Did you mean "custom"?' in err
    assert 'The key `max_retires` is not known here. Did you mean "max_retries"?' in err
    (offline.root / "event.json").write_text(json.dumps({"usr_prompt": "x", "model_output": "x"}))
    ran = offline.ok("events", "submit", "bot", "--input", "event.json", code=1)
    assert 'The key `usr_prompt` is not known here. Did you mean "user_prompt"?' in ran.err
