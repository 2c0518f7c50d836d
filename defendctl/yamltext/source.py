"""A file → its text, or the one reason why it cannot be read."""

from __future__ import annotations

import os
import re
import stat
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from defendctl.diagnostics import Span
from defendctl.yamltext.quote import printable
from defendctl.yamltext.report import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


MAX_BYTES = 8 * 1024 * 1024

# What YAML forbids, and the three line breaks of YAML 1.1, where readers disagree about what a line is.
_FORBIDDEN = "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
_FORBIDDEN_ASCII = "[^\t\n\r\x20-\x7e]"
"""The same for a text of nothing else; the other takes as long to compile as a small manifest to read."""
_instead: ContextVar[Mapping[str, bytes] | None] = ContextVar("instead", default=None)
_BREAK = re.compile("\r\n|\r|\n")


def read(path: Path, shown: str) -> str:
    """The text without its byte order mark. Raises Stop."""
    text = decode(contents(path, shown), shown)
    bad = re.search(_FORBIDDEN_ASCII if text.isascii() else _FORBIDDEN, text)
    if bad:
        message = (
            f"The character U+{ord(bad[0]):04X} is not allowed in YAML as it is; delete it, or write it "
            f'as "{_escape(bad[0])}" inside double quotes.'
        )
        raise Stop("invalid-character", message, _place(text, bad.start(), shown))
    return text


def contents(path: Path, shown: str) -> bytes:
    """Raises Stop."""
    others = _instead.get()
    replaced = others.get(os.path.realpath(path)) if others else None
    data = replaced if replaced is not None else _on_disk(path, shown)
    if len(data) > MAX_BYTES:
        message = "This file is larger than 8 MiB, the most that is read; split it into several files."
        raise Stop("file-too-large", message, Span(shown))
    return data


def _on_disk(path: Path, shown: str) -> bytes:
    """One byte more than may be read, if there are so many. Raises Stop."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # before opening: a FIFO would hang
            raise Stop("not-a-regular-file", "This is not a regular file.", Span(shown))
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise Stop("not-found", "There is no such file.", Span(shown)) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Stop("unreadable", f"This file cannot be read: {reason}.", Span(shown)) from error


def is_instead(path: Path) -> bool:
    """Whether the contents of this file come from elsewhere, so that it need not be there."""
    return os.path.realpath(path) in (_instead.get() or {})


@contextmanager
def instead(contents: Mapping[str, bytes]) -> Iterator[None]:
    """As if the files of these real paths held this: what would be written is looked at as a whole first."""
    token = _instead.set(contents)
    try:
        yield
    finally:
        _instead.reset(token)


def decode(data: bytes, shown: str) -> str:
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8").removeprefix("\ufeff")
        what = f"The byte 0x{data[error.start]:02X} is not valid UTF-8"
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            what = "This file is UTF-16"
        message = f"{what}; save the file as UTF-8."
        raise Stop("invalid-utf8", message, _place(before, len(before), shown)) from error


def _escape(character: str) -> str:
    return f"\\x{ord(character):02x}" if ord(character) < 0x100 else f"\\u{ord(character):04x}"


def _place(text: str, index: int, shown: str) -> Span:
    breaks = [match.end() for match in _BREAK.finditer(text, 0, index)]
    return Span(shown, len(breaks) + 1, index - (breaks[-1] if breaks else 0) + 1)


def shown(path: Path, cwd: Path) -> str:
    """The name of a file for a person who stands in `cwd`: relative or absolute, whichever is shorter."""
    absolute = os.path.normpath(cwd / path)
    try:
        relative = os.path.relpath(absolute, cwd)
    except ValueError:  # another drive
        relative = absolute
    return printable(min(relative, absolute, key=len))
