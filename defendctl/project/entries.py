"""Entries of the project file, or paths that a user named → the files that are read, and what is wrong."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from defendctl.diagnostics import Diagnostic, Span
from defendctl.project.files import ENDINGS, MAX_NAMES, TooManyNames, Unread, Walk, is_glob
from defendctl.yamltext.quote import short
from defendctl.yamltext.source import is_instead, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from defendctl.project.project import Project

_NAMES = " or ".join(f"*{ending}" for ending in ENDINGS)


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of some entries, and what is wrong with those entries."""

    files: list[Path]
    diagnostics: list[Diagnostic]

    @property
    def real_files(self) -> set[str]:
        return {os.path.realpath(file) for file in self.files}


def list_files(
    project: Project, cwd: Path, kind: str, named: Iterable[tuple[str, Span]], others: Collection[str] = ()
) -> Listing:
    """Each file of the entries that are named, once."""
    entries = Entries(project.root, cwd, kind, others)
    files = unique(file for entry, span in named for file in entries.entry(entry, span))
    return Listing(files, entries.diagnostics)


def own_file(project: Project) -> set[str]:
    """The real path of the project file, which is nothing else."""
    return {os.path.realpath(project.file)} if project.file else set()


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
        """The files of the paths that a user named; an error for each that has none."""
        for path in paths:
            start = self._cwd / path
            span = Span(self.shown(start))
            if not (os.path.lexists(start) or is_instead(start)):
                self.error("not-found", "There is no such file or folder.", span)
                continue
            yield from self._some([start], Walk(None), f"There is no {self._kind} ({_NAMES}) in here.", span)

    def entry(self, entry: str, span: Span, *, may_be_empty: bool = False, then: str = "") -> list[Path]:
        """The files of one entry that stands in the project file at `span`; an error if there are none.

        A folder without any is none where it `may_be_empty`; else `then` says what to do with it.
        """
        root, start = self._root, self._root / entry
        walk = Walk(os.path.realpath(root) if _is_below(start, root) else None)
        if os.path.lexists(start):
            lacking = (
                None if may_be_empty else f"There is no {self._kind} ({_NAMES}) in `{short(entry)}`.{then}"
            )
            return self._some([start], walk, lacking, span)
        if not is_glob(entry):
            self.error("not-found", f"There is no file or folder `{short(entry)}`.", span)
            return []
        starts = (path for path in walk.expand(root, entry) if not self._is_other(path))
        return self._some(starts, walk, f"No {self._kind} matches `{short(entry)}`.", span)

    def _some(self, starts: Iterable[Path], walk: Walk, lacking: str | None, span: Span) -> list[Path]:
        """What is read of these; an error that says `lacking` where that is nothing."""
        before = len(self.diagnostics)
        try:
            files = [file for start in starts for file in self._read(start, walk)]
        except TooManyNames:
            message = f"More than {MAX_NAMES:,} files and folders lie below this; name a smaller folder."
            self.error("too-many-files", message, span)
            return []
        if not files and lacking and len(self.diagnostics) == before:
            self.error("not-found", lacking, span)
        return files

    def _read(self, start: Path, walk: Walk) -> Iterator[Path]:
        is_folder = start.is_dir()
        for path in walk.files(start):
            if isinstance(path, Unread):
                self.error(path.code, path.message, Span(self.shown(path.path)))
            elif not (is_folder and self._is_other(path)):
                yield path

    def _is_other(self, path: Path) -> bool:
        return bool(self._others) and os.path.realpath(path) in self._others


def holds_only(path: Path, real_files: Collection[str]) -> bool:
    """Whether it is one of these files, or a folder in which nothing else is read."""
    try:
        files = [os.path.realpath(file) for file in Walk(None).files(path) if not isinstance(file, Unread)]
    except TooManyNames:
        return False
    return bool(files) and all(file in real_files for file in files)


def unique(files: Iterable[Path]) -> list[Path]:
    """Each file once, by the name that sorts first, in the order of names."""
    real = {os.path.realpath(path): path for path in sorted(files, reverse=True)}
    return sorted(real.values())


def _is_below(path: Path, folder: Path) -> bool:
    """By name, before links are followed."""
    below = os.path.normpath(path) + os.sep
    return below.startswith(os.path.normpath(folder).rstrip(os.sep) + os.sep)
