"""Three environments, forty workflows, and a pipeline in which everything goes wrong that may.

`make ci-story`: the real commands in clones of their own, as jobs run them, on a state in git, beside an
embedded API for each environment and a stand-in for GitHub. Each step says what must hold.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from defendctl.sandbox.server import embedded
from tests.ci.fake_github import FakeGitHub
from tests.ci.served import serving
from tests.conftest import KEY, Server
from tests.pipelines.origin import Origin, bot

if TYPE_CHECKING:
    from collections.abc import Iterable

ENVIRONMENTS = ("staging", "canada", "production")
WORKFLOWS = 40
TOKEN = "ghs_planted_token_4712"


def tell(words: str) -> None:
    print(f"\n# {words}", flush=True)


def must(holds: bool, what: str) -> None:
    if not holds:
        raise SystemExit(f"this does not hold: {what}")
    print(f"  {what}", flush=True)


@dataclass
class Job:
    """One run of `ci apply`, which may still go on."""

    process: subprocess.Popen[str]

    def end(self) -> tuple[int, str]:
        said, _ = self.process.communicate()
        return self.process.returncode, said


@dataclass
class Story:
    folder: Path
    origin: Origin
    github: FakeGitHub
    servers: dict[str, Server]
    declared: dict[str, float] = field(default_factory=dict)
    number: int = 0
    runs: int = 0

    def propose(self, changes: dict[str, float]) -> int:
        """A pull request, and its plan: without the key."""
        self.number += 1
        bots = {name: bot(threshold) for name, threshold in changes.items()}
        head, merge = self.origin.propose(self.number, **bots)
        self.github.pull(self.number, head)
        event = {"pull_request": self.github.pulls[self.number]}
        code, said = self.start("pull_request", event, merge, "plan", "--offline").end()
        must(
            code == 0, f"request {self.number} is planned, and each environment has its record" + said * code
        )
        return self.number

    def merge(self, number: int, changes: dict[str, float]) -> str:
        commit = self.origin.merge(number)
        self.github.merged(number, commit)
        self.declared |= changes
        return commit

    def apply(self, commit: str, *options: str) -> tuple[int, str]:
        return self.start("push", {}, commit, "apply", *options).end()

    def start(self, event: str, content: dict[str, Any], commit: str, *words: str) -> Job:
        """A job, in a clone of its own. Requests get no key."""
        self.runs += 1
        at = self.origin.checkout(self.folder / f"job-{self.runs}", commit)
        path = self.folder / f"event-{self.runs}.json"
        path.write_text(json.dumps({**content, "repository": {"default_branch": "main"}}))
        request = event == "pull_request"
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DEEP")},
            **({} if request else {"DEEPRAILS_API_KEY": KEY}),
            **{"GITHUB_ACTIONS": "true", "GITHUB_API_URL": self.github.url, "GITHUB_REPOSITORY": "o/r"},
            **{"GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": str(path), "GITHUB_SHA": commit},
            **{"GITHUB_REF": "refs/pull/1/merge" if request else "refs/heads/main", "GH_TOKEN": TOKEN},
            **{"GITHUB_REF_NAME": "1/merge" if request else "main", "GITHUB_RUN_ID": str(self.runs)},
            **{"GITHUB_SERVER_URL": "https://github.invalid", "GITHUB_OUTPUT": "", "GITHUB_STEP_SUMMARY": ""},
        }
        command = [sys.executable, "-m", "defendctl", "ci", *words]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return Job(subprocess.Popen(command, cwd=at, env=env, text=True, **pipes))  # type: ignore[call-overload]

    def live(self, environment: str) -> dict[str, float]:
        """Raises SystemExit for a workflow that is there twice."""
        every = self.servers[environment].workflows()
        found = {one["name"]: one["metrics"]["completeness"] for one in every}
        if len(found) != len(every):
            raise SystemExit(f"a workflow is in {environment} twice")
        return found

    def edit(self, environment: str, name: str, threshold: float) -> None:
        """In the console."""
        server = self.servers[environment]
        [found] = [one["workflow_id"] for one in server.workflows() if one["name"] == name]
        server.edit(found, metrics={"completeness": threshold})

    def settled(self, environments: Iterable[str] = ENVIRONMENTS) -> None:
        names = list(environments)
        must(
            all(self.live(name) == self.declared for name in names),
            f"{', '.join(names)}: all {len(self.declared)} are as main declares them, none twice",
        )

    def changes(self) -> dict[str, int]:
        return {name: server.count("PUT") + server.count("POST") for name, server in self.servers.items()}


def told(story: Story) -> None:
    first = {f"w{n:02}": 0.8 for n in range(WORKFLOWS)}
    begin(story, first)
    two_requests(story)
    console_edit(story)
    half_an_apply(story)
    old_job(story)
    story.settled()
    made = {name: server.count("POST") for name, server in story.servers.items()}
    must(set(made.values()) == {len(story.declared)}, f"each was created once: {made}")
    commit = story.origin.git("rev-parse", "main")
    before = story.changes()
    code, said = story.apply(commit)
    must(code == 0 and story.changes() == before, "the last job again finds nothing to do" + said * code)


def begin(story: Story, first: dict[str, float]) -> None:
    tell("A request declares forty workflows. On a state that knows of none, a person says so.")
    commit = story.merge(story.propose(first), first)
    for name in ENVIRONMENTS:
        code, said = story.apply(commit, "--env", name)
        approve = re.search(r"--approve (sha256:[0-9a-f]{64}@\d+)", said)
        must(code == 6 and story.live(name) == {}, f"{name}: refused, and nothing was created")
        code, said = story.apply(commit, "--env", name, "--approve", approve[1] if approve else "")
        must(code == 0, f"{name}: that very plan is applied once it is approved" + said * code)
    story.settled()


def two_requests(story: Story) -> None:
    tell("Two requests at once; both are merged, and both jobs start at the same time.")
    one, other = {f"w{n:02}": 0.7 for n in range(5)}, {f"w{n:02}": 0.9 for n in range(5, 10)}
    first, second = story.propose(one), story.propose(other)
    commits = [story.merge(first, one), story.merge(second, other)]
    jobs = [story.start("push", {}, commit, "apply", "--wait-lock", "5m") for commit in commits]
    ends = [job.end() for job in jobs]
    must(
        [code for code, _ in ends] == [0, 0], "both end well, whichever came first" + ends[0][1] * ends[0][0]
    )
    story.settled()


def console_edit(story: Story) -> None:
    tell("Somebody raises a bar in the console of production while a request is reviewed.")
    change = {"w20": 0.6}
    commit = story.merge(story.propose(change), change)
    story.edit("production", "w21", 0.95)
    code, said = story.apply(commit)
    must(code == 6 and "w21" in said, "production: refused, and the change that nobody saw is named")
    must(story.live("production")["w20"] == 0.8, "production: nothing of it was applied")
    story.settled(["staging", "canada"])
    story.edit("production", "w21", 0.8)
    code, said = story.apply(commit)
    must(code == 0, "taken back in the console, and the same job again: applied" + said * code)
    story.settled()


def half_an_apply(story: Story) -> None:
    tell("An apply that fails midway: the API refuses from the fourth update on; then a job that is killed.")
    change = {**{f"w{n:02}": 0.75 for n in range(10, 20)}, "late-1": 0.8, "late-2": 0.8}
    commit = story.merge(story.propose(change), change)
    story.servers["canada"].fault("status", "PUT", status=503, skip=3, times=None)
    code, said = story.apply(commit)
    must(code == 4, "canada: partly done, and said so" + said * (code != 4))
    must(story.live("production") != story.declared, "production: not begun")
    story.servers["canada"].heal()
    job = story.start("push", {}, commit, "apply")
    before = story.servers["production"].count("PUT")
    while job.process.poll() is None and story.servers["production"].count("PUT") < before + 2:
        time.sleep(0.01)
    job.process.send_signal(signal.SIGKILL)
    must(job.end()[0] == -signal.SIGKILL, "the job is killed while it applies to production")
    code, said = story.apply(commit, "--wait-lock", "5m", "--lock-timeout", "5m")
    must(code == 0, "the same job again: the rest of it is applied, and nothing twice" + said * code)
    story.settled()


def old_job(story: Story) -> None:
    tell("A loosening is applied and reverted; then its old job is run again.")
    loose, back = {"w30": 0.3}, {"w30": 0.8}
    old = story.merge(story.propose(loose), loose)
    must(story.apply(old)[0] == 0, "loosened, as reviewed")
    must(story.apply(story.merge(story.propose(back), back))[0] == 0, "and back, as reviewed")
    before = story.changes()
    code, said = story.apply(old)
    must(code == 0 and "superseded" in said, "the old job again: superseded")
    must(story.changes() == before, "and nothing was changed")


def main() -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="defendctl-story-")))
        http = stack.enter_context(httpx.Client(trust_env=False, verify=False, timeout=30))
        urls = {name: stack.enter_context(embedded(":memory:")) for name in ENVIRONMENTS}
        origin = Origin(folder / "origin.git", folder / "clone", urls)
        origin.begin({})
        github = stack.enter_context(serving(FakeGitHub(TOKEN, folder=origin.bare)))
        assert isinstance(github, FakeGitHub)
        told(Story(folder, origin, github, {name: Server(url, http) for name, url in urls.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
