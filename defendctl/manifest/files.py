"""Files, folders and globs → the manifest files in them.

Folders are followed through symbolic links, each once, so that a loop ends; but with `inside` nothing beyond
that (real) folder is listed.
"""

from __future__ import annotations

import fnmatch
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ENDINGS = (".yaml", ".yml")
_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Refused:
    """A path that is not read, and why."""

    path: Path
    code: str
    message: str


def is_glob(entry: str) -> bool:
    return _MAGIC.search(entry) is not None


def would_read(root: Path, entry: str, file: Path) -> bool:
    """Whether an entry reads that manifest file, once it is there; hidden folders are not read."""
    start = Path(os.path.normpath(root / entry))
    if file == start:
        return True
    if start in file.parents:
        return not any(part.startswith(".") for part in file.relative_to(start).parts)
    return is_glob(entry) and fnmatch.fnmatchcase(str(file), str(start).replace("**/", "*"))


def is_outside(path: Path, inside: str | None) -> bool:
    if inside is None:
        return False
    real = os.path.realpath(path)
    return real != inside and not real.startswith(inside.rstrip(os.sep) + os.sep)


def files_under(path: Path, inside: str | None) -> Iterator[Path | Refused]:
    """A file itself, whatever its name; of a folder every manifest file below it, in order."""
    for folder in folders_under(path, inside) if path.is_dir() else ():
        entries = [] if is_outside(folder, inside) else _list(folder)
        if isinstance(entries, OSError):
            yield Refused(folder, "unreadable", f"This folder cannot be read: {entries.strerror}.")
        else:
            files = (folder / e.name for e in entries if e.name.endswith(ENDINGS) and not _is_folder(e))
            yield from (_checked(file, inside) for file in files)
        if is_outside(folder, inside):
            yield _checked(folder, inside)
    if not path.is_dir():
        yield _checked(path, inside)


def _checked(path: Path, inside: str | None) -> Path | Refused:
    if not is_outside(path, inside):
        return path
    return Refused(
        path, "outside-project", "A symbolic link leads out of the project here; manifests stay in it."
    )


def folders_under(path: Path, inside: str | None) -> Iterator[Path]:
    """The folder and those below it, each once; one that is outside is named but not entered."""
    seen: set[str] = set()
    waiting = [path]
    while waiting:
        folder = waiting.pop()
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        yield folder
        entries = [] if is_outside(folder, inside) else _list(folder)
        if not isinstance(entries, OSError):
            waiting.extend(folder / e.name for e in reversed(entries) if _is_folder(e))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _list(folder: Path) -> list[os.DirEntry[str]] | OSError:
    try:
        with os.scandir(folder) as entries:
            return sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
    except OSError as error:
        return error


def expand(root: Path, pattern: str, inside: str | None) -> list[Path]:
    """The folders and manifest files a glob matches: `**` is any number of folders; a hidden name must be
    asked for with a dot."""
    matches = [root]
    for segment in Path(pattern).parts:
        matches = list(dict.fromkeys(hit for path in matches for hit in _step(path, segment, inside)))
    return [path for path in matches if path.is_dir() or path.name.endswith(ENDINGS)]


def _step(path: Path, segment: str, inside: str | None) -> Iterable[Path]:
    if segment == "**":
        return folders_under(path, inside) if path.is_dir() else ()
    if not is_glob(segment):
        return (path / segment,) if os.path.lexists(path / segment) else ()
    try:
        names = sorted(os.listdir(path))  # noqa: PTH208  names alone
    except OSError:
        return ()
    hidden = segment.startswith(".")
    return [path / name for name in fnmatch.filter(names, segment) if hidden or not name.startswith(".")]
