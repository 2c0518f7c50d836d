"""The key, and every text of an event, in no output and no file, whatever goes wrong. More in tests/engine.

Markers stand in each text of an event, in its presigned URLs, in the bodies and headers of every refusal.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING
from unittest.mock import patch

import httpx
import pytest

from tests.conftest import KEY, custom
from tests.hostile.measured import measure
from tests.operations.cut import Cut, run_cut

if TYPE_CHECKING:
    from tests.conftest import Project

MARK = "planted"
SECRETS = (KEY, KEY[3:], MARK, "sandbox-secret", "presigned")
COMMANDS = (
    ["validate"],
    ["validate", "--format", "json"],
    ["plan"],
    ["plan", "--format", "json", "-v"],
    ["plan", "--replay", "-v"],
    ["plan", "--replay", "20", "--format", "json", "-v", "--out", "r.json"],
    ["plan", "--out", "p.json"],
    ["apply", "p.json"],
    ["apply", "--yes", "-v"],
    ["apply", "--yes", "--format", "json"],
    ["drift"],
    ["drift", "--format", "json", "-v"],
    ["show", "a"],
    ["show", "a", "--format", "json", "-v"],
    ["import", "nowhere", "ID", "-v"],
    ["import", "d", "ID"],
    ["state", "resolve", "c", "--id", "ID"],
    ["state", "resolve", "c", "--not-created"],
    ["outputs"],
    ["outputs", "--format", "env"],
    ["state", "list"],
    ["state", "list", "--format", "json"],
    ["state", "rm", "b"],
    ["state", "mv", "a", "b"],
    ["schema"],
)


@pytest.fixture
def busy(project: Project) -> Project:
    """Two workflows with an event each, and a third that is made of what they hold."""
    project.declare({"a": custom(file_search=["f"]), "b": custom()})
    project.apply()
    for address in "ab":
        _submit(project, project.bound(address))
        project.server.give(project.bound(address), FINISHED)
    lower = custom(name="new", metrics={"completeness": 0.7, "context_adherence": 0.5}, web_search=True)
    project.declare({"a": lower, "b": custom(), "c": custom(), "d": custom()})
    return project


def _submit(project: Project, workflow_id: str) -> None:
    texts = {name: f"{MARK}-{name}" for name in ("user_prompt", "system_prompt", "ground_truth")}
    event = {
        "model_input": texts,
        "model_output": f"{MARK}-output",
        "model_used": f"{MARK}-model",
        "nametag": f"{MARK}-nametag",
        "run_mode": "fast",
    }
    url = f"{project.server.url}/defend/{workflow_id}"
    headers = {"authorization": f"Bearer {KEY}"}
    with httpx.Client(headers=headers, trust_env=False) as client:
        assert client.post(f"{url}/events", json=event).status_code == 200


def _answer_with_texts(project: Project, address: str) -> None:
    """The sandbox leaves the texts of events out; another API might not."""
    url = f"{project.server.url}/defend/{project.bound(address)}"
    answer = httpx.get(url, headers={"authorization": f"Bearer {KEY}"}, trust_env=False).json()
    event = {"prompt": f"{MARK}-prompt", "rationale": f"{MARK}-rationale", "evaluations": [EVALUATION]}
    spoken = {**answer, "events": [event], "more": event, "presigned_url": f"https://{MARK}"}
    project.server.fault("body", "GET", path=project.bound(address), times=None, body=json.dumps(spoken))


FINISHED = {
    "model_input": {"user_prompt": f"{MARK}-prompt", "ground_truth": MARK, "context": [{"content": MARK}]},
    "model_output": f"{MARK}-output",
    "nametag": f"{MARK}-nametag",
    "scores": [{"completeness": {"score": score, "rationale": f"{MARK}-rationale"}} for score in (0.75, 0.9)],
}
EVALUATION = {
    "attempt": f"{MARK}-attempt",
    "run_mode": f"a run mode that is {MARK}",
    "created_at": f"{MARK}-time",
    "guardrail_metrics": [f"{MARK}-metric"],
    "model_input": {"user_prompt": f"{MARK}-prompt", "context": [{"role": MARK, "content": MARK}]},
    "model_output": f"{MARK}-output",
    "evaluation_result": {
        "completeness": {"score": 0.1, "rationale": f"{MARK}-rationale", "threshold": MARK},
        f"{MARK}-metric": {"score": f"{MARK}-score"},
    },
    "error_message": MARK,
    "files": [{"presigned_url": f"https://{MARK}/presigned"}],
}


def everything(project: Project, *more: str) -> str:
    """What every command said, and what every file holds, lock records and copies among them."""
    unbound = project.server.add(name="unbound")
    said = []
    for command in COMMANDS:
        ran = project.run(*(unbound if word == "ID" else word for word in command), *more)
        said += [ran.out, ran.err]
    return "\n".join([*said, *files(project)])


def files(project: Project) -> list[str]:
    paths = [path for path in project.root.rglob("*") if path.is_file()]
    return [str(path) + path.read_bytes().decode(errors="replace") for path in paths]


def assert_clean(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text, text[max(0, text.index(secret) - 200) :][:400]


def refusal(project: Project, method: str | None, status: int) -> None:
    words = f"{MARK} {KEY}"
    detail = [
        {"loc": ["body", "name", words], "msg": words, "input": words, "type": words, "ctx": {"error": words}}
    ]
    body = json.dumps(
        {"detail": detail, "message": words, "error": words, "workflow_id": words, words: words}
    )
    headers = {"location": f"/{MARK}/{KEY}", "x-request-id": MARK, "retry-after": f"{MARK}"}
    project.server.fault("status", method, status=status, times=None, body=body, headers=headers)


def test_all_is_well(busy: Project) -> None:
    said = everything(busy)
    assert "2 events (50 asked for)" in said, "events were read"
    assert_clean(said)


def test_texts_beside_what_is_asked_for(busy: Project) -> None:
    for address in "ab":
        _answer_with_texts(busy, address)
    assert_clean(everything(busy))


STATUSES = (200, 201, 204, 302, 307, 400, 401, 403, 404, 405, 409, 413, 418, 422, 431)
QUICK = {("GET", 200), ("PUT", 422), ("POST", 409)}


@pytest.mark.parametrize(
    ("method", "status"),
    [
        pytest.param(method, status, marks=() if (method, status) in QUICK else pytest.mark.slow)
        for method in ("GET", "PUT", "POST")
        for status in STATUSES
    ],
)
def test_in_the_body_of_every_status(busy: Project, method: str, status: int) -> None:
    refusal(busy, method, status)
    assert_clean(everything(busy))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_in_the_body_of_what_is_tried_again(busy: Project, method: str, status: int) -> None:
    refusal(busy, method, status)
    assert_clean(everything(busy, "--timeout", "1"))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
@pytest.mark.parametrize("kind", ["lost-after", "truncated", "not-json", "wrong-id", "no-id", "gzip", "drip"])
def test_where_answers_go_wrong(busy: Project, method: str, kind: str) -> None:
    options = {"seconds": 0.5} if kind == "drip" else {"body": f"{MARK} {KEY}"} if kind == "not-json" else {}
    busy.server.fault(kind, method, times=None, **options)
    assert_clean(everything(busy, "--timeout", "1"))


CRASHES = (
    "defendctl.api.client.observe",
    "defendctl.api.detail.recent",
    "defendctl.api.detail._scores",
    "defendctl.operations.replay.replay",
    "defendctl.operations.plan.build_plan",
    "defendctl.api.connection._receive",
    "defendctl.api.connection._body",
    "defendctl.state.session.to_text",
)
_CRASHING = """
import json.decoder, sys
def boom(*values, **more):
    raise RuntimeError("planted words of a library", values, more)
json.decoder.JSONDecoder.decode = boom
from defendctl.cli.main import run
sys.exit(run(sys.argv[1:]))
"""
CRASHING = (["plan", "-v", "--replay"], ["apply", "--yes", "-v"])


@pytest.mark.parametrize("name", CRASHES)
def test_a_defect_is_told_without_values(busy: Project, name: str) -> None:
    def boom(*values: object, **more: object) -> None:
        raise RuntimeError("planted words of a library", values, more)

    crashed = 0
    for command in CRASHING:
        with patch(name, side_effect=boom) as broken:
            ran = run_cut(busy, Cut(None), *command)
        crashed += broken.called
        assert ran.code in (0, 1, 4, 7), ran
        assert_clean(ran.out + ran.err + "".join(files(busy)))
        assert "Traceback" not in ran.err
    assert crashed, f"{name} is called no more"


@pytest.mark.parametrize("command", CRASHING)
def test_a_defect_of_a_library_is_told_without_values(busy: Project, command: list[str]) -> None:
    """In a process of its own, for the sandbox here reads JSON too."""
    ran = subprocess.run(
        [sys.executable, "-c", _CRASHING, *command],
        cwd=busy.root,
        env={**os.environ, **busy.env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode in (0, 1, 4, 7), ran
    assert_clean(ran.stdout + ran.stderr + "".join(files(busy)))
    assert "Traceback" not in ran.stderr


def test_interrupted(busy: Project) -> None:
    busy.server.fault("slow-after", "POST", times=None, seconds=3)
    process = busy.spawn("apply", "--yes", "-v", PYTHONUNBUFFERED="1")
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert_clean(out + err + "".join(files(busy)))


@pytest.mark.parametrize("variables", [{"HTTPS_PROXY": "sk://planted:pw@x"}, {"SSL_CERT_FILE": "/planted"}])
def test_an_environment_that_makes_no_sense(busy: Project, variables: dict[str, str]) -> None:
    env = {**busy.env, "NO_PROXY": "", "DEEP_RAILS_BASE_URL": "https://api.invalid", **variables}
    busy.state_file.unlink()
    ran = measure(busy.root, "apply", "--yes", "--new-state", "-v", **env)
    assert ran.code == 1
    assert KEY not in ran.out + ran.err
    assert "pw@" not in ran.out + ran.err
