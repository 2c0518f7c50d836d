"""The action: what linters say, and what it does under act, with a fake forge and the embedded API."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from defendctl import __version__
from tests.ci.conftest import team
from tests.ci.team import Team, bot
from tests.conftest import KEY
from tests.operations.test_checkout import git, repository
from tests.parts.tools import ROOT, clean, copied, ran, tool

__all__ = ["repository", "team"]
pytestmark = pytest.mark.slow
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
SCHEMA: list[str | Path] = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema"]
OUTPUTS = sorted(ACTION["outputs"])


def test_linters_have_nothing_to_say() -> None:
    ran(tool("zizmor"), "--offline", "--persona", "pedantic", "action.yml", ".github")
    ran(tool("shellcheck"), "action/run.sh")
    ran(*SCHEMA, "vendor.github-actions", ROOT / "action.yml")
    for path in (ROOT / ".github" / "workflows").iterdir():
        ran(*SCHEMA, "vendor.github-workflows", path)


def test_no_input_is_read_but_as_a_variable() -> None:
    (step,) = ACTION["runs"]["steps"]
    assert "${{" not in step["run"]
    read = {value.removeprefix("${{ inputs.").removesuffix(" }}") for value in step["env"].values()}
    assert read == set(ACTION["inputs"])


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-build.lock"])
def test_what_it_installs_is_to_be_had_with_these_hashes(lock: str, tmp_path: Path) -> None:
    pip: list[str | Path] = [
        tool("pip"),
        "install",
        "--quiet",
        "--dry-run",
        "--ignore-installed",
        "--require-hashes",
    ]
    ran(*pip, "--only-binary", ":all:", "--requirement", lock, env=clean(tmp_path))


@pytest.fixture(autouse=True)
def origin(request: pytest.FixtureRequest) -> None:
    """What act takes the name of the repository from."""
    if "team" in request.fixturenames:
        root = request.getfixturevalue("team").project.root
        git(root, "remote", "add", "origin", "https://github.com/o/r.git")


@pytest.fixture(scope="module")
def action(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("action") / "defendctl")


def workflow(inputs: dict[str, str], root: Path) -> dict[str, Any]:
    """One job with the action; what it put out is in a file afterwards."""
    told = {name: f"${{{{ steps.guardrails.outputs.{name} }}}}" for name in OUTPUTS}
    steps = [
        {
            "id": "guardrails",
            "uses": f"defendctl/defendctl@{COMMIT}",
            "with": {"working-directory": str(root), **inputs},
            "env": {"DEEPRAILS_API_KEY": "${{ secrets.DEEPRAILS_API_KEY }}"},
        },
        {
            "if": "always()",
            "shell": "bash",
            "run": 'printf %s "$TOLD" > "$TOLD_TO"; defendctl --version',
            "env": {"TOLD": json.dumps(told), "TOLD_TO": str(root / ".defendctl" / "told.json")},
        },
    ]
    job = {"runs-on": "ubuntu-latest", "steps": steps}
    return {"name": "guardrails", "on": ["pull_request", "push"], "jobs": {"job": job}}


def act(team: Team, action: Path, home: Path, event: str, content: Any, code: int, **inputs: str) -> str:
    """Runs it on this machine, with the team's checkout as `working-directory`: nothing is checked out."""
    root = team.project.root
    (home / "workflow.yml").write_text(yaml.safe_dump(workflow(inputs, root)))
    (home / "event.json").write_text(
        json.dumps({**content, "repository": {"default_branch": "main", "full_name": "o/r"}})
    )
    (home / "tmp").mkdir(exist_ok=True)
    quiet: list[str | Path] = ["--pull=false", "--action-offline-mode", "--no-cache-server"]
    where: list[str | Path] = ["--workflows", home / "workflow.yml", "--eventpath", home / "event.json"]
    secrets = ["--secret", f"DEEPRAILS_API_KEY={KEY}", "--secret", f"GITHUB_TOKEN={team.github.token}"]
    env = {**clean(home), "TMPDIR": str(home / "tmp")}
    return ran(
        tool("act"),
        event,
        *quiet,
        *where,
        *secrets,
        *["--platform", "ubuntu-latest=-self-hosted", "--env", f"GITHUB_API_URL={team.github.url}"],
        *["--env", f"DEEP_RAILS_BASE_URL={team.project.server.url}"],
        *["--local-repository", f"https://github.com/defendctl/defendctl@{COMMIT}={action}"],
        cwd=root,
        env=env,
        code=code,
    )


def told(team: Team) -> dict[str, str]:
    found: dict[str, str] = json.loads((team.project.root / ".defendctl" / "told.json").read_text())
    return found


def requested(team: Team, **workflows: Any) -> tuple[int, Any]:
    number = team.request(**workflows)
    git(team.project.root, "checkout", "-q", f"pr-{number}")
    return number, {"number": number, "pull_request": team.github.pulls[number]}


def test_a_plan_is_told_and_what_was_seen_is_applied(team: Team, action: Path, tmp_path: Path) -> None:
    number, event = requested(team, a=bot(0.6), b=bot(0.9))
    said = act(team, action, tmp_path, "pull_request", event, 0, command="plan")
    assert KEY not in said
    assert len(team.github.texts(number)) == 1
    assert [check["name"] for check in team.github.checks]
    out = told(team)
    assert (out["changes"], out["loosens"], out["denied"], out["exit-code"]) == ("1", "1", "0", "0")
    assert out["comment-url"].startswith("https://github.invalid/c/")
    assert "@" in out["digest"]

    team.merge(number)
    act(team, action, tmp_path, "push", {"ref": "refs/heads/main"}, 0, command="apply --wait-lock 1m")
    assert told(team)["exit-code"] == "0"
    assert team.live("a") == 0.6


def test_without_a_command_it_installs_for_the_steps_after_it(
    team: Team, action: Path, tmp_path: Path
) -> None:
    said = act(team, action, tmp_path, "push", {"ref": "refs/heads/main"}, 0)
    assert said.count(f"| defendctl {__version__}") == 2
    assert set(told(team).values()) == {""}
    assert team.github.asked == []


def test_what_nobody_saw_is_refused_and_the_exit_code_told(team: Team, action: Path, tmp_path: Path) -> None:
    number, _ = requested(team, a=bot(0.6), b=bot(0.9))
    team.merge(number)
    said = act(team, action, tmp_path, "push", {"ref": "refs/heads/main"}, 1, command="apply")
    assert "not reviewed" in said
    assert told(team)["exit-code"] == "6"
    assert team.live("a") == 0.9


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"command": "state show"}, "command has to begin with plan, apply, check or drift"),
        ({"command": "", "environment": "staging"}, "are for a command, and there is none"),
        ({"command": "plan", "version": "0.2.0"}, "another version is another commit"),
        ({"command": "plan", "version": "none"}, "there is no defendctl on the PATH"),
        ({"command": "plan; touch pwned"}, "command has to begin with"),
        ({"command": "plan $(touch pwned) `touch pwned`"}, ""),
        ({"command": "plan", "environment": "$(touch pwned)"}, ""),
        ({"command": "apply", "approve": '"; touch pwned; "'}, ""),
    ],
)
def test_inputs_are_words_and_never_code(inputs: dict[str, str], words: str, tmp_path: Path) -> None:
    """The script itself, with a defendctl that only writes down what it was given."""
    env = {**clean(tmp_path), **variables(inputs, tmp_path)}
    if inputs.get("version") == "none":
        env["PATH"] = "/usr/bin:/bin"
    else:
        env |= {"INPUT_VERSION": inputs.get("version", "none"), "PATH": f"{fake(tmp_path)}:{env['PATH']}"}
    said = ran("bash", ROOT / "action" / "run.sh", cwd=tmp_path, env=env, code=64 if words else 0)
    assert words in said
    assert not (tmp_path / "pwned").exists()


def test_environments_and_options_are_passed_on_in_their_order(tmp_path: Path) -> None:
    inputs = {"command": "apply --wait-lock 5m", "environment": "staging\nproduction", "approve": "d@1"}
    env = {**clean(tmp_path), **variables(inputs, tmp_path), "INPUT_VERSION": "none"}
    env["PATH"] = f"{fake(tmp_path)}:{env['PATH']}"
    said = ran("bash", ROOT / "action" / "run.sh", cwd=tmp_path, env=env)
    assert said.split() == [
        *["-C", ".", "ci", "apply", "--wait-lock", "5m", "--env=staging", "--env=production", "--approve=d@1"]
    ]
    assert (tmp_path / "output").read_text() == "exit-code=0\n"


def variables(inputs: dict[str, str], folder: Path) -> dict[str, str]:
    """As the runner gives them: each input, or its default."""
    names = {"working-directory": "DIRECTORY"}
    given = {name: inputs.get(name, str(told.get("default", ""))) for name, told in ACTION["inputs"].items()}
    found = {f"INPUT_{names.get(name, name.upper())}": value for name, value in given.items()}
    runner = {"GITHUB_OUTPUT": "output", "GITHUB_PATH": "path", "RUNNER_TEMP": "."}
    return {**found, **{name: str(folder / path) for name, path in runner.items()}}


def fake(folder: Path) -> Path:
    (folder / "bin").mkdir()
    program = folder / "bin" / "defendctl"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    return program.parent
