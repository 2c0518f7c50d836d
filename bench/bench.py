"""`make bench`: how plan and apply grow with the number of workflows, beside the vendor's SDK.

Every run is a process of its own against one sandbox on loopback; figures are wall seconds and the peak
of resident memory. The peer reads the same workflows, one after the other, with the SDK's own client and
keeps the answers' fields, as a script over the SDK would.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parent / ".cache"
DEFENDCTL = Path(sys.executable).with_name("defendctl")
SIZES = (1000, 2000)
SDK = "1.27.0"
GROWTH, PEAK = 2.3, 150.0


@dataclass(frozen=True)
class Run:
    seconds: float
    megabytes: float


def main() -> None:
    runs = {size: measure(size) for size in SIZES}
    print(f"{'':28}" + "".join(f"{size:>20} workflows" for size in SIZES))
    for what in runs[SIZES[0]]:
        cells = [runs[size][what] for size in SIZES]
        print(f"{what:28}" + "".join(f"{r.seconds:>16.2f} s {r.megabytes:>8.0f} MB" for r in cells))
    print(f"the embedded API starts, answers and stops in {embedding():.2f} s")
    report({size: runs[size] for size in SIZES})


def report(runs: dict[int, dict[str, Run]]) -> None:
    small, large = (runs[size] for size in SIZES)
    growth = large["apply (creates)"].seconds / small["apply (creates)"].seconds
    peak = max(run.megabytes for what, run in large.items() if "SDK" not in what)
    reads = large["plan (reads)"].seconds / large["SDK loop (reads)"].seconds
    print(f"\napply grows by {growth:.2f} for twice the creates (wanted: at most {GROWTH})")
    print(f"peak of plan and apply {peak:.0f} MB (wanted: less than {PEAK:.0f})")
    print(f"plan takes {reads:.2f} of the time of the SDK loop over the same reads")
    if growth > GROWTH or peak > PEAK:
        sys.exit(1)


def measure(size: int) -> dict[str, Run]:
    with tempfile.TemporaryDirectory(prefix="defendctl-bench-") as name:
        folder = Path(name)
        project(folder, size)
        with Serving() as url:
            env = {**os.environ, "DEEPRAILS_API_KEY": "bench", "DEEP_RAILS_BASE_URL": url}
            defendctl = [str(DEFENDCTL), "-C", str(folder)]
            apply = timed([*defendctl, "apply", "--yes", "--format", "json"], env)
            plan = timed([*defendctl, "plan", "--format", "json", "--detailed-exitcode"], env)
            ids = subprocess.check_output([*defendctl, "outputs"], env=env)
            listed = folder / "ids.json"
            listed.write_text(json.dumps(list(json.loads(ids)["outputs"].values())))
            loop = timed([str(sdk()), str(HERE / "sdk_reads.py"), url, str(listed)], env)
    return {"apply (creates)": apply, "plan (reads)": plan, "SDK loop (reads)": loop}


def project(folder: Path, size: int) -> None:
    (folder / "workflows").mkdir()
    (folder / "defendctl.yaml").write_text("version: 1\n")
    entries = "".join(
        f"  bot-{i:05}:\n    name: Bot {i}\n    type: custom\n"
        f"    metrics: {{completeness: 0.{i % 90 + 10}, correctness: 0.9}}\n    improvement_action: fixit\n"
        for i in range(size)
    )
    (folder / "workflows" / "bots.yaml").write_text(f"version: 1\nworkflows:\n{entries}")


class Serving:
    """A sandbox in a process of its own."""

    def __enter__(self) -> str:
        command = [str(DEFENDCTL), "sandbox", "serve"]
        self._server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._server.stdout
        return self._server.stdout.readline().strip()

    def __exit__(self, *error: object) -> None:
        self._server.terminate()
        self._server.wait()


def embedding() -> float:
    """Seconds, once it has been loaded."""
    from urllib.request import urlopen

    from defendctl.sandbox.server import embedded

    began = time.monotonic()
    with embedded(":memory:") as url:
        urlopen(f"{url}/_sandbox/workflows").read()
    return time.monotonic() - began


def timed(command: list[str], env: dict[str, str]) -> Run:
    began = time.monotonic()
    child = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{command[0]} exited with {child.returncode}")
    return Run(time.monotonic() - began, usage.ru_maxrss / 1024)


def sdk() -> Path:
    """The vendor's SDK in an environment of its own, kept between runs."""
    home = CACHE / f"sdk-{SDK}"
    if not (home / "ready").exists():
        venv.create(home, with_pip=True, clear=True)
        python = home / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "-q", f"deeprails=={SDK}"], check=True)
        (home / "ready").touch()
    return home / "bin" / "python"


if __name__ == "__main__":
    main()
