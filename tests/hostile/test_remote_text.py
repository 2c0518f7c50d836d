"""Whatever text the API answers: on both streams it is text, and JSON stays JSON.

The plan itself is in tests/cases/hostile-answers, every character there is in tests/render/test_inert.py.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.state.owner import Owner
from tests.bad.golden import assert_inert
from tests.conftest import Project, custom, few_quick
from tests.state.forge import Forge

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = {
    "colour": "\x1b[31mred\x1b[0m",
    "clipboard": "\x1b]52;c;aGk=\x07",
    "title": "\x9d0;title\x9c",
    "newline": "a\n::error file=x::y\r\n::set-output name=a::b",
    "at-once": "::add-mask::a",
    "indented": "  ::stop-commands::x",
    "old-style": "##[error]x",
    "old-style-newline": "x\n##vso[task.setvariable variable=a]b",
    "bidirectional": "\u202egnp.exe\u2066\u2069",
    "invisible": "a\u200b\u00ad\ufeff\U000e0041",
    "surrogate": "\ud800 \udfff",
    "separators": "a\u2028::error::b\u2029c\x85d\x0be\x0cf",
    "backspace": "good\b\b\b\bevil\x7f",
    "nul": "a\x00b",
    "long": "x" * 200_000,
    "mention": "@everyone <img src=x onerror=alert(1)> &#64;team ```",
    "quotes": "\"'`$(id)\\",
    "carriage": "real\rfake",
}
QUICK = ("newline", "surrogate")
NAMES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in TEXTS]
ASKED = (
    ["plan"],
    ["plan", "-v"],
    ["plan", "--format", "json"],
    ["plan", "--out", "p.json"],
    ["drift"],
    ["drift", "--format", "json"],
    ["show", "a"],
    ["show", "a", "--format", "json"],
    ["show", "b", "-v"],
    ["apply", "--yes", "-v"],
    ["apply", "--yes", "--format", "json"],
    ["outputs"],
    ["outputs", "--format", "env"],
    ["state", "list"],
    ["state", "list", "--format", "json"],
    ["state", "rm", "a"],
    ["state", "list"],
)


def run(project: Project, *command: str) -> None:
    ran = project.run(*command)
    assert ran.code in (0, 1, 2, 4, 5, 6, 7), ran
    assert_inert(ran.out + ran.err)
    if "json" in command or command == ("outputs",):
        assert ran.out == "" or ran.json["format_version"] in ("1.0", "1.1")


def answer(workflow_id: str, text: str) -> dict[str, Any]:
    return {
        "workflow_id": workflow_id,
        "name": text,
        "description": text,
        "status": text,
        "improvement_action": text,
        "threshold_type": "custom",
        "custom_hallucination_threshold_values": {text: 0.5, "completeness": text, f"{text}2": text},
        "max_improvement_attempts": text,
        "capabilities": [{"capability": text}, text],
        "files": [{"file_id": text, "presigned_url": text}],
        "created_at": text,
        "updated_at": text,
        text: text,
    }


@pytest.mark.parametrize("name", NAMES)
def test_in_an_answer(project: Project, name: str) -> None:
    text = TEXTS[name]
    project.declare({"a": custom(description=""), "b": custom()})
    project.apply()
    workflow_id = project.bound("a")
    unbound = project.server.add(name="unbound")
    for each in (workflow_id, unbound):
        body = json.dumps(answer(each, text))
        project.server.fault("body", "GET", path=each, times=None, body=body)
    refusal = {"detail": [{"loc": ["body", text], "msg": text, "type": text}], "message": text}
    project.server.fault("status", "PUT", status=422, times=None, body=json.dumps(refusal))
    run(project, "import", "undeclared", unbound)
    run(project, "import", "undeclared", unbound, "-v")
    for command in ASKED:
        run(project, *command)


@pytest.mark.parametrize("name", NAMES)
def test_in_a_refusal(project: Project, name: str) -> None:
    text = TEXTS[name]
    project.declare({"a": custom(), "b": custom()})
    for status in (400, 409, 422):
        body = json.dumps({"detail": text, "error": text})
        project.server.fault("status", "POST", status=status, body=body, headers={"x-reason": "x"})
    run(project, "apply", "--yes", "--format", "json")
    run(project, "apply", "--yes")
    run(project, "state", "list")
    run(project, "plan")
    for command in (["show", "a"], ["outputs"], ["plan", "--format", "json"], ["drift", "-v"]):
        run(project, *command)


@pytest.mark.parametrize("name", NAMES)
def test_as_an_id(project: Project, name: str) -> None:
    """An id that may be used is escaped in every output; another one is none, and the create unknown."""
    text = TEXTS[name].replace(" ", "")
    project.declare({"a": custom()})
    project.server.fault("body", "POST", body=json.dumps({"workflow_id": text}))
    run(project, "apply", "--yes")
    for command in ASKED:
        run(project, *command)


@pytest.mark.parametrize("name", NAMES)
def test_as_another_id(project: Project, name: str) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    body = json.dumps({"workflow_id": TEXTS[name], "name": "a"})
    project.server.fault("body", "GET", times=None, body=body)
    run(project, "import", "c", "wkfl_other")
    for command in ASKED[:9]:
        run(project, *command)


OF_A_STATE = (
    ["plan"],
    ["apply", "--yes"],
    ["apply", "--yes", "--format", "json"],
    ["state", "list"],
    ["state", "versions", "--format", "json"],
    ["state", "unlock", "nobody"],
    ["doctor"],
    ["doctor", "--format", "json"],
)


@pytest.mark.parametrize("name", few_quick(TEXTS, "newline"))
def test_of_whoever_keeps_the_state(project: Project, tmp_path: Path, name: str) -> None:
    """What a server of git says when it refuses, and what somebody wrote into the lock."""
    forge = Forge(tmp_path / "forge")
    clone = Project(forge.clone(), project.server, project.env)
    clone.settings(state={"url": "git+origin?key=checkout"})
    clone.declare({"a": custom()})
    clone.apply("--new-state")
    clone.declare({"a": custom(), "b": custom()})
    words = tmp_path / "words"
    words.write_bytes(TEXTS[name].encode("utf-8", "surrogatepass"))
    forge.hook("pre-receive", f"cat {words} >&2; exit 1")
    for command in OF_A_STATE:
        run(clone, *command)
    forge.hook("pre-receive", "exit 0")
    text = TEXTS[name][:1000]
    forge.backend().lock(Owner("gone", text, 1, text, text, text), print)
    for command in OF_A_STATE:
        run(clone, *command)


def test_an_id_reaches_a_shell_as_it_is(project: Project) -> None:
    import subprocess

    workflow_id = "wkfl_\u202e\u00ad'$(id)##[x]\\"
    project.declare({"a": custom()})
    project.server.fault("body", "POST", body=json.dumps({"workflow_id": workflow_id}))
    project.run("apply", "--yes")
    script = project.ok("outputs", "--format", "env").out + 'printf %s "$DEFEND_WORKFLOW_A"'
    said = subprocess.run(["bash", "-c", script], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"})
    assert said.stdout.decode() == workflow_id


def test_an_id_reaches_github_as_it_is(project: Project) -> None:
    workflow_id = "wkfl_it's$(id)"
    project.declare({"a": custom()})
    project.server.fault("body", "POST", body=json.dumps({"workflow_id": workflow_id}))
    project.run("apply", "--yes")
    project.env["GITHUB_OUTPUT"] = str(project.root / "github")
    project.ok("outputs", "--format", "github")
    assert (project.root / "github").read_text() == f"a={workflow_id}\n"


def test_file_names(project: Project) -> None:
    for name in ("::error::x.yaml", "a\n::error::b.yaml", "\x1b[31m.yaml", "##[error].yaml", "\u202eb.yaml"):
        (project.root / name).write_text("version: 2\n")
    project.settings(manifests=["*.yaml"])
    for command in (["validate"], ["plan"], ["validate", "--format", "json"]):
        run(project, *command)
        run(project, *command, "-f", "::error::x.yaml", "-f", "nowhere\n::error::")
    run(project, "apply", "::error::x.yaml")
    run(project, "apply", "nowhere\n::error::y")
    ran = project.run("no\n::error::command")
    assert ran.code == 64
    assert_inert(ran.err)


@pytest.mark.parametrize("name", NAMES)
def test_in_a_manifest(project: Project, name: str) -> None:
    """Taken or refused: inert in both cases."""
    text = TEXTS[name]
    keys = {text: 1, "name": text, "description": text, "metrics": {text: text, "completeness": 0.5}}
    project.declare({"a": custom(name=text, description=text), "b": {**custom(), **keys}, text: custom()})
    run(project, "validate")
    run(project, "validate", "--format", "json")
    project.declare({"a": custom(name=text, description=text, file_search=[text])})
    for command in (
        ["plan"],
        ["plan", "--format", "json"],
        ["apply", "--yes"],
        ["show", "a"],
        ["state", "list"],
    ):
        run(project, *command)
