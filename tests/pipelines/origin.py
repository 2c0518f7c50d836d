"""A repository that everybody pushes to, and one clone in which its team works."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.cli.test_cli import run
from tests.conftest import KEY, custom
from tests.operations.test_checkout import git

if TYPE_CHECKING:
    from pathlib import Path


def bot(threshold: float, **more: Any) -> Any:
    return custom(metrics={"completeness": threshold}, **more)


@dataclass
class Origin:
    bare: Path
    clone: Path
    urls: dict[str, str]
    """Environment → where its API is."""
    workflows: dict[str, Any] = field(default_factory=dict)
    """As main declares them."""

    def git(self, *words: str) -> str:
        return git(self.clone, *words)

    def begin(self, jobs: dict[str, str], **workflows: Any) -> str:
        """The first commit, with the state of each environment begun as the documents say. `jobs`: files."""
        git(self.bare.parent, "init", "-q", "--bare", "-b", "main", str(self.bare))
        git(self.bare.parent, "clone", "-q", str(self.bare), str(self.clone))
        self.git("symbolic-ref", "HEAD", "refs/heads/main")
        environments = {
            name: {"api": {"base_url": url}, "state": {"url": f"git+origin?key={name}"}}
            for name, url in self.urls.items()
        }
        whole = {"version": 1, "environments": environments}
        (self.clone / "defendctl.yaml").write_text(json.dumps(whole, indent=2))
        (self.clone / ".gitignore").write_text(".defendctl/\n")
        for name in self.urls:
            ran = run(self.clone, "init", "--env", name)
            assert ran.code == 0, ran
        for name, text in jobs.items():
            (self.clone / name).parent.mkdir(parents=True, exist_ok=True)
            (self.clone / name).write_text(text)
        return self._to_main("begun", workflows)

    def push(self, message: str = "pushed", **workflows: Any) -> str:
        """A commit on main that no request brought."""
        self.git("checkout", "-q", "main")
        return self._to_main(message, workflows)

    def _to_main(self, message: str, workflows: dict[str, Any]) -> str:
        self._declare(workflows)
        made = self._commit(message)
        self.git("push", "-q", "origin", "main")
        return made

    def apply(self) -> None:
        """What main declares, by hand, to each environment."""
        self.git("checkout", "-q", "main")
        for name in self.urls:
            ran = run(self.clone, "apply", "--yes", "--env", name, DEEPRAILS_API_KEY=KEY)
            assert ran.code == 0, ran

    def propose(self, number: int, **workflows: Any) -> tuple[str, str]:
        """A branch from main with these workflows, as `refs/pull/N`: its head, and the merge of both."""
        self.git("checkout", "-q", "-B", f"pr-{number}", "main")
        self._declare(workflows)
        head = self._commit(f"request {number}")
        self.git("push", "-q", "--force", "origin", f"pr-{number}")
        return head, self.update(number)

    def update(self, number: int) -> str:
        """The merge of a request and of what main is now, as a forge keeps it."""
        self.git("checkout", "-q", "--detach", "main")
        self.git("merge", "-q", "--no-ff", "-m", f"merge of {number}", f"pr-{number}")
        self.git("push", "-q", "--force", "origin", f"HEAD:refs/pull/{number}/merge")
        return self.git("rev-parse", "HEAD")

    def merge(self, number: int) -> str:
        self.git("checkout", "-q", "main")
        self.git("merge", "-q", "--no-ff", "-m", f"request {number} merged", f"pr-{number}")
        self.git("push", "-q", "origin", "main")
        return self.git("rev-parse", "HEAD")

    def checkout(self, folder: Path, commit: str) -> Path:
        """A clone of its own, with all branches, at this commit."""
        git(self.bare.parent, "clone", "-q", str(self.bare), str(folder))
        git(folder, "fetch", "-q", "origin", commit)
        git(folder, "checkout", "-q", "--detach", commit)
        return folder

    def _declare(self, workflows: dict[str, Any]) -> None:
        """One file each, so that two requests seldom meet in one."""
        (self.clone / "workflows").mkdir(exist_ok=True)
        for name, one in workflows.items():
            text = json.dumps({"version": 1, "workflows": {name: one}}, indent=2)
            (self.clone / "workflows" / f"{name}.yaml").write_text(text)

    def _commit(self, message: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")
