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

HERE = Path(__file__).parent
DEFENDCTL = Path(sys.executable).with_name("defendctl")


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
    lowered = {"completeness": 0.5, "instruction_adherence": 0.75, "comprehensive_safety": 0.9}
    console_edit(folder, "support-bot", lowered)
    say("... and drift tells: the edit loosened a guardrail.")
    run(folder, "drift", expect=2)
    say("Meanwhile we change git too: more retries, but a lower bar for following instructions.")
    edit(folder, "max_retries: 5", "max_retries: 8")
    edit(folder, "instruction_adherence: 0.75", "instruction_adherence: 0.6")
    say("The plan leads with what loosens. It also puts the console's edit right, for git wins.")
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


def console_edit(folder: Path, address: str, metrics: dict[str, float]) -> None:
    """What a click in the console does: the sandbox's administration route changes it."""
    listed = subprocess.check_output([DEFENDCTL, "--sandbox", "outputs"], cwd=folder)
    workflow_id = json.loads(listed)["outputs"][address]
    command = [DEFENDCTL, "sandbox", "serve", "--data", ".defendctl/sandbox.sqlite"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        url = f"{server.stdout.readline().strip()}/_sandbox/workflows/{workflow_id}"
        body = json.dumps({"metrics": metrics}).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="PATCH")
        urllib.request.urlopen(request).close()
        server.terminate()


if __name__ == "__main__":
    main()
