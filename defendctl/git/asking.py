"""One call of git: bounded in time, and nobody is asked for anything.

No lock is taken that others could meet, and no hook of this repository and no monitor of files runs.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import DefendctlError
from defendctl.hosts import without_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_QUIET: Final = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
SECONDS: Final = 60
_ALONE: Final = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GCM_INTERACTIVE": "never",
    "SSH_ASKPASS_REQUIRE": "never",
}


class NoAnswer(DefendctlError):
    """git is not there, or cannot say; the message says why."""


class TooSlow(NoAnswer):
    """git was stopped before it was done."""


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: bytes
    err: bytes

    @property
    def reason(self) -> str:
        """The first line, for what follows is advice about git's own settings."""
        lines = self.err.decode(errors="replace").splitlines() or ["it gave no reason"]
        return without_secrets(lines[0].removeprefix("fatal: "))[:200]


def ask(
    folder: Path, *arguments: str, given: bytes | None = None, env: Mapping[str, str] | None = None
) -> bytes:
    """What git prints. Raises NoAnswer."""
    said = call(folder, *arguments, given=given, env=env)
    if said.code:
        raise NoAnswer(said.reason)
    return said.out


def call(
    folder: Path, *arguments: str, given: bytes | None = None, env: Mapping[str, str] | None = None
) -> Said:
    """What git says, whatever it is. Raises NoAnswer, TooSlow.

    In a session of its own: what git starts, like ssh, finds no terminal to ask at, an interrupt of this run
    does not cut it short, and all of it ends with it.
    """
    try:
        started = subprocess.Popen(
            ["git", "-C", str(folder), *_QUIET, *arguments],
            stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **_ALONE, **(env or {})},
            start_new_session=True,
        )
    except FileNotFoundError:
        raise NoAnswer("git is not installed") from None
    except OSError as error:
        raise NoAnswer(f"git cannot be run: {error.strerror}") from None
    try:
        out, err = started.communicate(given, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise TooSlow(f"git did not answer within {SECONDS} s") from None
    finally:
        _end(started)
    return Said(started.returncode, out, err)


def _end(started: subprocess.Popen[bytes]) -> None:
    """With all that it started, whatever stopped us."""
    if started.poll() is None:
        with suppress(OSError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()
    for stream in filter(None, (started.stdin, started.stdout, started.stderr)):
        with suppress(OSError):
            stream.close()
