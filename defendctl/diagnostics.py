"""What can be wrong, where it is wrong, and which exit code says so.

DefendctlError                1   failure
├── Invalid                   1   manifests or project file; carries every diagnostic
├── ApiError                  1   the API failed or answered nonsense
│   └── KeyRefused            3   401, 403
├── Blocked                   5   a gate, or not possible in place
├── Precondition              6   stale plan; state locked, missing, damaged, older, newer or foreign
├── Unresolved                7   a create has an unknown outcome
├── Usage                    64   the command line is wrong
└── Interrupted             130   SIGINT, SIGTERM
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from defendctl.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a file. `line` and `column` count from 1 and are None where there is no place."""

    file: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `code` is a stable kebab-case word, `message` a sentence for people."""

    severity: Severity
    code: str
    message: str
    span: Span | None = None

    @property
    def position(self) -> tuple[str, int, int]:
        span = self.span or Span("")
        return span.file, span.line or 0, span.column or 0


class DefendctlError(Exception):
    """A failure that is told in one message; `hint` says what would be right."""

    exit_code: int = Exit.FAILED

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Invalid(DefendctlError):
    """Manifests or the project file have errors: all of them, in the order of the files."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = in_order(diagnostics)
        super().__init__(count_errors(self.diagnostics))


class ApiError(DefendctlError):
    """The API could not be reached, failed, or gave an answer that cannot be used."""


class KeyRefused(ApiError):
    exit_code: int = Exit.KEY_REFUSED


class Blocked(DefendctlError):
    exit_code: int = Exit.BLOCKED


class Precondition(DefendctlError):
    exit_code: int = Exit.PRECONDITION


class Unresolved(DefendctlError):
    exit_code: int = Exit.UNKNOWN


class Usage(DefendctlError):
    exit_code: int = Exit.USAGE


class Interrupted(DefendctlError):
    exit_code: int = Exit.INTERRUPTED


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    return sorted(diagnostics, key=lambda d: (d.position, d.code, d.message))


def errors(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    return [d for d in diagnostics if d.severity == "error"]


def count_errors(diagnostics: Sequence[Diagnostic]) -> str:
    count = len(errors(diagnostics))
    return f"{count} error{'' if count == 1 else 's'} in the manifests or the project file"


def suggest(word: str, known: Iterable[str]) -> str:
    """` Did you mean "…"?`, or nothing where no known word is near."""
    import difflib  # for mistakes alone

    near = difflib.get_close_matches(word[:100], list(known), n=1, cutoff=0.6)
    return f' Did you mean "{near[0]}"?' if near else ""
