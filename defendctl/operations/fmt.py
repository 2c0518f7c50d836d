"""fmt: manifests in canonical spelling. Offline."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from defendctl.diagnostics import Invalid, Usage
from defendctl.editing.rewrite import Rewrite, rewrite
from defendctl.manifest.resolve import manifest_files, overlay_files
from defendctl.operations.stdin import STDIN, reading_stdin
from defendctl.operations.workspace import in_none
from defendctl.yamltext.report import Stop
from defendctl.yamltext.source import contents, decode, shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from defendctl.operations.workspace import Workspace

BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Formatting:
    """Files that are (or would be) written anew, and what was left as it is and why."""

    changed: tuple[str, ...]
    notes: tuple[str, ...]
    text: bytes | None = None
    """What stdin holds, as it is to be; None where files were named."""


def fmt(workspace: Workspace, paths: Sequence[Path], *, check: bool) -> Formatting:
    """Raises Invalid, and then nothing is written. With `check` nothing is in any case."""
    if any(path is STDIN for path in paths):
        return _of_stdin(workspace, paths)
    notes: list[str] = []
    files = _sound(workspace, paths)
    rewrites = [each for file in files if (each := _formatted(workspace, file, notes))]
    if not check:
        rewrite(rewrites)
    return Formatting(tuple(each.shown for each in rewrites), tuple(notes))


def _of_stdin(workspace: Workspace, paths: Sequence[Path]) -> Formatting:
    """Writes no file. Raises Usage where files are named beside it, Invalid for what is no manifest."""
    if len(paths) > 1:
        raise Usage("`-` stands alone: name stdin or files, not both")
    notes: list[str] = []
    with reading_stdin(paths, workspace.cwd):
        [file] = _sound(workspace, paths)
        before, _ = read_again(file, str(STDIN))
        done = _formatted(workspace, file, notes)
    changed = (done.shown,) if done else ()
    return Formatting(changed, tuple(notes), done.after if done else before)


def _sound(workspace: Workspace, paths: Sequence[Path]) -> list[Path]:
    """The manifests, and the overlays of every environment. Raises Invalid if anything is wrong in one.

    An overlay is no manifest by itself: it is looked at with those that it lies over.
    """
    workspace = in_none(workspace)
    every = workspace.environments
    overlays = {os.path.realpath(file): file for one in every for file in overlay_files(one.project, one.cwd)}
    files = manifest_files(workspace.project, paths or None, workspace.cwd)
    plain = [file for file in files if os.path.realpath(file) not in overlays]
    nowhere = [path for path in paths if not manifest_files(workspace.project, [path], workspace.cwd)]
    for one in every:
        if not paths or len(plain) < len(files):
            one.desired(None)
        if paths and (plain or nowhere):
            one.desired([*plain, *nowhere])
    return files if paths else [*plain, *overlays.values()]


def _formatted(workspace: Workspace, file: Path, notes: list[str]) -> Rewrite | None:
    from defendctl.editing.fmt import formatted

    name = shown(file, workspace.cwd)
    before, text = read_again(file, name)
    done = formatted(text)
    notes += [f"{name}:{line}: {why}" for line, why in done.notes]
    after = with_mark(before, done.text)
    return Rewrite(file, name, before, after) if after != before else None


def read_again(file: Path, name: str) -> tuple[bytes, str]:
    """A manifest that was right a moment ago. Raises DefendctlError if it is no more."""
    try:
        data = contents(file, name)
        return data, decode(data, name)
    except Stop as stop:
        raise Invalid([stop.diagnostic]) from stop


def with_mark(before: bytes, text: str) -> bytes:
    """With the byte order mark that was there."""
    return (BOM + text if before.startswith(BOM.encode()) else text).encode()
