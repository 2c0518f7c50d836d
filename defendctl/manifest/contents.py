"""Files of the repository that a manifest names: where they are, whether they may be sent, what they hold."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import DefendctlError, Diagnostic
from defendctl.model import LocalFile
from defendctl.project.files import is_outside
from defendctl.yamltext.quote import short
from defendctl.yamltext.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from defendctl.manifest.file_search import Named
    from defendctl.model import Workflow
    from defendctl.project.project import Project

MAX_BYTES: Final = 32 * 1024 * 1024
"""The API's own limit is not known. As much as a line of 5 Mbit/s sends within the minute that a write may
take, and little enough to be held in memory, so that what is sent is what was hashed."""
_BLOCK: Final = 1024 * 1024

OFF: Final = (
    "Files are not uploaded unless `api.uploads` of defendctl.yaml is `true`: the vendor's pages do not say "
    "what form the endpoint expects, so it is off until you have tried it. Write the id of a file that is "
    "uploaded already, or turn it on."
)


class Unusable(Exception):
    """A file that cannot be sent, and why: a code and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Contents:
    """One reading of the files; each is read once, however many workflows name it."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._report = Report("")
        self._read: dict[str, LocalFile | Unusable] = {}
        self.files: dict[str, LocalFile] = {}
        """By what stands for their id."""

    @property
    def diagnostics(self) -> list[Diagnostic]:
        return self._report.diagnostics

    def in_place(self, workflow: Workflow | None, named: Iterable[Named]) -> Workflow | None:
        """The workflow with what these files hold among the ids of its `file_search`."""
        found: dict[str, LocalFile] = {}
        with self._report.stopping():
            for one in named:
                self._add(one, found)
        if not (workflow and found):
            return workflow
        return replace(workflow, file_search=tuple(sorted({*workflow.file_search, *found})))

    def _add(self, one: Named, found: dict[str, LocalFile]) -> None:
        if not self._project.uploads:
            self._report.error("uploads-off", OFF, one.span)
            return
        file = self._of(one.path)
        if isinstance(file, Unusable):
            self._report.error(file.code, file.message, one.span)
        elif file.content in found:
            self._report.error("duplicate-item", _twice(found[file.content], file), one.span)
        else:
            found[file.content] = self.files.setdefault(file.content, file)

    def _of(self, path: str) -> LocalFile | Unusable:
        if path not in self._read:
            try:
                self._read[path] = _hashed(self._project.root, path)
            except Unusable as problem:
                self._read[path] = problem
        return self._read[path]


def read(root: Path, file: LocalFile) -> bytes:
    """What it holds. Raises DefendctlError if that is not what was planned."""
    try:
        data = b"".join(_blocks(root, file.path))
    except Unusable as problem:
        raise DefendctlError(problem.message.rstrip(".")) from problem
    import hashlib

    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise DefendctlError(f"`{short(file.path)}` was changed since the plan was made; plan again")
    return data


def _hashed(root: Path, path: str) -> LocalFile:
    import hashlib

    digest, size = hashlib.sha256(), 0
    for block in _blocks(root, path):
        digest.update(block)
        size += len(block)
    return LocalFile(Path(os.path.normpath(path)).as_posix(), digest.hexdigest(), size)


def _blocks(root: Path, path: str) -> Iterator[bytes]:
    """What the file holds, piece by piece. Raises Unusable, also after the first piece."""
    real, size = _located(root, path), 0
    try:
        if not stat.S_ISREG(real.stat().st_mode):  # before opening: a FIFO would hang
            raise Unusable("not-a-regular-file", f"`{short(path)}` is not a regular file.")
        with real.open("rb") as file:
            while block := file.read(_BLOCK):
                size += len(block)
                if size > MAX_BYTES:
                    raise Unusable("file-too-large", _too_large(path))
                yield block
    except FileNotFoundError as error:
        where = "paths are relative to the folder of defendctl.yaml"
        raise Unusable("not-found", f"There is no file `{short(path)}` ({where}).") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file has such a name"
        raise Unusable("unreadable", f"`{short(path)}` cannot be read: {reason}.") from error
    if not size:
        raise Unusable("empty-file", f"`{short(path)}` is empty, so there is nothing to search in it.")


def _located(root: Path, path: str) -> Path:
    """Where the file is, links followed. Raises Unusable if that is not in the project."""
    if not path.isprintable():
        message = f"The path `{short(path)}` must not hold control or invisible characters."
        raise Unusable("invalid-value", message)
    inside = os.path.realpath(root)
    by_name = os.path.normpath(os.path.join(inside, path))  # noqa: PTH118  the names as they are given
    if os.path.isabs(path) or not by_name.startswith(inside.rstrip(os.sep) + os.sep):  # noqa: PTH117
        message = f"`{short(path)}` must be in the project, and relative to the folder of defendctl.yaml."
        raise Unusable("outside-project", message)
    if is_outside(Path(by_name), inside):
        raise Unusable("outside-project", f"`{short(path)}` is a link that leads out of the project.")
    real = os.path.realpath(by_name)
    for where, what in ((by_name, "is"), (real, "is a link to")):
        if _is_hidden(where, inside):
            message = f"`{short(path)}` {what} a hidden file (a name on its path begins with a dot)"
            raise Unusable("hidden-file", f"{message}; those are never sent.")
    return Path(real)


def _is_hidden(path: str, root: str) -> bool:
    """The files of git, of editors, of keys: nobody keeps there what a guardrail is to search."""
    return any(name.startswith(".") for name in Path(path).relative_to(root).parts)


def _too_large(path: str) -> str:
    return f"`{short(path)}` is larger than {MAX_BYTES >> 20} MiB, the most that is uploaded; split it."


def _twice(first: LocalFile, again: LocalFile) -> str:
    if first.path == again.path:
        return f"`{short(again.path)}` is listed twice in `file_search`."
    return f"`{short(again.path)}` holds the same as `{short(first.path)}`, which is listed already."
