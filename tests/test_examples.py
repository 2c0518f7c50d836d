"""What stands under examples/ works: validated, planned, applied; and the demo tells its story."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest
import yaml

from tests.cli.test_cli import run

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


@pytest.mark.slow
def test_the_demo_tells_the_story_of_the_page() -> None:
    ran = subprocess.run(
        [sys.executable, EXAMPLES / "demo.py"], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    is_the_session_of_the_page(ran.stdout)


def test_the_demo_tells_it_in_one_process_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same lines, a twentieth of the time: its commands run here, and only its server is a process."""
    spec = importlib.util.spec_from_file_location("demo", EXAMPLES / "demo.py")
    assert spec
    assert spec.loader
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)

    def here(command: list[str], cwd: Path, stdout: int | None = None, **_: object) -> SimpleNamespace:
        ran = run(cwd, *command[1:], **{k: v for k, v in os.environ.items() if k.startswith("D")})
        if stdout is None:
            print(ran.out, end="")
        return SimpleNamespace(returncode=ran.code, stdout=ran.out)

    def out(command: list[str], cwd: Path) -> str:
        return str(here(command, cwd, subprocess.DEVNULL).stdout)

    real = {name: getattr(subprocess, name) for name in ("Popen", "PIPE", "DEVNULL")}
    monkeypatch.setattr(demo, "subprocess", SimpleNamespace(run=here, check_output=out, **real))
    with patch.dict(os.environ):
        demo.main()
    is_the_session_of_the_page(capsys.readouterr().out)


def is_the_session_of_the_page(printed: str) -> None:
    """It is what the demo prints, in its order; left out are lines, and words of explanation."""
    page = (ROOT / "docs" / "tutorial" / "session.md").read_text(encoding="utf-8")
    session = page.split("```text\n")[1].split("```")[0]
    told = iter(neutral(printed).splitlines())
    for line in neutral(session).splitlines():
        if line and line != "..." and not line.startswith("#"):
            assert line in told, f"the demo does not print this there: {line}"


def neutral(text: str) -> str:
    """Without ids, digests and days."""
    return re.sub(r"wkfl_[0-9a-f]+|[0-9a-f]{64}|\d{4}-\d\d-\d\d", "…", text)


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
