"""A command in a process of its own, with what it needed: processor time, and memory at its highest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MIB = 300
SECONDS = 5
_RUN = """
import re, sys, time
from defendctl.cli.main import run
code = run(sys.argv[1:])
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
print("PEAK", peak, time.process_time(), file=sys.stderr)
sys.exit(code)
"""


@dataclass(frozen=True)
class Measured:
    code: int
    out: str
    err: str
    mib: float
    cpu: float

    def assert_bounded(self, seconds: float = SECONDS) -> None:
        """In processor time, for other tests run beside this one."""
        assert self.mib <= MIB, self.mib
        assert self.cpu <= seconds, self.cpu
        assert "Traceback" not in self.err, self.err
        assert "defect of defendctl" not in self.err, self.err


def measure(folder: Path, *arguments: str, **env: str) -> Measured:
    ran = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", **env},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    peak = re.search(r"PEAK (\d+) ([\d.]+)\n", ran.stderr)
    assert peak, ran.stderr
    err = ran.stderr.replace(peak[0], "")
    return Measured(ran.returncode, ran.stdout, err, int(peak[1]) / 1024, float(peak[2]))
