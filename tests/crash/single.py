"""The command line as strace needs it: in one thread, and with file names that can be foreseen.

strace counts calls for each thread, and so counts them for the run; it matches whole paths, and the state's
temporary file and copies bear random parts. With `--parallelism 1` the order of all that is done stays as
it was.
"""

import itertools
import os
import secrets
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from defendctl.engine import apply, parallel
from defendctl.engine.create import Made

_drawn = itertools.count(1)


def inline(work: Callable[[], None], most: int, *_: object, **__: object) -> None:
    """Threads without threads: all has been done when this returns."""
    work()


class AtOnce(list[Made]):
    """Bindings that wait for no clock."""

    def append(self, made: Made) -> None:
        made.write()


@contextmanager
def written_at_once(applier: apply.Applier) -> Iterator[None]:
    applier._fresh = AtOnce()
    yield


def token(bytes: int) -> str:
    return f"{next(_drawn):0{2 * bytes}x}"


def unique() -> uuid.UUID:
    return uuid.UUID(int=next(_drawn))


if __name__ == "__main__":
    from defendctl.__main__ import main
    from defendctl.state.local.backend import LocalLease

    apply.in_threads = parallel.in_threads = inline  # type: ignore[attr-defined]
    apply.Applier._written_in_time = written_at_once  # type: ignore[assignment, method-assign]
    secrets.token_hex = token  # type: ignore[assignment]
    uuid.uuid4 = unique
    if "CRASH_NOWHERE" in os.environ:  # no disk takes a temporary file
        tempfile._candidate_tempdir_list = list  # type: ignore[attr-defined]
    if "CRASH_PATIENT" in os.environ:  # no pause is too long
        LocalLease.send_limit = 1e6
    main()
