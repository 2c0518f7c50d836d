"""Files that a workflow is to search: each is uploaded once, and its id is durable before it is used."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import replace
from posixpath import basename
from typing import TYPE_CHECKING, Final, TypeVar

from defendctl.diagnostics import ApiError
from defendctl.plan.changes import Write, files_to_upload
from defendctl.plan.uploads import with_ids
from defendctl.state import records

if TYPE_CHECKING:
    from collections.abc import Callable

    from defendctl.engine.protocols import Files, Memory
    from defendctl.model import LocalFile

S = TypeVar("S", bound=Write)

AT_ONCE: Final = 4
"""Each holds its file in memory, 32 MiB at most."""


class Uploads:
    """Those of one apply. Safe to use from many threads.

    `read` gives what a file holds, and raises DefendctlError if that is not what was planned.
    """

    def __init__(self, remote: Files, memory: Memory, read: Callable[[LocalFile], bytes]) -> None:
        self._remote, self._memory, self._read = remote, memory, read
        self._begun: dict[str, Future[str]] = {}
        self._ids = set(memory.state.uploads.values())
        self._guard = threading.Lock()
        self._few = threading.Semaphore(AT_ONCE)

    def settled(self, change: S) -> S:
        """The same with the ids of its files. Raises DefendctlError for one that could not be uploaded,
        OSError or Precondition if nothing can be recorded any more."""
        files = files_to_upload(change)
        if not files:
            return change
        ids = {file.content: self._id(file, change.address) for file in files}
        return replace(change, desired=with_ids(change.desired, ids))

    def _id(self, file: LocalFile, address: str) -> str:
        """The first that asks uploads it; whoever asks meanwhile or later is told the same."""
        with self._guard:
            first = file.sha256 not in self._begun
            future = self._begun.setdefault(file.sha256, Future())
        if first:
            try:
                future.set_result(self._upload(file, address))
            except BaseException as error:  # whoever waits must hear of it
                future.set_exception(error)
        return future.result()

    def _upload(self, file: LocalFile, address: str) -> str:
        with self._few:
            file_id = self._remote.upload(basename(file.path), self._read(file))
        with self._guard:
            known = file_id in self._ids
            self._ids.add(file_id)
        if known:
            raise ApiError(f"uploading {file.path}: the API answered with the id of another file")
        self._memory.record(records.uploaded(address, file.sha256, file_id))
        return file_id
