"""The errors of one file, gathered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.diagnostics import Diagnostic, Severity, Span, suggest

if TYPE_CHECKING:
    from collections.abc import Iterable

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
        self._more = 0

    def error(self, code: str, message: str, span: Span, severity: Severity = "error") -> None:
        diagnostic = Diagnostic(severity, code, message, span)
        if span in self._known or diagnostic in self._found:
            return
        if len(self._found) < LIMIT:
            self._found[diagnostic] = None
        else:
            self._more += 1

    def suggest(self, word: str, known: Iterable[str]) -> str:
        """As `diagnostics.suggest`, but nothing once the report is full: it would be work for nobody."""
        return suggest(word, known) if len(self._found) < LIMIT else ""

    def stopped(self, stop: Stop) -> None:
        self._found[stop.diagnostic] = None

    @property
    def diagnostics(self) -> list[Diagnostic]:
        if not self._more:
            return list(self._found)
        message = f"There are {self._more} more problems in this file; mend these first."
        return [*self._found, Diagnostic("error", "too-many-problems", message, Span(self.file))]
