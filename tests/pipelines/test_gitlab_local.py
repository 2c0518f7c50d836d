"""What `init --ci gitlab` writes, run by gitlab-ci-local: what was looked at is applied, and nothing else."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.sandbox.server import embedded
from tests.ci.fake_gitlab import FakeGitLab
from tests.ci.served import serving
from tests.cli.test_cli import run
from tests.conftest import KEY, Server
from tests.operations.test_checkout import git
from tests.pipelines.labbing import Labbing
from tests.pipelines.origin import Origin, bot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("git") and shutil.which("npm")), reason="needs git and npm"),
]
TOKEN = "glpat_planted_4712"
BOTH = ("guardrails apply staging", "guardrails apply production")
FILES = {".gitlab/defendctl.lock": "", ".gitlab-ci.yml": "include: [{local: .gitlab/guardrails.yml}]\n"}


class Lab:
    def __init__(self, local: Labbing, servers: dict[str, Server]) -> None:
        self.local, self.origin, self.servers = local, local.origin, servers

    def live(self) -> dict[str, float]:
        """Environment → the threshold of `a`."""
        return {name: self._workflow(name)["metrics"]["completeness"] for name in self.servers}

    def edit(self, environment: str, threshold: float) -> None:
        self.servers[environment].edit(
            self._workflow(environment)["workflow_id"], metrics={"completeness": threshold}
        )

    def _workflow(self, environment: str) -> Any:
        [found] = self.servers[environment].workflows()
        return found


@contextmanager
def lab_of(folder: Path, http: httpx.Client, *options: str) -> Iterator[Lab]:
    """One workflow at 0.9 is applied everywhere."""
    with embedded(":memory:") as staging, embedded(":memory:") as production:
        urls = {"staging": staging, "production": production}
        origin = Origin(folder / "origin.git", folder / "clone", urls)
        origin.begin(FILES, a=bot(0.9))
        assert run(origin.clone, "init", "--ci", "gitlab", *options).code == 0
        origin.push("jobs")
        origin.apply()
        local = Labbing(folder, origin, {"DEEPRAILS_API_KEY": KEY})
        yield Lab(local, {name: Server(url, http) for name, url in urls.items()})


def request(number: int, head: str, base: str) -> dict[str, str]:
    """What a job of a merge request is told."""
    return {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_IID": str(number),
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": head,
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_PROJECT_ID": "42",
    }


def test_the_plan_of_the_pipeline_is_what_is_applied(tmp_path: Path, http: httpx.Client) -> None:
    """Strict: no key under a request; somebody looks at the plan of main, and starts the job."""
    with lab_of(tmp_path, http) as lab:
        origin, local = lab.origin, lab.local
        head, merge = origin.propose(1, a=bot(0.7))
        at = local.checkout(merge)
        planned = local.run(at, request(1, head, origin.git("rev-parse", "main")))
        assert planned.job("guardrails plan") == "success", planned.log
        assert "0.9 -> 0.7" in planned.log
        assert "loosened" in next(at.rglob("staging.plan.md")).read_text()
        assert "apply staging" not in planned.log
        first = local.checkout(origin.merge(1))
        shown = local.push(first)
        assert shown.job("guardrails plan production") == "success", shown.log
        assert lab.live() == {"staging": 0.9, "production": 0.9}
        lab.edit("staging", 0.95)
        stale = local.play(first, "guardrails apply staging")
        assert stale.job("guardrails apply staging") == "failure", stale.log
        lab.edit("staging", 0.9)
        applied = local.push(first, *BOTH)
        assert [applied.job(name) for name in BOTH] == ["success", "success"], applied.log
        assert lab.live() == {"staging": 0.7, "production": 0.7}
        origin.propose(2, a=bot(0.9))
        back = local.push(local.checkout(origin.merge(2)), *BOTH)
        assert [back.job(name) for name in BOTH] == ["success", "success"], back.log
        again = local.play(first, "guardrails apply staging")
        assert again.job("guardrails apply staging") == "failure", again.log
        assert lab.live() == {"staging": 0.9, "production": 0.9}
        assert KEY not in planned.log + applied.log


def test_what_was_reviewed_is_applied(tmp_path: Path, http: httpx.Client) -> None:
    """Trusting: the record is a note of the project's own user, and no job waits for anybody."""
    with lab_of(tmp_path, http, "--trusting") as lab, serving(FakeGitLab(TOKEN)) as forge:
        assert isinstance(forge, FakeGitLab)
        origin, local = lab.origin, lab.local
        forge.folder = origin.bare
        local.variables |= {"CI_API_V4_URL": forge.url, "DEFENDCTL_GITLAB_TOKEN": TOKEN}
        base = origin.git("rev-parse", "main")
        head, merge = origin.propose(1, a=bot(0.7))
        asked = {**local.variables, **request(1, head, base)}
        planned = local.run(local.checkout(merge), asked)
        assert planned.job("guardrails plan") == "success", planned.log
        assert len(forge.texts(1)) == 4  # for each environment what a person reads, and the record
        commit = origin.merge(1)
        forge.requests[1] = {
            **{"iid": 1, "state": "merged", "target_branch": "main", "target_project_id": 42},
            **{"sha": head, "merge_commit_sha": commit},
        }
        lab.edit("production", 0.95)
        at = local.checkout(commit)
        refused = local.push(at)
        assert [refused.job(name) for name in BOTH] == ["success", "failure"], refused.log
        assert "not reviewed" in refused.log
        assert lab.live() == {"staging": 0.7, "production": 0.95}
        lab.edit("production", 0.9)
        assert local.push(at).job(BOTH[1]) == "success"
        assert lab.live() == {"staging": 0.7, "production": 0.7}
        assert git(at, "status", "--porcelain", "--", "workflows") == ""
        assert TOKEN not in planned.log + refused.log
