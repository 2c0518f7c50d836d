"""As much of GitHub as the `ci` commands ask, over a real repository."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.ci.served import Answer, Asked, Served
from tests.operations.test_checkout import git

BOT = "github-actions[bot]"
CLOCK = iter(range(10_000))


def now() -> str:
    """Each a second later than the one before."""
    n = next(CLOCK)
    return f"2026-01-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z"


@dataclass
class FakeGitHub(Served):
    folder: Path = Path()
    login: str = BOT
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    checks: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    reviews: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        repo = "/repos/o/r"
        self.routes = [
            ("GET", repo, lambda *_: (200, {"full_name": "o/r"})),
            ("GET", rf"{repo}/compare/(\w+)\.\.\.(\w+)", FakeGitHub.compare),
            ("GET", rf"{repo}/commits/(\w+)/pulls", FakeGitHub.pulls_of),
            ("GET", rf"{repo}/commits/(\w+)/check-runs", FakeGitHub.checks_of),
            ("POST", rf"{repo}/check-runs", FakeGitHub.add_check),
            ("GET", rf"{repo}/pulls", FakeGitHub.closed_pulls),
            ("GET", rf"{repo}/pulls/(\d+)/reviews", FakeGitHub.reviews_of),
            ("GET", rf"{repo}/pulls/(\d+)", FakeGitHub.one_pull),
            ("GET", rf"{repo}/issues/(\d+)/comments", FakeGitHub.comments_of),
            ("POST", rf"{repo}/issues/(\d+)/comments", FakeGitHub.add_comment),
            ("PATCH", rf"{repo}/issues/comments/(\d+)", FakeGitHub.edit_comment),
            ("GET", rf"{repo}/issues", FakeGitHub.open_issues),
            ("POST", rf"{repo}/issues", FakeGitHub.add_issue),
            ("PATCH", rf"{repo}/issues/(\d+)", FakeGitHub.edit_issue),
            ("POST", r"/graphql", FakeGitHub.viewer),
        ]

    def pull(self, number: int, head: str, base: str = "main", repo: str = "o/r") -> dict[str, Any]:
        self.pulls[number] = {
            "number": number,
            "state": "open",
            "merged_at": None,
            "merge_commit_sha": None,
            "head": {"sha": head, "repo": {"full_name": repo}},
            "base": {"ref": base, "sha": git(self.folder, "rev-parse", "main"), "repo": {"full_name": "o/r"}},
        }
        return self.pulls[number]

    def merged(self, number: int, commit: str) -> None:
        self.pulls[number] |= {"merged_at": now(), "state": "closed", "merge_commit_sha": commit}

    def texts(self, number: int) -> list[str]:
        return [one["body"] for one in self.comments if one["number"] == number]

    def compare(self, found: Any, asked: Asked) -> Answer:
        first, second = found.groups()
        try:
            commits = git(self.folder, "rev-list", "--reverse", f"{first}..{second}").split()
            behind = git(self.folder, "rev-list", f"{second}..{first}").split()
        except Exception:
            return 404, {"message": "Not Found"}
        names = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}
        status = names.get((bool(commits), bool(behind)), "diverged")
        shown = [{"sha": one} for one in asked.page(commits)]
        return 200, {"status": status, "total_commits": len(commits), "commits": shown}

    def pulls_of(self, found: Any, asked: Asked) -> Answer:
        sha = found[1]
        every = self.pulls.values()
        return 200, asked.page([x for x in every if sha in (x["merge_commit_sha"], x["head"]["sha"])])

    def one_pull(self, found: Any, asked: Asked) -> Answer:
        known = self.pulls.get(int(found[1]))
        return (200, known) if known else (404, {"message": "Not Found"})

    def closed_pulls(self, found: Any, asked: Asked) -> Answer:
        return 200, asked.page([one for one in self.pulls.values() if one["state"] == "closed"])

    def checks_of(self, found: Any, asked: Asked) -> Answer:
        name = asked.query.get("check_name")
        runs = [one for one in self.checks if one["head_sha"] == found[1] and one["name"] == name]
        return 200, {"total_count": len(runs), "check_runs": asked.page(runs)}

    def add_check(self, found: Any, asked: Asked) -> Answer:
        made = {
            "id": len(self.checks) + 1,
            "app": {"slug": "github-actions"},
            "completed_at": now(),
            "html_url": "https://github.invalid/check",
            **asked.body,
        }
        self.checks.append(made)
        return 201, made

    def reviews_of(self, found: Any, asked: Asked) -> Answer:
        return 200, asked.page(self.reviews.get(int(found[1]), []))

    def comments_of(self, found: Any, asked: Asked) -> Answer:
        every = [one for one in self.comments if one["number"] == int(found[1])]
        return 200, asked.page(every)

    def add_comment(self, found: Any, asked: Asked) -> Answer:
        if len(asked.body["body"]) > 65_536:
            return 422, {"message": "body is too long (maximum is 65536 characters)"}
        made = {
            "id": len(self.comments) + 1,
            "number": int(found[1]),
            "user": {"login": self.login},
            "html_url": f"https://github.invalid/c/{len(self.comments) + 1}",
            **asked.body,
        }
        self.comments.append(made)
        return 201, made

    def edit_comment(self, found: Any, asked: Asked) -> Answer:
        self.comments[int(found[1]) - 1] |= asked.body
        return 200, self.comments[int(found[1]) - 1]

    def open_issues(self, found: Any, asked: Asked) -> Answer:
        return 200, asked.page([one for one in self.issues if one["state"] == "open"])

    def add_issue(self, found: Any, asked: Asked) -> Answer:
        made = {"number": len(self.issues) + 1, "state": "open", "user": {"login": self.login}, **asked.body}
        self.issues.append(made)
        return 201, made

    def edit_issue(self, found: Any, asked: Asked) -> Answer:
        self.issues[int(found[1]) - 1] |= asked.body
        return 200, self.issues[int(found[1]) - 1]

    def viewer(self, found: Any, asked: Asked) -> Answer:
        return 200, {"data": {"viewer": {"login": self.login}}}
