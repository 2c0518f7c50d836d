"""The errors of one file, gathered."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from defendctl.diagnostics import Diagnostic, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


LIMIT = 1_000
"""So many per file are told; a file with more is broken as a whole, and a million lines help nobody."""


class Stop(Exception):
    """The file cannot be read on; carries why."""

    def __init__(self, code: str, message: str, span: Span) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic("error", code, message, span)


class Report:
    """Says each thing once, for aliases show one place many times, and nothing where `known` has spoken."""

    def __init__(self, file: str, known: Iterable[Diagnostic] = ()) -> None:
        self.file = file
        self._known = {diagnostic.span for diagnostic in known}
        self._found: dict[Diagnostic, None] = {}

    def error(self, code: str, message: str, span: Span) -> None:
        """Raises Stop when there are too many."""
        if span in self._known:
            return
        self._found[Diagnostic("error", code, message, span)] = None
        if len(self._found) >= LIMIT:
            message = f"This file has {LIMIT:,} problems and perhaps more; fix these first."
            raise Stop("too-many-problems", message, Span(self.file))

    @contextmanager
    def stopping(self) -> Iterator[None]:
        """What raises Stop in here ends here, and the report says why."""
        try:
            yield
        except Stop as stop:
            self._found[stop.diagnostic] = None

    @property
    def diagnostics(self) -> list[Diagnostic]:
        return list(self._found)
