"""Which workflows a run is about, by their labels: the words of kubectl's `-l`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


_TERM: Final = re.compile(
    r"(?P<absent>!?)\s*(?P<name>[^\s!=,]+)\s*(?:(?P<operator>!=|==|=)\s*(?P<value>[^\s!=,]*))?"
)
FORM: Final = "write `team=support`, `team!=support`, `team` or `!team`, with commas between them"


@dataclass(frozen=True, slots=True)
class Term:
    """One demand on one label. A `value` of None: it is enough that the label is there."""

    name: str
    value: str | None
    wanted: bool = True

    def holds(self, labels: Mapping[str, str]) -> bool:
        """`team!=support` also holds where there is no `team`, as it does for kubectl."""
        there = self.name in labels if self.value is None else labels.get(self.name) == self.value
        return there is self.wanted


def parse(text: str) -> list[Term]:
    """Raises ValueError, which says what would be right."""
    return [_term(part) for part in text.split(",")]


def selected(
    given: Iterable[str], addresses: Iterable[str], labels: Mapping[str, Mapping[str, str]]
) -> set[str]:
    """The addresses of which every term holds. Raises ValueError for a selector that is none."""
    terms = [term for text in given for term in parse(text)]
    return {a for a in addresses if all(term.holds(labels.get(a, {})) for term in terms)}


def _term(part: str) -> Term:
    match = _TERM.fullmatch(part.strip())
    if match is None or (match["absent"] and match["operator"]):
        raise ValueError(f"{part.strip()!r} selects nothing: {FORM}")
    return Term(match["name"], match["value"], not match["absent"] and match["operator"] != "!=")
