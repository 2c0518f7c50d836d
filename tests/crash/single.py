"""The command line as strace needs it: in one thread, and with file names that can be foreseen.

strace counts calls for each thread, and so counts them for the run; it matches whole paths, and the state's
temporary file and copies bear random parts. With `--parallelism 1` the order of all that is done stays as
it was.
"""

import concurrent.futures
import itertools
import os
import secrets
import tempfile
import uuid
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

_drawn = itertools.count(1)


class Inline(Executor):
    """A pool without threads: what is submitted has been done when `submit` returns."""

    def __init__(self, workers: int) -> None:
        pass

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(work(*arguments, **named))
        except BaseException as error:
            done.set_exception(error)
        return done


def token(bytes: int) -> str:
    return f"{next(_drawn):0{2 * bytes}x}"


def unique() -> uuid.UUID:
    return uuid.UUID(int=next(_drawn))


if __name__ == "__main__":
    from defendctl.__main__ import main
    from defendctl.state.local.backend import LocalLease

    concurrent.futures.ThreadPoolExecutor = Inline  # type: ignore[assignment, misc]
    secrets.token_hex = token  # type: ignore[assignment]
    uuid.uuid4 = unique
    if "CRASH_NOWHERE" in os.environ:  # no disk takes a temporary file
        tempfile._candidate_tempdir_list = list  # type: ignore[attr-defined]
    if "CRASH_PATIENT" in os.environ:  # no pause is too long
        LocalLease.send_limit = 1e6
    main()
