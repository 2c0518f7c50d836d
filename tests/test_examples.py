"""What stands under examples/ works: validated, planned, applied; and the demo tells its story."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.test_cli import run

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
PROJECTS = sorted(p.parent for p in EXAMPLES.rglob("defendctl.yaml"))


@pytest.mark.parametrize("example", PROJECTS, ids=lambda p: p.name)
def test_an_example_is_applied_and_then_has_nothing_to_do(example: Path, tmp_path: Path) -> None:
    folder = tmp_path / example.name
    shutil.copytree(example, folder, ignore=shutil.ignore_patterns(".defendctl"))
    assert run(folder, "validate").code == 0
    environments = yaml.safe_load((folder / "defendctl.yaml").read_text()).get("environments", [])
    for chosen in [["--env", name] for name in environments] or [[]]:
        assert run(folder, "apply", "--sandbox", "--yes", *chosen).code == 0
        assert run(folder, "plan", "--sandbox", "--detailed-exitcode", *chosen).code == 0


@pytest.mark.slow
def test_the_fleet_is_taken_through_its_story() -> None:
    """It checks the exit code of each command itself."""
    story = [sys.executable, str(EXAMPLES / "fleet" / "story.py")]
    ran = subprocess.run(story, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = [
        "All manifests are valid.",
        "staging is looser than production in 2",
        "completeness: 0.6  # overlays/staging.yaml:7",
        "Applied in staging: 3 done.",
        "Applied in production: 3 done.",
        "x no-loosening  denied",
        "Applied in production: 1 done.",
        "No changes: 3 workflows as declared.",
    ]
    places = [ran.stdout.rindex(words) for words in told]
    assert places == sorted(places)
    assert "the plan was made for the environment production, and this run is for staging" in ran.stderr


def test_the_demo_tells_the_story_of_the_pages() -> None:
    """The session is what the demo prints, in its order; left out are lines, and words of explanation."""
    ran = subprocess.run(
        [sys.executable, EXAMPLES / "demo.py"], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    page = (ROOT / "docs" / "tutorial" / "session.md").read_text(encoding="utf-8")
    session = page.split("```text\n")[1].split("```")[0]
    told = iter(neutral(ran.stdout).splitlines())
    for line in neutral(session).splitlines():
        if line and line != "..." and not line.startswith("#"):
            assert line in told, f"the demo does not print this there: {line}"


def neutral(text: str) -> str:
    """Without ids, digests and days."""
    return re.sub(r"wkfl_[0-9a-f]+|[0-9a-f]{64}|\d{4}-\d\d-\d\d", "…", text)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("ci/**/*.yml")), ids=lambda p: p.name)
def test_a_ci_example_is_yaml_and_pins_what_it_uses(path: Path) -> None:
    text = path.read_text()
    assert isinstance(yaml.safe_load(text), dict)
    for line in text.splitlines():
        if "uses:" in line:
            assert len(line.split("@")[1].split()[0]) == 40, line


def test_the_plan_of_the_policy_example_fits_the_schema_and_breaks_its_rules() -> None:
    """The rego text itself is not run here: no engine is among the dependencies."""
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((ROOT / "schemas" / "plan.schema.json").read_text())
    plan = json.loads((EXAMPLES / "policy" / "plan.json").read_text())
    jsonschema.Draft7Validator(schema).validate(plan)
    loosened = [f["path"] for c in plan["changes"] for f in c["fields"] if f["direction"] == "loosens"]
    assert "metrics.comprehensive_safety" in loosened
    assert "denied" in [f["verdict"] for f in plan["policy"]]
    assert plan["summary"]["retire"] == 1
    rules = (EXAMPLES / "policy" / "guardrails.rego").read_text()
    for key in re.findall(r"input\.(\w+)", rules):
        assert key in plan, key
    for key in re.findall(r"\b(?:field|change|finding)\.(\w+)", rules):
        assert f'"{key}":' in json.dumps(plan), key


def git(cwd: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    return subprocess.check_output(["git", *identity, *arguments], cwd=cwd, text=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_state_reaches_the_branch_when_two_pushes_meet(tmp_path: Path) -> None:
    origin, first, other = (tmp_path / name for name in ("origin.git", "first", "other"))
    git(tmp_path, "init", "--bare", "-b", "main", str(origin))
    git(tmp_path, "clone", "-q", str(origin), str(first))
    (first / "README").write_text("hello")
    commit(first, "README")
    git(tmp_path, "clone", "-q", str(origin), str(other))
    (first / "defendctl.yaml").write_text("version: 1\nenvironments: {staging: {}, production: {}}\n")
    (first / "defendctl.staging.state.json").write_text("{}")
    (first / "defendctl.staging.state.json.journal").write_text("left by a crash")
    (first / "defendctl.production.state.json").write_text("{}")
    (other / "README").write_text("somebody else was faster")
    commit(other, "README")
    commit_state(first)
    assert "defendctl.staging.state.json.journal" in git(origin, "ls-tree", "--name-only", "main")
    (first / "defendctl.staging.state.json.journal").unlink()
    commit_state(first)
    states = ["defendctl.production.state.json", "defendctl.staging.state.json"]
    assert git(origin, "ls-tree", "--name-only", "main").split() == ["README", *states]
    assert "somebody else" in git(origin, "show", "main:README")


def commit(folder: Path, name: str) -> None:
    git(folder, "add", name)
    git(folder, "commit", "-q", "-m", name)
    git(folder, "push", "-q", "origin", "HEAD:main")


def commit_state(folder: Path) -> None:
    for key, value in (("user.name", "ci"), ("user.email", "ci@example.com")):
        git(folder, "config", key, value)
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run(["sh", EXAMPLES / "ci" / "commit-state.sh", "main"], cwd=folder, env=env, check=True)


GH = """\
#!/bin/sh
case "$*" in
*--paginate*) printf '%s' "$COMMENTS" ;;
*) printf '%s\n' "$*" >>"$CALLS" ;;
esac
"""


@pytest.mark.parametrize(
    ("there", "call"),
    [
        ("", "--silent --method POST repos/o/r/issues/7/comments --field body=@plan.md\n"),
        ("12\n31\n", "--silent --method PATCH repos/o/r/issues/comments/12 --field body=@plan.md\n"),
    ],
)
def test_a_comment_is_written_once_and_then_in_its_place(there: str, call: str, tmp_path: Path) -> None:
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    (tmp_path / "plan.md").write_text("<!-- defendctl:plan -->\nbody\n")
    calls = tmp_path / "calls"
    given = {"COMMENTS": there, "CALLS": str(calls), "GITHUB_REPOSITORY": "o/r"}
    path = f"{tmp_path}:{os.environ['PATH']}"
    script = [*("sh", str(EXAMPLES / "ci" / "comment.sh")), "plan.md", "7"]
    subprocess.run(script, cwd=tmp_path, env={**os.environ, **given, "PATH": path}, check=True)
    assert calls.read_text() == f"api {call}"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("ci/github/*.yml")), ids=lambda p: p.name)
def test_nothing_from_an_event_stands_in_a_script(path: Path) -> None:
    """Only variables reach a shell, and nobody may write unless the job says so."""
    content = yaml.safe_load(path.read_text())
    steps = [step for job in content["jobs"].values() for step in job["steps"]]
    assert not [step["run"] for step in steps if "${{" in step.get("run", "")]
    assert "write" not in content["permissions"].values()
    assert "pull_request_target" not in content[True]
