"""The written jobs of GitLab, run by gitlab-ci-local on this very machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.operations.test_checkout import git
from tests.servers.installing import with_apt, with_npm

if TYPE_CHECKING:
    from tests.pipelines.origin import Origin

OURS = Path(sys.executable).parent
"""Where the defendctl of this checkout is: the lock of these tests is empty."""
REMOTE = "https://gitlab.invalid/o/r.git"
PREDEFINED = ("CI_PIPELINE_SOURCE", "CI_PROJECT_ID", "CI_API_V4_URL", "CI_MERGE_REQUEST_IID")


@dataclass
class Piped:
    code: int
    log: str

    def job(self, name: str) -> str | None:
        """`success`, `failure`, or None where it did not run."""
        found = re.findall(rf"^ (PASS|FAIL)  {re.escape(name)} *$", self.log, re.MULTILINE)
        return {"PASS": "success", "FAIL": "failure"}[found[-1]] if found else None


@dataclass
class Labbing:
    folder: Path
    origin: Origin
    variables: dict[str, str] = field(default_factory=dict)
    """Of protected branches: requests do not get them."""
    runs: int = 0

    def checkout(self, commit: str) -> Path:
        """One pipeline's."""
        self.runs += 1
        at = self.origin.checkout(self.folder / f"run-{self.runs}", commit)
        git(at, "checkout", "-q", "-B", "main")
        git(at, "remote", "set-head", "origin", "main")
        git(at, "remote", "set-url", "origin", REMOTE)
        return at

    def push(self, at: Path, *manual: str) -> Piped:
        """The pipeline of a push to main, and these jobs of it started by hand."""
        started = [word for name in manual for word in ("--manual", name)]
        return self.run(at, {"CI_PIPELINE_SOURCE": "push", **self.variables}, *started)

    def play(self, at: Path, job: str) -> Piped:
        """One job of a pipeline that ran, later."""
        return self.run(at, {"CI_PIPELINE_SOURCE": "push", **self.variables}, job)

    def run(self, at: Path, variables: dict[str, str], *words: str) -> Piped:
        """Each job in a copy of the checkout, as on a runner: two that run at once share no folder."""
        with_apt("rsync", "rsync")
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        (home / ".gitconfig").write_text(f'[url "{self.origin.bare}"]\n insteadOf = {REMOTE}\n')
        variables = {"HOME": str(home), "CI_PROJECT_ID": "42", **variables}
        installed = with_npm("gitlab_ci_local")
        ran = subprocess.run(
            [
                str(installed / "node_modules" / ".bin" / "gitlab-ci-local"),
                *("--force-shell-executor", "--shell-isolation"),
                *("--ignore-predefined-vars", ",".join(PREDEFINED), *words),
                *(word for name, value in variables.items() for word in ("--variable", f"{name}={value}")),
            ],
            cwd=at,
            env={
                **os.environ,
                "HOME": str(self.folder),
                "NODE_OPTIONS": f"--require {installed / 'set.cjs'}",
                "PATH": f"{OURS}:{os.environ['PATH']}",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return Piped(ran.returncode, ran.stdout + ran.stderr)
