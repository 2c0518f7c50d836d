"""Files, folders and globs → the manifest files in them.

Folders are followed through symbolic links, each once, so that a loop ends; but with `inside` nothing beyond
that (real) folder is listed. Suffixes count in any case: `A.YAML` is a manifest too.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


ENDINGS: Final = (".yaml", ".yml")
MAX_NAMES = 100_000
"""In all folders that one entry leads through; a repository of manifests has fewer, a whole disk more."""
_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Unread:
    """A path that is not read, and why."""

    path: Path
    code: str
    message: str


class TooManyNames(Exception):
    """More files and folders than are looked at."""


def is_glob(entry: str) -> bool:
    return _MAGIC.search(entry) is not None


def has_ending(name: str) -> bool:
    return name.lower().endswith(ENDINGS)


def matches(name: str, pattern: str) -> bool:
    """As in a shell, but for the case of a manifest's suffix."""
    return fnmatchcase(_with_small_ending(name), _with_small_ending(pattern))


def _with_small_ending(name: str) -> str:
    stem, ending = os.path.splitext(name)  # noqa: PTH122  a pattern is no path
    return stem + ending.lower() if has_ending(name) else name


def would_read(root: Path, entry: str, file: Path) -> bool:
    """Whether an entry reads that manifest file, once it is there; hidden folders are not read."""
    start = Path(os.path.normpath(root / entry))
    if file == start:
        return True
    if start in file.parents:
        return not any(part.startswith(".") for part in file.relative_to(start).parts)
    return is_glob(entry) and matches(str(file), str(start).replace("**/", "*"))


def is_outside(path: Path, inside: str | None) -> bool:
    if inside is None:
        return False
    real = os.path.realpath(path)
    return real != inside and not real.startswith(inside.rstrip(os.sep) + os.sep)


class Walk:
    """One way through folders; it raises TooManyNames where it leads through too many."""

    def __init__(self, inside: str | None) -> None:
        self._inside = inside
        self._left = MAX_NAMES

    def files(self, path: Path) -> Iterator[Path | Unread]:
        """A file itself, whatever its name; of a folder every manifest file below it, in order."""
        if not path.is_dir():
            yield self._checked(path)
            return
        for folder, entries in self._folders(path):
            if is_outside(folder, self._inside):
                yield self._checked(folder)
            elif isinstance(entries, OSError):
                yield Unread(folder, "unreadable", f"This folder cannot be read: {entries.strerror}.")
            else:
                files = (folder / e.name for e in entries if has_ending(e.name) and not _is_folder(e))
                yield from map(self._checked, files)

    def expand(self, root: Path, pattern: str) -> Iterator[Path]:
        """The folders and manifest files a glob matches: `**` is any number of folders; a hidden name must
        be asked for with a dot."""
        paths = [root]
        for segment in Path(pattern).parts:
            paths = list(dict.fromkeys(hit for path in paths for hit in self._step(path, segment)))
        yield from (path for path in paths if path.is_dir() or has_ending(path.name))

    def _step(self, path: Path, segment: str) -> Iterable[Path]:
        if segment == "**":
            return [folder for folder, _ in self._folders(path)] if path.is_dir() else ()
        if not is_glob(segment):
            return (path / segment,) if os.path.lexists(path / segment) else ()
        entries = self._list(path)
        if isinstance(entries, OSError):
            return ()
        hidden = segment.startswith(".")
        names = (e.name for e in entries if hidden or not e.name.startswith("."))
        return [path / name for name in names if matches(name, segment)]

    def _folders(self, path: Path) -> Iterator[tuple[Path, list[os.DirEntry[str]] | OSError]]:
        """The folder and those below it, each once, with what is not hidden in it; one that is outside is
        named but not entered."""
        seen: set[str] = set()
        waiting = [path]
        while waiting:
            folder = waiting.pop()
            real = os.path.realpath(folder)
            if real in seen:
                continue
            seen.add(real)
            entries = [] if is_outside(folder, self._inside) else self._list(folder)
            if not isinstance(entries, OSError):
                entries = [e for e in entries if not e.name.startswith(".")]
                waiting.extend(folder / e.name for e in reversed(entries) if _is_folder(e))
            yield folder, entries

    def _list(self, folder: Path) -> list[os.DirEntry[str]] | OSError:
        """Everything in it, by name. Raises TooManyNames, before the rest of a huge folder is listed."""
        found: list[os.DirEntry[str]] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._left -= 1
                    if self._left < 0:
                        raise TooManyNames
                    found.append(entry)
        except OSError as error:
            return error
        return sorted(found, key=lambda e: e.name)

    def _checked(self, path: Path) -> Path | Unread:
        if not is_outside(path, self._inside):
            return path
        return Unread(
            path, "outside-project", "A symbolic link leads out of the project here; manifests stay in it."
        )


def holds_manifests(folder: Path) -> bool:
    """Whether anything in it would be read, or is too much to be looked at."""
    try:
        return folder.is_dir() and any(True for _ in Walk(None).files(folder))
    except TooManyNames:
        return True


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
