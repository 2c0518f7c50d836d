"""The main job of defendctl as a story, against the embedded sandbox: no key, no network.

Run by `make demo`. Every line after `$` is a command that really runs, in a folder of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
DEFENDCTL = Path(sys.executable).with_name("defendctl")
REPORT = HERE.parent / ".cache" / "demo.html"
LOWERED = {"completeness": 0.5, "instruction_adherence": 0.75, "comprehensive_safety": 0.9}
POLICY = """\
policy:
  rules:
    - {id: no-loosening, level: deny, no_loosening: true, message: Guardrails go down with a waiver only.}
"""
WAIVER = """\
waivers:
  - address: support-bot
    rule: no-loosening
    field: metrics.instruction_adherence
    to: 0.6
    reason: The new prompt asks for fewer steps; see the evaluation of March
    approver: Jane Doe
    expires: 2999-12-31
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="defendctl-demo-") as name:
        changes, tests = Path(name) / "guardrails", Path(name) / "tested"
        shutil.copytree(HERE / "quickstart", changes, ignore=shutil.ignore_patterns(".defendctl"))
        shutil.copytree(HERE / "suite", tests, ignore=shutil.ignore_patterns(".defendctl"))
        os.environ["DEFENDCTL_SANDBOX"] = "1"
        with starting(tests, "--scores", "scores.yaml") as server:  # it has the time of the first story
            story(changes)
            story_of_tests(tests, address(server))
        story_of_the_report(changes)


def story(folder: Path) -> None:
    say("Three guardrails stand in workflows/. Are they well-formed?")
    run(folder, "validate")
    say("Nothing is live yet, so apply creates three. Each id is recorded before it is shown.")
    run(folder, "apply", "--yes")
    say("Now a colleague lowers a threshold in the console, behind our back ...")
    behind_our_back(folder, "support-bot", LOWERED)
    say("... and drift tells: the edit loosened a guardrail.")
    run(folder, "drift", expect=2)
    say("Meanwhile we change git too: more retries, but a lower bar for following instructions.")
    edit(folder, "max_retries: 5", "max_retries: 8")
    edit(folder, "instruction_adherence: 0.75", "instruction_adherence: 0.6")
    say("The plan leads with what loosens, and says what recent events would have met under it.")
    run(folder, "plan", "--replay", "--out", "loosens.json")
    say("The team's policy: nothing loosens without a waiver. The plan prints the one that is missing.")
    append(folder / "defendctl.yaml", POLICY)
    run(folder, "plan", expect=5)
    say("It is written and approved in git. The plan shows who let it pass, and until when.")
    append(folder / "workflows" / "support.yaml", WAIVER)
    run(folder, "plan", "--out", "reviewed.json")
    say("The reviewed plan is consent: apply does exactly this, or refuses if anything moved.")
    run(folder, "apply", "reviewed.json")
    say("And now there is nothing to do.")
    run(folder, "plan", "--detailed-exitcode")


def story_of_tests(folder: Path, url: str) -> None:
    """In a second project, whose tests stand beside its guardrails; the judge reads from a script."""
    os.environ |= {"DEEP_RAILS_BASE_URL": url, "DEEPRAILS_API_KEY": "demo", "DEFENDCTL_SANDBOX": "0"}
    say("A threshold is a claim: this must be caught, that must pass. Tests say so, in a second project.")
    run(folder, "apply", "--yes", "--new-state", "--format", "json", quiet=True)
    run(folder, "test")
    say("A canary takes what the manifests declare: a change is tested before anything live changes.")
    run(folder, "test", "--create-canary")
    edit(folder, "correctness: 0.8", "correctness: 0.05")
    run(folder, "test", "--candidate", "--out", "results.json", expect=2)
    say("The plan says both: what is loosened, and what that would let through.")
    run(folder, "plan", "--tests", "results.json")


def story_of_the_report(folder: Path) -> None:
    """Of the plan that loosened, long after it was made: from its JSON alone."""
    REPORT.parent.mkdir(exist_ok=True)
    say("Whoever reviews wants to see it: each plan that was saved can be drawn, without key or network.")
    run(folder, "report", "loosens.json", "--report", f"html:{REPORT}")
    print(f"\nThe same with pictures, as one file without a script: {REPORT}", flush=True)


def say(text: str) -> None:
    print(f"\n# {text}", flush=True)


def run(folder: Path, *arguments: str, expect: int = 0, quiet: bool = False) -> None:
    sandbox = "--sandbox " if os.environ["DEFENDCTL_SANDBOX"] == "1" else ""
    print(f"$ defendctl {sandbox}{' '.join(arguments)}", flush=True)
    out = subprocess.DEVNULL if quiet else None
    done = subprocess.run([DEFENDCTL, *arguments], cwd=folder, check=False, stdout=out, stderr=out)
    if done.returncode != expect:
        sys.exit(f"the demo expected exit code {expect}, got {done.returncode}")
    if expect:
        print(f"(exit code {expect})", flush=True)


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "workflows" / "support.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    print(f"$ sed -i 's/{old}/{new}/' workflows/support.yaml", flush=True)


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)
    print(f"$ cat >> {path.name}\n{text}", end="", flush=True)


def behind_our_back(folder: Path, workflow: str, metrics: dict[str, float]) -> None:
    """Users talk to the bot, and somebody clicks in the console; the sandbox plays both."""
    with starting(folder, "--data", ".defendctl/sandbox.sqlite") as server:
        listed = subprocess.check_output([DEFENDCTL, "outputs"], cwd=folder)
        workflow_id, url = json.loads(listed)["outputs"][workflow], address(server)
        events = {"workflow_id": workflow_id, "events": conversations()}
        send("POST", f"{url}/_sandbox/events", events)
        send("PATCH", f"{url}/_sandbox/workflows/{workflow_id}", {"metrics": metrics})


@contextmanager
def starting(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The embedded API by itself, which takes a moment to be there."""
    command = [DEFENDCTL, "sandbox", "serve", *options]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server
        finally:
            server.terminate()


def address(server: subprocess.Popen[str]) -> str:
    """Its first line, once it is there."""
    assert server.stdout
    return server.stdout.readline().strip()


def conversations() -> list[dict[str, Any]]:
    """Forty of them; every fifth follows its instructions less well than was asked for, and is repaired."""
    good = {**dict.fromkeys(LOWERED, 0.95), "instruction_adherence": 0.9}
    poor = {**good, "instruction_adherence": 0.7}
    return [
        {
            "event_id": f"evt_{n}",
            "created_at": f"2026-01-{1 + n // 2:02}T12:00:00Z",
            "scores": [good] if n % 5 else [poor, good],
        }
        for n in range(40)
    ]


def send(method: str, url: str, body: object) -> None:
    headers = {"Content-Type": "application/json", "Authorization": "Bearer any"}
    urllib.request.urlopen(
        urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
    ).close()


if __name__ == "__main__":
    main()
