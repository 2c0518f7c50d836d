"""Commands that are cut short at a file call: killed there, or refused by the disk, once or from then on.

Everything runs in this process, over the calls by which Python changes a disk. A kill is an exception from
that call and from every one after it, so that nothing that cleans up reaches the disk either.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from unittest.mock import patch

from defendctl.cli.main import run
from tests import conftest
from tests.conftest import Ran

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Project

CALLS = ("open", "write", "fsync", "fchmod", "ftruncate", "replace", "rename", "unlink", "mkdir", "rmdir")
Way = Literal["kill", "once", "for good"]
WAYS: tuple[Way, ...] = ("kill", "once", "for good")


class Killed(BaseException):
    """Nothing after it reaches the disk."""


@dataclass
class Cut:
    """At the nth call. `seen` is what was called, as far as it changes a disk."""

    nth: int | None
    way: Way = "kill"
    error: int = errno.ENOSPC
    seen: list[str] = field(default_factory=list)

    @contextmanager
    def applied(self) -> Iterator[None]:
        patches = [patch.object(os, name, self._wrapped(name, getattr(os, name))) for name in CALLS]
        for each in patches:
            each.start()
        try:
            yield
        finally:
            for each in patches:
                each.stop()

    def _wrapped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            if name != "open" or arguments[1] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                self.seen.append(name)
                self._refuse(name)
            return call(*arguments, **named)

        return wrapped

    def _refuse(self, name: str) -> None:
        at = len(self.seen)
        if self.nth is None or at < self.nth or (self.way == "once" and at > self.nth):
            return
        if self.way == "kill":
            raise Killed
        if name not in ("unlink", "rmdir"):  # a full disk takes these
            raise OSError(self.error, os.strerror(self.error))


def run_cut(project: Project, cut: Cut, *arguments: str) -> Ran:
    """As `Project.run`, whatever it ends in."""
    out, err = conftest._stream(), conftest._stream()
    with (
        conftest._environment(project.env),
        conftest._folder(project.root),
        redirect_stdout(out),
        redirect_stderr(err),
        cut.applied(),
    ):
        code = run(list(arguments))
    return Ran(code, conftest._text(out), conftest._text(err))
