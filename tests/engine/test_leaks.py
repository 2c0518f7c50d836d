"""Nothing of an event leaves the client, the key is nowhere, and no byte from outside acts on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tests.conftest import KEY, custom

if TYPE_CHECKING:
    from tests.conftest import Project

MARK = "planted-marker"
COMMANDS = (
    ["plan"],
    ["plan", "--out", "p.json"],
    ["apply", "--yes"],
    ["drift"],
    ["show", "a"],
    ["outputs"],
    ["state", "list"],
    ["validate"],
    ["import", "undeclared"],
)


@pytest.fixture
def busy(project: Project) -> Project:
    """A project whose workflow has an event full of markers."""
    project.declare({"a": custom(file_search=["f"]), "b": custom()})
    project.apply()
    content = {
        "model_input": {"user_prompt": f"{MARK}-prompt", "system_prompt": f"{MARK}-system"},
        "model_output": f"{MARK}-output",
        "model_used": f"{MARK}-model",
        "nametag": f"{MARK}-nametag",
        "run_mode": "fast",
    }
    answer = httpx.post(
        f"{project.server.url}/defend/{project.bound('a')}/events",
        json=content,
        headers={"authorization": f"Bearer {KEY}"},
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    live = httpx.get(
        f"{project.server.url}/defend/{project.bound('a')}",
        headers={"authorization": f"Bearer {KEY}"},
        trust_env=False,
    )
    assert "sandbox-secret" in live.text
    return project


def _everything(project: Project, *more: str) -> str:
    """The output of every command in every format, and every file."""
    said = []
    unbound = project.server.add(name="undeclared", file_search=["f2"])
    for command in COMMANDS:
        arguments = [*command, unbound] if command[0] == "import" else command
        for form in ([], ["--format", "json"], ["-v"], ["-v", "--timeout", "1"]):
            ran = project.run(*arguments, *form, *more)
            said += [ran.out, ran.err]
    said += [content.decode(errors="replace") for content in project.files().values()]
    return "\n".join(said)


def _assert_clean(text: str) -> None:
    assert KEY not in text
    assert MARK not in text
    assert "sandbox-secret" not in text
    assert "presigned" not in text


def test_nothing_of_an_event_is_shown_or_kept(busy: Project) -> None:
    _assert_clean(_everything(busy))


@pytest.mark.parametrize("kind", ["truncated", "status", "body"])
def test_nor_where_the_api_fails(busy: Project, kind: str) -> None:
    body = f'{{"error": "{MARK} {KEY}", "workflow_id": "{MARK} {KEY}"}}'
    for method in ("GET", "PUT", "POST"):
        busy.server.fault(kind, method, times=3, status=500, body=body, headers={"x-request": f"{MARK}"})
    busy.declare({"a": custom(description="d"), "b": custom(), "c": custom()})
    _assert_clean(_everything(busy))


@pytest.mark.parametrize("status", [400, 401, 403, 409, 422, 302])
def test_the_key_is_not_echoed(busy: Project, status: int) -> None:
    body = f'{{"detail": "key {KEY} is bad"}}'
    busy.server.fault("status", times=None, status=status, body=body, headers={"location": f"/{KEY}"})
    busy.declare({"a": custom(description="d"), "b": custom(), "c": custom()})
    text = _everything(busy)
    assert KEY not in text


NASTY = (
    "\x1b[31mred\x1b]52;c;aGk=\x07",
    "::error::x\n::set-output name=a::b",
    "\u202egnp.exe",
    "##[error]x\r\n",
    "\x9b31m\u2028",
)


@pytest.mark.parametrize("nasty", NASTY, ids=range(len(NASTY)))
def test_text_from_the_api_is_inert(project: Project, nasty: str) -> None:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    workflow_id = project.bound("a")
    project.server.edit(workflow_id, name=nasty, description=nasty, status=nasty, improvement_action=nasty)
    project.server.edit(workflow_id, metrics={nasty: 0.5}, file_search=[nasty])
    unbound = project.server.add(name=nasty, description=nasty, metrics={nasty: 0.5})
    refused = {"detail": [{"loc": ["body", nasty], "msg": nasty}]}
    project.server.fault("status", "PUT", status=422, times=None, body=httpx.Response(200, json=refused).text)
    for command in (
        ["plan"],
        ["plan", "--format", "json"],
        ["apply", "--yes"],
        ["apply", "--yes", "--format", "json"],
        ["drift"],
        ["show", "a"],
        ["import", "undeclared", unbound],
        ["state", "list"],
    ):
        ran = project.run(*command)
        for line in (ran.out + ran.err).split("\n"):
            assert not line.lstrip().startswith(("::", "##[")), (command, line)
            assert all(c.isprintable() for c in line), (command, line)
