"""As much of GitLab as the `ci` commands ask, over a real repository."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.ci.fake_github import now
from tests.ci.served import Answer, Asked, Served
from tests.operations.test_checkout import git

OWN = 77


@dataclass
class FakeGitLab(Served):
    folder: Path = Path()
    requests: dict[int, dict[str, Any]] = field(default_factory=dict)
    notes: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        project = "/projects/42"
        self.routes = [
            ("GET", project, lambda *_: (200, {"id": 42})),
            ("GET", "/user", lambda *_: (200, {"id": OWN})),
            ("GET", rf"{project}/repository/compare", FakeGitLab.compare),
            ("GET", rf"{project}/repository/merge_base", FakeGitLab.merge_base),
            ("GET", rf"{project}/repository/commits/(\w+)/merge_requests", FakeGitLab.requests_of),
            ("GET", rf"{project}/merge_requests/(\d+)/notes", FakeGitLab.notes_of),
            ("POST", rf"{project}/merge_requests/(\d+)/notes", FakeGitLab.add_note),
            ("PUT", rf"{project}/merge_requests/\d+/notes/(\d+)", FakeGitLab.edit_note),
            ("GET", rf"{project}/issues", FakeGitLab.open_issues),
            ("POST", rf"{project}/issues", FakeGitLab.add_issue),
            ("PUT", rf"{project}/issues/(\d+)", FakeGitLab.edit_issue),
        ]

    def texts(self, number: int) -> list[str]:
        return [one["body"] for one in self.notes if one["number"] == number]

    def note(self, number: int, body: str, author: int = OWN, *, system: bool = False) -> dict[str, Any]:
        made = {
            "id": len(self.notes) + 1,
            "number": number,
            "body": body,
            "author": {"id": author},
            "system": system,
            "created_at": now(),
            "updated_at": now(),
        }
        self.notes.append(made)
        return made

    def compare(self, found: Any, asked: Asked) -> Answer:
        first, last = asked.query["from"], asked.query["to"]
        commits = git(self.folder, "rev-list", "--reverse", f"{first}..{last}").split()
        return 200, {"commits": [{"id": one} for one in commits]}

    def merge_base(self, found: Any, asked: Asked) -> Answer:
        first, second = asked.values["refs[]"]
        return 200, {"id": git(self.folder, "merge-base", first, second)}

    def requests_of(self, found: Any, asked: Asked) -> Answer:
        every = self.requests.values()
        return 200, asked.page([one for one in every if found[1] in (one["merge_commit_sha"], one["sha"])])

    def notes_of(self, found: Any, asked: Asked) -> Answer:
        every = [one for one in self.notes if one["number"] == int(found[1])]
        return 200, asked.page(every)

    def add_note(self, found: Any, asked: Asked) -> Answer:
        return 201, self.note(int(found[1]), asked.body["body"])

    def edit_note(self, found: Any, asked: Asked) -> Answer:
        self.notes[int(found[1]) - 1] |= {**asked.body, "updated_at": now()}
        return 200, self.notes[int(found[1]) - 1]

    def open_issues(self, found: Any, asked: Asked) -> Answer:
        return 200, asked.page([one for one in self.issues if one["state"] == "opened"])

    def add_issue(self, found: Any, asked: Asked) -> Answer:
        made = {
            "iid": len(self.issues) + 1,
            "state": "opened",
            "author": {"id": OWN},
            "updated_at": now(),
        } | asked.body
        self.issues.append(made)
        return 201, made

    def edit_issue(self, found: Any, asked: Asked) -> Answer:
        closed = {"state": "closed"} if asked.body.get("state_event") == "close" else {}
        self.issues[int(found[1]) - 1] |= {**asked.body, **closed}
        return 200, self.issues[int(found[1]) - 1]
