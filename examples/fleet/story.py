"""A fleet in two environments, taken through a whole story against an embedded API: no key, no network.

Run it with `python examples/fleet/story.py`; it works on a copy and leaves nothing behind.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        story(Path(shutil.copytree(HERE, Path(folder) / "fleet")))
    return 0


def story(root: Path) -> None:
    tell("One command checks what both environments are in the end.")
    run(root, "--sandbox", "validate")

    tell("Which of the two is looser?")
    run(root, "compare", "production", "staging")

    tell("Where does each value of staging come from?")
    run(root, "render", "--env", "staging", "--origins")

    tell("With two environments, one must be named.")
    run(root, "--sandbox", "plan", code=64)

    tell("Staging first, then production: each has a state, a key and an API of its own.")
    for env in ("staging", "production"):
        run(root, "--sandbox", "--env", env, "apply", "--yes")

    tell("A change for both, in the manifest. Staging says a threshold of its own and does not move.")
    edit(root / "workflows" / "support.yaml", "completeness: 0.8", "completeness: 0.7")
    run(root, "--sandbox", "--env", "staging", "plan", "--detailed-exitcode")

    tell("In production it loosens a guardrail, and production has a rule against that.")
    run(root, "--sandbox", "--env", "production", "plan", code=5)

    tell("Tighter is welcome. What was reviewed for production is applied to production alone.")
    edit(root / "workflows" / "support.yaml", "completeness: 0.7", "completeness: 0.9")
    run(root, "--sandbox", "--env", "production", "plan", "--out", "reviewed.json")
    run(root, "--sandbox", "--env", "staging", "apply", "reviewed.json", code=6)
    run(root, "--sandbox", "--env", "production", "apply", "reviewed.json")

    tell("Only the research team, and only what is in staging.")
    run(root, "--sandbox", "--env", "staging", "outputs", "-l", "team=research")

    tell("Everything is as declared.")
    for env in ("staging", "production"):
        run(root, "--sandbox", "--env", env, "plan", "--detailed-exitcode")


def tell(line: str) -> None:
    print(f"\n# {line}", flush=True)


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def run(root: Path, *arguments: str, code: int = 0) -> None:
    """Shows the command and what it says; stops if it does not end as the story has it."""
    print(f"$ defendctl {' '.join(arguments)}", flush=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith("DEFENDCTL_")}
    ran = subprocess.run([sys.executable, "-m", "defendctl", *arguments], cwd=root, env=env, check=False)
    if ran.returncode != code:
        sys.exit(f"the story ends here: exit code {ran.returncode}, not {code}")
    if code:
        print(f"(exit code {code})", flush=True)


if __name__ == "__main__":
    sys.exit(main())
