"""No text of an event, a test case or an uploaded file, and neither key of two environments, in any output.

More in `test_leaks.py`. What a user wrote stands in these files alone: INPUTS.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.conftest import KEY, Json, custom
from tests.hostile.test_leaks import FINISHED, MARK, SECRETS, refusal
from tests.hostile.test_leaks import files as contents

if TYPE_CHECKING:
    from tests.conftest import Project, World

OTHER_KEY = "sk_other_secret_0815"
INPUTS = ("docs/policy.pdf", "tests/cases.yaml", "event.json", "bad-event.json")
FORMATS = {
    "plan": ("text", "json", "markdown", "github", "html"),
    "drift": ("text", "json", "markdown", "github", "html"),
    "test": ("text", "json", "junit", "markdown", "html"),
    "render": ("yaml", "json"),
}
EVENT = {
    "user_prompt": f"{MARK}-prompt",
    "system_prompt": f"{MARK}-system",
    "context": [f"{MARK}-context", {"role": "user", "content": f"{MARK}-turn"}],
    "ground_truth": f"{MARK}-truth",
    "model_output": f"{MARK}-output",
    "model_used": f"{MARK}-model",
    "nametag": f"{MARK}-nametag",
    "run_mode": "fast",
}
OFFLINE = (
    ["validate", "--format", "json"],
    ["render", "--origins"],
    ["render", "--format", "json"],
    ["compare", "staging", "production"],
    ["compare", "staging", "production", "--format", "json"],
    ["fmt", "--check"],
    ["plan", "--no-refresh", "--format", "json"],
    ["events", "submit", "a", "--input", "bad-event.json"],
)
ONLINE = (
    *(["plan", "--format", form, "--out", f"plan-{form}.json", "-v"] for form in FORMATS["plan"]),
    ["plan", "-l", "!team", "--reassert", "max_retries"],
    ["plan", "--replay", "--report", "markdown:plan.md", "--report", "github:plan.gh"],
    ["plan", "--replay", "--report", "html:plan.html", "--report", "json:plan-replay.json"],
    *(["report", "plan-replay.json", "--format", form] for form in ("text", "html", "markdown", "json")),
    ["report", "--fleet", "--format", "json", "--report", "html:fleet.html"],
    ["report", "--fleet"],
    *(["drift", "--format", form, "--report", f"json:drift-{form}.json"] for form in FORMATS["drift"]),
    *(["doctor", *form] for form in ([], ["--format", "json", "-v"])),
    *(["show", "a", "--provenance", *form] for form in ([], ["--format", "json", "-v"])),
    *(["verify", "a", *form] for form in ([], ["--format", "json", "-v"])),
    ["verify", "a", "--canary", "--wait", "2", "-v"],
    *(["events", "list", "a", *form] for form in ([], ["--format", "json", "-v"])),
    *(["events", "show", "a", "EVENT", *form] for form in ([], ["--format", "json", "-v"])),
    *(["events", "watch", "a", "EVENT", "--wait", "0", *form] for form in ([], ["--format", "json", "-v"])),
    *(["events", "submit", "a", "--input", "event.json", *form] for form in ([], ["--format", "json", "-v"])),
    *(["test", "--wait", "2", "--format", form, "--out", f"t-{form}", "-v"] for form in FORMATS["test"]),
    ["test", "--candidate", "--wait", "2", "--format", "json", "--out", "c.json", "-v"],
    *(["plan", "--tests", "c.json", "--format", form] for form in FORMATS["plan"]),
    ["import", "--from", "ids.csv", "--write", "workflows/adopted", "-v"],
    ["import", "--from", "ids.json", "-v"],
    ["drift", "--write", "-v"],
    ["apply", "plan-json.json", "-v"],
    ["apply", "--yes", "--format", "json", "-v"],
    ["outputs", "--format", "dotenv"],
    ["test", "--create-canary", "--format", "json", "-v"],
    ["fmt"],
)


@pytest.fixture
def fleet(world: World) -> Project:
    """An environment with events, uploads, tests and a canary, and a second one with another key."""
    scores = {f"{MARK}-output": [{"completeness": 0.4}, {"completeness": 0.9}]}
    production, staging = world(scores=scores, delay=0.0), world(api_key=OTHER_KEY)
    del production.env["DEEPRAILS_API_KEY"], production.env["DEEP_RAILS_BASE_URL"]
    production.env |= {
        "DEEPRAILS_KEY_PRODUCTION": KEY,
        "DEEPRAILS_KEY_STAGING": OTHER_KEY,
        "DEFENDCTL_ENV": "production",
    }
    production.settings(
        tests=["tests"],
        environments={
            name: {
                "api": {"base_url": url, "key_variable": f"DEEPRAILS_KEY_{name.upper()}", "uploads": True},
                "overlays": [f"over/{name}.yaml"],
            }
            for name, url in (("staging", staging.server.url), ("production", production.server.url))
        },
    )
    for name in ("staging", "production"):
        production.declare({"a": {"description": f"In {name}"}}, f"over/{name}.yaml")
    _write_inputs(production)
    declared = {"a": custom(file_search=[{"path": "docs/policy.pdf"}]), "b": custom()}
    production.declare(declared)
    production.apply()
    production.apply("--env", "staging")
    production.ok("test", "--create-canary")
    production.server.give(production.bound("a"), FINISHED)
    production.server.edit(production.bound("b"), description="by hand")
    (production.root / "docs/policy.pdf").write_text(f"{MARK}: another policy")
    production.declare({**declared, "a": {**declared["a"], "metrics": {"completeness": 0.6}}})
    ids = {f"c{n}": production.server.add(name=f"found {n}") for n in (1, 2)}
    (production.root / "ids.csv").write_text(f"address,workflow_id\nc1,{ids['c1']}\n")
    (production.root / "ids.json").write_text(json.dumps({"c2": ids["c2"]}))
    return production


def _write_inputs(project: Project) -> None:
    for folder in ("docs", "tests"):
        (project.root / folder).mkdir()
    (project.root / "docs/policy.pdf").write_text(f"{MARK}: what the policy says")
    (project.root / "event.json").write_text(json.dumps(EVENT))
    wrong = {**EVENT, "run_mode": f"{MARK}-mode", "context": [[f"{MARK}-item"]], "model_used": 1}
    (project.root / "bad-event.json").write_text(json.dumps(wrong))
    texts = {name: EVENT[name] for name in ("user_prompt", "system_prompt", "context", "ground_truth")}
    case = {"workflow": "a", "input": texts, "output": EVENT["model_output"], "model_used": f"{MARK}-model"}
    cases = {"caught": {**case, "expect": "flagged"}, "passing": {**case, "expect": "passes"}}
    (project.root / "tests/cases.yaml").write_text(json.dumps({"version": 1, "tests": cases}))


def said_by(project: Project, commands: tuple[list[str], ...], *more: str) -> str:
    """What these commands said, and what every file holds but what the user wrote."""
    _, event = _an_event(project)
    said = []
    for command in commands:
        ran = project.run(*(event if word == "EVENT" else word for word in command), *more)
        assert ran.code in (0, 1, 2, 3, 4, 5, 6, 7), (command, ran)
        said += [f"{command}: {ran.code}", ran.out, ran.err]
    return "\n".join([*said, *kept(project)])


def _an_event(project: Project) -> tuple[str, str]:
    state = json.loads((project.root / "defendctl.production.state.json").read_text())
    workflow_id = state["bindings"]["a"]["workflow_id"]
    return workflow_id, project.server.events(workflow_id)[0]["event_id"]


def kept(project: Project) -> list[str]:
    inputs = tuple(str(project.root / name) for name in INPUTS)
    return [text for text in contents(project) if not text.startswith(inputs)]


def assert_clean(text: str) -> None:
    for secret in (*SECRETS, OTHER_KEY, OTHER_KEY[3:]):
        at = text.find(secret)
        assert at < 0, text[max(0, at - 300) : at + 200]


def test_all_is_well(fleet: Project) -> None:
    said = said_by(fleet, (*OFFLINE, *ONLINE))
    assert_clean(said)
    for proof in ("1 passed, 1 failed", '"candidate": true', "1 bound", "policy.pdf", "In production"):
        assert proof in said, f"it was looked at: {proof}"


def test_the_other_environment(fleet: Project) -> None:
    (fleet.root / "defendctl.production.state.json").replace(fleet.root / "defendctl.staging.state.json")
    fleet.env["DEFENDCTL_ENV"] = "staging"
    said = []
    for command in (["plan", "-v"], ["doctor", "-v"], ["events", "list", "a", "-v"], ["test"]):
        ran = fleet.run(*command)
        assert ran.code in (1, 6), ran
        said += [ran.out, ran.err]
    assert_clean("\n".join([*said, *kept(fleet)]))


NETWORK = tuple(command for command in ONLINE if command[0] != "fmt")
ONE_OF_EACH = tuple({" ".join(c[:2]): c for c in NETWORK}.values())
"""The last form of each command: where all is well, all of them are seen."""


@pytest.mark.parametrize(
    ("method", "status"),
    [
        pytest.param(method, status, marks=() if status == 401 else pytest.mark.slow)
        for method in ("GET", "POST")
        for status in (200, 400, 401, 404, 409, 422)
    ],
)
def test_in_the_body_of_a_refusal(fleet: Project, method: str, status: int) -> None:
    refusal(fleet, method, status)
    assert_clean(said_by(fleet, ONE_OF_EACH))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
@pytest.mark.parametrize("status", [500, 503])
def test_in_the_body_of_what_is_tried_again(fleet: Project, method: str, status: int) -> None:
    refusal(fleet, method, status)
    assert_clean(said_by(fleet, ONE_OF_EACH, "--timeout", "1"))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
@pytest.mark.parametrize("kind", ["lost-after", "truncated", "not-json", "wrong-id", "no-id"])
def test_where_answers_go_wrong(fleet: Project, method: str, kind: str) -> None:
    options = {"body": f"{MARK} {KEY}"} if kind == "not-json" else {}
    fleet.server.fault(kind, method, times=None, **options)
    assert_clean(said_by(fleet, ONE_OF_EACH, "--timeout", "1"))


SUBMIT, SHOW = (
    ["events", "submit", "a", "--input", "event.json", "-v"],
    ["events", "show", "a", "EVENT", "-v"],
)
_CRASHING = """
import sys
def boom(*values, **more):
    raise RuntimeError("planted words of a library", values, more)
exec(sys.argv[1])
from defendctl.cli.main import run
sys.exit(run(sys.argv[2:]))
"""
CRASHES = {
    "submission": ("import defendctl.api.submission as m; m.body = boom", (SUBMIT, ["test", "-v"])),
    "input": ("import defendctl.manifest.submissions as m; m._submission = boom", (SUBMIT,)),
    "detail": ("import defendctl.api.detail as m; m._evaluation = boom", (SHOW, ["verify", "a", "-v"])),
    "judge": ("import defendctl.engine.trial as m; m.judge = boom", (["test", "-v"],)),
    "upload": ("import defendctl.api.client as m; m.Speaking.upload = boom", (["apply", "--yes", "-v"],)),
    "json": (
        "import json.decoder as m; m.JSONDecoder.decode = boom",
        (["test", "--candidate", "-v"], ["import", "--from", "ids.json", "-v"]),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CRASHES)
def test_a_defect_is_told_without_values(fleet: Project, name: str) -> None:
    crash, commands = CRASHES[name]
    _, event = _an_event(fleet)
    for command in commands:
        ran = subprocess.run(
            [sys.executable, "-c", _CRASHING, crash, *(event if w == "EVENT" else w for w in command)],
            cwd=fleet.root,
            env={**os.environ, **fleet.env},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in ran.stderr
        assert "defect" in ran.stdout + ran.stderr, ran
        assert_clean(ran.stdout + ran.stderr + "".join(kept(fleet)))


@pytest.mark.slow
def test_texts_beside_what_is_asked_for(fleet: Project) -> None:
    """The same marks where another API might put them: in an event, everywhere."""
    workflow_id, event_id = _an_event(fleet)
    url = f"{fleet.server.url}/defend/{workflow_id}/events/{event_id}"
    answer = httpx.get(url, headers={"authorization": f"Bearer {KEY}"}, trust_env=False).json()

    body = {**_planted(answer), "event_id": event_id, "workflow_id": workflow_id}
    fleet.server.fault("body", "GET", path="/events/", times=None, body=json.dumps(body))
    assert_clean(said_by(fleet, ONE_OF_EACH))


NO_CONTENT = re.compile("type|action|status|threshold|tolerance|capabilit|metrics|files|file_search")
"""Words of the configuration and of the API; shown as `show` shows them."""


def _planted(value: Json) -> Json:
    if isinstance(value, dict):
        told = {key: value[key] if NO_CONTENT.search(key) else _planted(value[key]) for key in value}
        return {**told, "more": MARK, "more_url": f"https://{MARK}"}
    if isinstance(value, list):
        return [_planted(item) for item in value]
    return f"{MARK} {KEY}" if isinstance(value, str) else value
