"""A team whose project is in git and whose pipelines run on a forge: requests, merges, and their jobs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.conftest import Project, Ran, custom
from tests.operations.test_checkout import commit, git

if TYPE_CHECKING:
    from tests.ci.fake_github import FakeGitHub


def bot(threshold: float, **more: Any) -> Any:
    return custom(metrics={"completeness": threshold}, **more)


@dataclass
class Team:
    project: Project
    github: FakeGitHub
    number: int = 0

    @property
    def forge(self) -> FakeGitHub:
        return self.github

    def request(self, **workflows: Any) -> int:
        """A branch from main that declares this, and a pull request for it."""
        self.number += 1
        git(self.project.root, "checkout", "-q", "-B", f"pr-{self.number}", "main")
        self.project.declare(workflows)
        self.github.pull(self.number, commit(self.project, f"request {self.number}"))
        return self.number

    def push_to(self, number: int, **workflows: Any) -> None:
        """One more commit on its branch."""
        git(self.project.root, "checkout", "-q", f"pr-{number}")
        self.project.declare(workflows)
        self.github.pulls[number]["head"]["sha"] = commit(self.project, "more")

    def plan(self, number: int, *options: str, code: int = 0) -> Ran:
        """The job of a pull request, on its branch."""
        git(self.project.root, "checkout", "-q", f"pr-{number}")
        pull = self.github.pulls[number]
        self.run_as("pull_request", {"pull_request": pull}, f"refs/pull/{number}/merge", f"{number}/merge")
        return self.project.ok("ci", "plan", *options, code=code)

    def merge(self, number: int, *how: str) -> str:
        git(self.project.root, "checkout", "-q", "main")
        git(self.project.root, "merge", "-q", "--no-ff", *how, "-m", f"merge {number}", f"pr-{number}")
        if "--squash" in how:
            git(self.project.root, "commit", "-qm", f"squash {number}")
        made = git(self.project.root, "rev-parse", "HEAD")
        self.github.merged(number, made)
        return made

    def apply(self, *options: str, code: int = 0, event: str = "push", at: str = "main") -> Ran:
        """The job of a push to main, with what is checked out `at`."""
        git(self.project.root, "checkout", "-q", at)
        self.run_as(event, {}, "refs/heads/main", "main")
        return self.project.ok("ci", "apply", *options, code=code)

    def reviewed(self, **workflows: Any) -> str:
        """Requested, planned and merged."""
        number = self.request(**workflows)
        self.plan(number)
        return self.merge(number)

    def approval(self, number: int, at: str, state: str = "APPROVED") -> dict[str, Any]:
        """What one member says of a request, the newest last."""
        head = self.github.pulls[number]["head"]["sha"]
        made = {"state": state, "commit_id": head, "submitted_at": at, "author_association": "MEMBER"}
        self.github.reviews.setdefault(number, []).append(made | {"user": {"login": "ann"}})
        return self.github.reviews[number][-1]

    def run_as(self, event: str, content: dict[str, Any], ref: str, name: str) -> None:
        path = self.project.root / ".defendctl" / "event.json"
        path.write_text(json.dumps({**content, "repository": {"default_branch": "main"}}))
        for file in ("summary.md", "output.txt"):
            (self.project.root / ".defendctl" / file).write_text("")
        self.project.env |= {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.github.url,
            "GITHUB_SERVER_URL": "https://github.invalid",
            "GITHUB_REPOSITORY": "o/r",
            "GITHUB_RUN_ID": "7",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(path),
            "GITHUB_SHA": git(self.project.root, "rev-parse", "HEAD"),
            "GITHUB_REF": ref,
            "GITHUB_REF_NAME": name,
            "GITHUB_STEP_SUMMARY": str(self.project.root / ".defendctl" / "summary.md"),
            "GITHUB_OUTPUT": str(self.project.root / ".defendctl" / "output.txt"),
            "GH_TOKEN": self.github.token,
        }

    @property
    def summary(self) -> str:
        return (self.project.root / ".defendctl" / "summary.md").read_text()

    @property
    def outputs(self) -> dict[str, str]:
        text = (self.project.root / ".defendctl" / "output.txt").read_text()
        return dict(line.split("=", 1) for line in text.splitlines())

    def live(self, address: str) -> float:
        workflow_id = self.project.state["bindings"][address]["workflow_id"]
        return float(self.project.server.workflow(workflow_id)["metrics"]["completeness"])
