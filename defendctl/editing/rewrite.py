"""Files of the user that are written anew: all of them or none, as far as a disk allows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from defendctl.diagnostics import DefendctlError
from defendctl.durable import draft

if TYPE_CHECKING:
    from collections.abc import Sequence


_WRITABLE = 0o222


@dataclass(frozen=True, slots=True)
class Rewrite:
    """`shown` is the file's name for people, `before` what was read of it."""

    path: Path
    shown: str
    before: bytes
    after: bytes

    @property
    def target(self) -> Path:
        """A link stays one; what it leads to is written."""
        return Path(os.path.realpath(self.path))


def rewrite(files: Sequence[Rewrite]) -> None:
    """Raises DefendctlError, which names what was written if not all of it was."""
    refused = [why for file in files if (why := _refusal(file))]
    if refused:
        raise DefendctlError("nothing was written:\n" + "\n".join(refused))
    shown = {file.path: file.shown for file in files}
    done: list[str] = []
    try:
        with draft({file.path: file.after for file in files}) as waiting:
            for each in waiting:
                each.put()
                done.append(shown[each.path])
    except OSError as error:
        written = f"already written: {', '.join(done)}" if done else "nothing was written"
        at = shown.get(Path(error.filename), error.filename)
        raise DefendctlError(f"{at} cannot be written: {error.strerror}; {written}") from error


def _refusal(file: Rewrite) -> str | None:
    """Before anything is written: a file that must not be, or that somebody else is writing."""
    try:
        if not file.target.stat().st_mode & _WRITABLE or not os.access(file.target, os.W_OK):
            return f"{file.shown} is read-only"
        if file.target.read_bytes() != file.before:
            return f"{file.shown} was changed by something else in the meantime"
    except OSError as error:
        return f"{file.shown} cannot be read: {error.strerror}"
    return None if os.access(file.target.parent, os.W_OK) else f"the folder of {file.shown} is read-only"
