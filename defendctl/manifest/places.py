"""Where each field of a workflow stands, in few bytes: most runs ask for none of it, and there are many."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from defendctl.model import FieldPath, field_of, metric_path
from defendctl.yamltext.node import span_of

if TYPE_CHECKING:
    from defendctl.diagnostics import Span
    from defendctl.yamltext.node import Document

_OLD_NAME = "max_improvement_attempts"


@dataclass(frozen=True, slots=True)
class Placed:
    """Path → place. `""` is the address itself; the tuple of paths is shared by all that have the same."""

    file: str
    paths: tuple[str, ...]
    at: array[int]
    others: tuple[str, ...] = ()

    def of(self, path: str) -> Span:
        """Of a field or any other key; of one that is not there, the place of what it would belong to."""
        nearest = next(p for p in (path, field_of(FieldPath(path)), "") if p in self.paths)
        return span_of(self.file, self.at[self.paths.index(nearest)], self.others)


class Places(Mapping[tuple[str, str], "Span"]):
    """(address, path) → Span, made when it is asked for, for whatever path of an address that is there."""

    def __init__(self, placed: Mapping[str, Placed]) -> None:
        self._placed = placed

    def __getitem__(self, key: tuple[str, str]) -> Span:
        address, path = key
        return self._placed[address].of(path)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((address, path) for address, placed in self._placed.items() for path in placed.paths)

    def __len__(self) -> int:
        return sum(len(placed.paths) for placed in self._placed.values())


def placed(address: str, document: Document) -> Placed:
    """Of an address that stands in the document."""
    workflows = document.root.items["workflows"]
    body = workflows.items[address]
    found = {"": workflows.keys[address]}
    for key, node in body.items.items():
        found["max_retries" if key == _OLD_NAME else str(key)] = node.place
    metrics = body.items.get("metrics")
    if metrics:
        named = metrics.data if isinstance(metrics.data, list) else metrics.items
        found |= {
            metric_path(name): node.place for name, node in zip(named, metrics.items.values(), strict=True)
        }
    return Placed(document.file, _shared(tuple(found)), array("q", found.values()), document.others)


@cache
def _shared(paths: tuple[str, ...]) -> tuple[str, ...]:
    return paths
