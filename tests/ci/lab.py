"""The same team on GitLab: merge requests, merges, and their jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.operations.test_checkout import commit, git

if TYPE_CHECKING:
    from tests.ci.fake_gitlab import FakeGitLab
    from tests.conftest import Project, Ran


class Lab:
    """A project, its merge requests, and their jobs."""

    def __init__(self, project: Project, gitlab: FakeGitLab) -> None:
        self.project, self.gitlab, self.number = project, gitlab, 0

    @property
    def forge(self) -> FakeGitLab:
        return self.gitlab

    def request(self, **workflows: Any) -> int:
        self.number += 1
        git(self.project.root, "checkout", "-q", "-B", f"mr-{self.number}", "main")
        self.project.declare(workflows)
        made = commit(self.project, f"request {self.number}")
        self.gitlab.requests[self.number] = {
            "iid": self.number,
            "sha": made,
            "state": "opened",
            "target_branch": "main",
            "target_project_id": 42,
            "merge_commit_sha": None,
        }
        return self.number

    def plan(self, number: int, *options: str, code: int = 0, source: str = "42") -> Ran:
        git(self.project.root, "checkout", "-q", f"mr-{number}")
        head = self.gitlab.requests[number]["sha"]
        request = {
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_MERGE_REQUEST_IID": str(number),
            "CI_MERGE_REQUEST_PROJECT_ID": "42",
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": source,
            "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": head,
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": git(self.project.root, "merge-base", "main", head),
        }
        return self._run("plan", *options, code=code, env=request)

    def merge(self, number: int) -> str:
        git(self.project.root, "checkout", "-q", "main")
        git(self.project.root, "merge", "-q", "--no-ff", "-m", f"merge {number}", f"mr-{number}")
        made = git(self.project.root, "rev-parse", "HEAD")
        self.gitlab.requests[number] |= {"state": "merged", "merge_commit_sha": made}
        return made

    def apply(self, *options: str, code: int = 0, at: str = "main", **more: str) -> Ran:
        """The job of a push to main, with what is checked out `at`; `more`: other variables."""
        git(self.project.root, "checkout", "-q", at)
        env = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main", "CI_MERGE_REQUEST_IID": ""}
        env |= dict.fromkeys(("CI_MERGE_REQUEST_PROJECT_ID", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID"), "")
        env |= more
        return self._run("apply", *options, code=code, env=env)

    def _run(self, command: str, *options: str, code: int, env: dict[str, str]) -> Ran:
        self.project.env |= {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": self.gitlab.url,
            "CI_PROJECT_ID": "42",
            "CI_DEFAULT_BRANCH": "main",
            "CI_COMMIT_SHA": git(self.project.root, "rev-parse", "HEAD"),
            "DEFENDCTL_GITLAB_TOKEN": self.gitlab.token,
            **env,
        }
        return self.project.ok("ci", command, *options, code=code)

    def live(self) -> float:
        workflow_id = self.project.state["bindings"]["a"]["workflow_id"]
        return float(self.project.server.workflow(workflow_id)["metrics"]["completeness"])
