"""Entries of the project file, or paths that a user named → the files that are read, and what is wrong."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from defendctl.diagnostics import Diagnostic, Span
from defendctl.manifest.files import Refused, expand, files_under, is_glob
from defendctl.manifest.source import is_instead
from defendctl.manifest.words import short, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path


class Entries:
    """One reading. `others` are real paths that are files of ours, but not of this kind."""

    def __init__(self, root: Path, cwd: Path, kind: str, others: Collection[str]) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._root, self._cwd, self._kind, self._others = root, cwd, kind, others

    def error(self, code: str, message: str, span: Span) -> None:
        self.diagnostics.append(Diagnostic("error", code, message, span))

    def shown(self, path: Path) -> str:
        return shown(path, self._cwd)

    def given(self, paths: Iterable[Path]) -> Iterator[Path]:
        """The files of the paths that a user named."""
        for path in paths:
            start = self._cwd / path
            if os.path.lexists(start) or is_instead(start):
                yield from self._read(start, None)
            else:
                self.error("not-found", "There is no such file or folder.", Span(self.shown(start)))

    def entry(self, entry: str, span: Span) -> Iterator[Path]:
        """The files of one entry that stands in the project file at `span`."""
        root, start = self._root, self._root / entry
        inside = os.path.realpath(root) if _is_below(start, root) else None
        if is_glob(entry) and not os.path.lexists(start):
            matches = expand(root, entry, inside)
            if not matches:
                self.error("not-found", f"No {self._kind} matches `{short(entry)}`.", span)
            for match in matches:
                yield from (file for file in self._read(match, inside) if not self._is_other(file))
        elif os.path.lexists(start):
            yield from self._read(start, inside)
        else:
            self.error("not-found", f"There is no file or folder `{short(entry)}`.", span)

    def _read(self, start: Path, inside: str | None) -> Iterator[Path]:
        is_folder = start.is_dir()
        for path in files_under(start, inside):
            if isinstance(path, Refused):
                self.error(path.code, path.message, Span(self.shown(path.path)))
            elif not (is_folder and self._is_other(path)):
                yield path

    def _is_other(self, path: Path) -> bool:
        return bool(self._others) and os.path.realpath(path) in self._others


def unique(files: Iterable[Path]) -> list[Path]:
    """Each file once, by the name that sorts first, in the order of names."""
    real = {os.path.realpath(path): path for path in sorted(files, reverse=True)}
    return sorted(real.values())


def _is_below(path: Path, folder: Path) -> bool:
    """By name, before links are followed."""
    below = os.path.normpath(path) + os.sep
    return below.startswith(os.path.normpath(folder).rstrip(os.sep) + os.sep)
