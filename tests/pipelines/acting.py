"""The written workflows of GitHub, run by act on this very machine, beside a fake GitHub."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.parts.tools import tool

if TYPE_CHECKING:
    from tests.ci.fake_github import FakeGitHub
    from tests.pipelines.origin import Origin

OURS = Path(sys.executable).parent
"""Where the defendctl of this checkout is: the lock of these tests is empty."""
CHECKOUT = """\
name: checkout
inputs:
  fetch-depth: {description: ignored}
  persist-credentials: {description: ignored}
runs:
  using: composite
  steps:
    - shell: bash
      run: |
        git init -q -b job .
        git remote add origin "$ORIGIN"
        git fetch -q origin '+refs/heads/*:refs/remotes/origin/*' "$COMMIT"
        git checkout -q --detach "$COMMIT"
"""
KEY = "sk_planted_act_4711"


@dataclass
class Acted:
    code: int
    log: str

    def job(self, name: str) -> str | None:
        """`success`, `failure`, or None where it did not run."""
        found = re.findall(rf"\[[^\]]*/{re.escape(name)} *\].*Job (succeeded|failed)", self.log)
        return {"succeeded": "success", "failed": "failure"}[found[-1]] if found else None


@dataclass
class Acting:
    folder: Path
    origin: Origin
    github: FakeGitHub
    runs: int = 0
    secrets: dict[str, str] = field(default_factory=dict)
    actions: dict[str, Path] = field(default_factory=dict)
    """Beside that of the checkout: OWNER/NAME@SHA → where it is."""

    def pull_request(self, number: int, commit: str, **more: Any) -> Acted:
        event = {"pull_request": self.github.pulls[number], "number": number, "action": "opened", **more}
        return self.run("pull_request", event, commit)

    def push(self, commit: str) -> Acted:
        return self.run("push", {"ref": "refs/heads/main", "after": commit}, commit)

    def dispatch(self, workflow: str, commit: str, **inputs: str) -> Acted:
        content = {"ref": "refs/heads/main", "inputs": inputs}
        return self.run("workflow_dispatch", content, commit, "-W", f".github/workflows/{workflow}.yml")

    def run(self, event: str, content: dict[str, Any], commit: str, *options: str) -> Acted:
        self.runs += 1
        at = self.origin.checkout(self.folder / f"run-{self.runs}", commit)
        path = self.folder / f"event-{self.runs}.json"
        path.write_text(json.dumps({**content, "repository": {"default_branch": "main", "full_name": "o/r"}}))
        ran = subprocess.run(
            [*self._command(event, path, commit), *options],
            cwd=at,
            env={**os.environ, "HOME": str(self.folder), "PATH": f"{OURS}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        return Acted(ran.returncode, ran.stdout + ran.stderr)

    def _command(self, event: str, path: Path, commit: str) -> list[str]:
        action = self.folder / "checkout"
        action.mkdir(exist_ok=True)
        (action / "action.yml").write_text(CHECKOUT)
        pin = re.search(r"actions/checkout@(\w{40})", self._plan())
        assert pin
        actions = {f"actions/checkout@{pin[1]}": action, **self.actions}
        env = {
            "GITHUB_API_URL": self.github.url,
            "GITHUB_SERVER_URL": "https://github.invalid",
            "GITHUB_REPOSITORY": "o/r",
            "ORIGIN": str(self.origin.bare),
            "COMMIT": commit,
        }
        secrets = {"GITHUB_TOKEN": self.github.token, **self.secrets}
        return [
            *(str(tool("act")), event, "--eventpath", str(path)),
            *("-P", "ubuntu-latest=-self-hosted", "--pull=false", "--action-offline-mode"),
            *("--no-skip-checkout", "--no-cache-server", "--action-cache-path", str(self.folder / "cache")),
            *(f"--local-repository=https://github.invalid/{name}={at}" for name, at in actions.items()),
            *(word for name, value in env.items() for word in ("--env", f"{name}={value}")),
            *(word for name, value in secrets.items() for word in ("-s", f"{name}={value}")),
        ]

    def _plan(self) -> str:
        path = self.origin.clone / ".github" / "workflows" / "guardrails-plan.yml"
        return path.read_text()
