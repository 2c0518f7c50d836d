"""The component, under gitlab-ci-local on this machine, with a fake forge and the embedded API."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.ci.conftest import lab
from tests.ci.team import bot
from tests.conftest import KEY
from tests.operations.test_checkout import git, repository
from tests.parts.tools import ROOT, clean, ran
from tests.servers.installing import with_apt, with_npm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.ci.lab import Lab

__all__ = ["lab", "repository"]
pytestmark = pytest.mark.slow
POLYFILL = ROOT / "tests" / "servers" / "gitlab_ci_local" / "set.cjs"
NONE: Mapping[str, str] = {}
PRODUCTION = {"environment": "production", "declared": False, "lock": ""}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def include(lab: Lab, *parts: tuple[str, Mapping[str, Any]]) -> None:
    """On main: the component's files, as a project that is its own component, and a pipeline of these."""
    git(lab.project.root, "checkout", "-q", "main")
    shutil.copytree(ROOT / "templates", lab.project.root / "templates")
    wanted = [
        {"component": f"$CI_SERVER_FQDN/$CI_PROJECT_PATH/{name}@$CI_COMMIT_SHA", "inputs": dict(inputs)}
        for name, inputs in parts
    ]
    (lab.project.root / ".gitlab-ci.yml").write_text(yaml.safe_dump({"include": wanted}))
    with (lab.project.root / ".gitignore").open("a") as ignored:
        ignored.write(".gitlab-ci-local/\n.defendctl-venv/\nguardrails*\n")
    git(lab.project.root, "add", "-A", ":!*.state.json*")
    git(lab.project.root, "commit", "-qm", "the component")
    git(lab.project.root, "remote", "add", "origin", "git@gitlab.example.com:o/r.git")
    git(lab.project.root, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(lab.project.root, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")


def pipeline(
    lab: Lab, home: Path, source: str, *words: str, variables: Mapping[str, str] = NONE, code: int = 0
) -> str:
    """What runs in the checkout itself, as the branch that is checked out. Manual jobs only where named."""
    with_apt("rsync", "rsync")
    given = {
        "CI_PIPELINE_SOURCE": source,
        "CI_API_V4_URL": lab.gitlab.url,
        "CI_PROJECT_ID": "42",
        "DEEPRAILS_API_KEY": KEY,
        "DEEP_RAILS_BASE_URL": lab.project.server.url,
        "NO_PROXY": "*",
        **variables,
    }
    env = {
        **clean(home),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NODE_OPTIONS": f"--require={POLYFILL}",
        "GCL_IGNORE_PREDEFINED_VARS": ",".join(given),
    }
    told = [word for name, value in given.items() for word in ("--variable", f"{name}={value}")]
    program = with_npm("gitlab_ci_local") / "node_modules" / ".bin" / "gitlab-ci-local"
    options = ["--force-shell-executor", "--no-color", "--home", str(home)]
    return ran(program, *options, *told, *words, cwd=lab.project.root, env=env, code=code)


def of_request(lab: Lab, number: int) -> dict[str, str]:
    head = git(lab.project.root, "rev-parse", f"mr-{number}")
    return {
        "CI_MERGE_REQUEST_IID": str(number),
        "CI_MERGE_REQUEST_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": head,
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": git(lab.project.root, "merge-base", "main", head),
        **token(lab),
    }


def token(lab: Lab) -> dict[str, str]:
    return {"DEFENDCTL_GITLAB_TOKEN": lab.gitlab.token}


def test_somebody_starts_the_job_that_applies_the_plan(lab: Lab, home: Path) -> None:
    include(lab, ("plan", {"lock": ""}), ("apply", PRODUCTION))
    number = lab.request(a=bot(0.6))
    said = pipeline(lab, home, "merge_request_event", variables=of_request(lab, number))
    assert "PASS  guardrails plan" in said
    assert list((lab.project.root / "guardrails").glob("*.json"))
    lab.merge(number)
    shown = pipeline(lab, home, "push")
    assert "PASS  guardrails plan production" in shown
    assert lab.live() == 0.9
    assert "PASS  guardrails apply production" in pipeline(
        lab, home, "push", "--needs", "guardrails apply production"
    )
    assert lab.live() == 0.6


def test_what_was_looked_at_is_applied_without_a_hand(lab: Lab, home: Path) -> None:
    include(lab, ("plan", {"lock": ""}), ("apply", {**PRODUCTION, "approve": "reviewed"}))
    number = lab.request(a=bot(0.6))
    pipeline(lab, home, "merge_request_event", variables=of_request(lab, number))
    lab.merge(number)
    said = pipeline(lab, home, "push", variables=token(lab))
    assert "PASS  guardrails apply production" in said
    assert lab.live() == 0.6


def test_what_nobody_looked_at_stops_before_it_is_applied(lab: Lab, home: Path) -> None:
    include(lab, ("apply", {**PRODUCTION, "approve": "reviewed"}))
    lab.merge(lab.request(a=bot(0.6)))
    said = pipeline(lab, home, "push", variables=token(lab), code=1)
    assert "not reviewed" in said
    assert lab.live() == 0.9


def test_it_installs_what_the_lock_says(lab: Lab, home: Path, wheel: Path) -> None:
    digest = ran("sha256sum", wheel).split()[0]
    lock = home / "defendctl.lock"
    lock.write_text(f"{wheel} --hash=sha256:{digest}\n{(ROOT / 'requirements.lock').read_text()}")
    include(lab, ("plan", {"lock": str(lock)}))
    number = lab.request(a=bot(0.6))
    pipeline(lab, home, "merge_request_event", variables=of_request(lab, number))
    ran(lab.project.root / ".defendctl-venv" / "bin" / "defendctl", "--version")


@pytest.mark.parametrize("source", ["schedule", "trigger", "parent_pipeline"])
def test_other_pipelines_apply_nothing(lab: Lab, home: Path, source: str) -> None:
    include(lab, ("plan", {"lock": ""}), ("apply", PRODUCTION))
    assert "guardrails" not in pipeline(lab, home, source, "--list").partition("needs")[2]


def test_inputs_reach_scripts_as_variables_alone() -> None:
    for path in sorted((ROOT / "templates").iterdir()):
        _, jobs = yaml.safe_load_all(path.read_text())
        for job in jobs.values():
            script = "".join(job.get("before_script", []) + job.get("script", []))
            assert "$[[" not in script
