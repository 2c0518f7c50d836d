"""The main job of defendctl as a story, against the embedded sandbox: no key, no network.

Run by `make demo`. Every line after `$` is a command that really runs, in a folder of its own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DEFENDCTL = Path(sys.executable).with_name("defendctl")
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
        folder = Path(name) / "guardrails"
        shutil.copytree(HERE / "quickstart", folder, ignore=shutil.ignore_patterns(".defendctl"))
        story(folder)


def story(folder: Path) -> None:
    say("Three guardrails stand in workflows/. Are they well-formed?")
    run(folder, "validate")
    say("What would apply do? Nothing is live yet, so it would create three.")
    run(folder, "plan")
    say("Make it so. Every id that the API returns is recorded before it is shown.")
    run(folder, "apply", "--yes")
    say("Now a colleague lowers a threshold in the console, behind our back ...")
    behind_our_back(folder, "support-bot", LOWERED)
    say("... and drift tells: the edit loosened a guardrail.")
    run(folder, "drift", expect=2)
    say("Meanwhile we change git too: more retries, but a lower bar for following instructions.")
    edit(folder, "max_retries: 5", "max_retries: 8")
    edit(folder, "instruction_adherence: 0.75", "instruction_adherence: 0.6")
    say("The plan leads with what loosens, and says what recent events would have met under it.")
    run(folder, "plan", "--replay")
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


def say(text: str) -> None:
    print(f"\n# {text}", flush=True)


def run(folder: Path, *arguments: str, expect: int = 0) -> None:
    print(f"$ defendctl --sandbox {' '.join(arguments)}", flush=True)
    done = subprocess.run([DEFENDCTL, "--sandbox", *arguments], cwd=folder, check=False)
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


def behind_our_back(folder: Path, address: str, metrics: dict[str, float]) -> None:
    """Users talk to the bot, and somebody clicks in the console; the sandbox plays both."""
    listed = subprocess.check_output([DEFENDCTL, "--sandbox", "outputs"], cwd=folder)
    workflow_id = json.loads(listed)["outputs"][address]
    command = [DEFENDCTL, "sandbox", "serve", "--data", ".defendctl/sandbox.sqlite"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        url = f"{server.stdout.readline().strip()}/_sandbox"
        send("POST", f"{url}/events", {"workflow_id": workflow_id, "events": conversations()})
        send("PATCH", f"{url}/workflows/{workflow_id}", {"metrics": metrics})
        server.terminate()


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
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(
        urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
    ).close()


if __name__ == "__main__":
    main()
