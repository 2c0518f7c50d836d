"""Writing so that it is there after a power cut."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def sync_folder(folder: Path) -> None:
    """A new name is durable only when its folder is."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(folder: Path, top: Path) -> None:
    """Create `folder` so that it is there after a power cut, as far as it is new or below `top`.

    One that exists may have been made by a run that was killed before it was durable.
    """
    every = (folder, *folder.parents)
    new = [each for each in every if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in dict.fromkeys([*new, *(each for each in every if top in each.parents)]):
        sync_folder(each.parent)


def write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def write_durably(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Create or overwrite `path` in place; for files that nobody reads before they are renamed."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), mode)
    try:
        os.fchmod(fd, mode)
        write_all(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)


def mode_of(path: Path, default: int = 0o644) -> int:
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        return default
