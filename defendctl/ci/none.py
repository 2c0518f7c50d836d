"""No forge, or one that is not known: results are files, and consent is a digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.ci.forge import Context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.ci.forge import KeptRecord, Merged, Related, Title
    from defendctl.ci.record import Record


class NoForge:
    name = "none"

    def context(self) -> Context:
        return Context("run")

    def try_token(self) -> None:
        pass

    def range(self, first: str | None, last: str) -> Sequence[Merged]:
        return ()

    def reviews(self, merged: Merged, name: Title) -> KeptRecord | None:
        return None

    def record(self, name: Title, record: Record | None, *, passed: bool, text: str) -> str | None:
        return None

    def comment(self, marker: str, text: str, number: int) -> str | None:
        return None

    def issue(self, marker: str, title: str, text: str | None) -> str | None:
        return None

    def compare(self, first: str, second: str) -> Related:
        return "unknown"

    def approved_after(self, merged: Merged, at: str) -> bool:
        return False
