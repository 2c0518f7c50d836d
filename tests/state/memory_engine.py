"""An engine in memory, whose answers get lost as a test says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from defendctl.state.backend import Unreachable
from defendctl.state.register.engine import Lost

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

Fault = str
"""`before`: nothing was done and nobody answers; `after`: it was done; `refused`: it was done, and a refusal
is what comes back, as of a repeat below us; `late`: it is done right before the next swap that arrives."""


@dataclass
class Shelf:
    """What is kept, for all engines that look at it."""

    register: tuple[bytes, str] | None = None
    beside: dict[str, bytes] = field(default_factory=dict)
    loose: dict[str, bytes] = field(default_factory=dict)
    swaps: int = 0
    sent: int = 0
    """Bytes, of all swaps."""
    pending: list[Callable[[], object]] = field(default_factory=list)

    def swap(self, value: bytes, expected: str | None, beside: Mapping[str, bytes]) -> str:
        """Raises Lost. The version is that of the value alone, as where an ETag is the MD5 of the bytes."""
        self.beside |= beside
        self.sent += len(value) + sum(map(len, beside.values()))
        if (self.register[1] if self.register else None) != expected:
            raise Lost
        self.swaps += 1
        self.register = (value, str(hash(value)))
        return self.register[1]

    def settle(self) -> None:
        """What was under way arrives."""
        pending, self.pending = self.pending, []
        for arrive in pending:
            try:
                arrive()
            except Lost:
                continue


@dataclass
class MemoryEngine:
    shelf: Shelf
    faults: Callable[[str], Fault | None] = lambda call: None
    """Asked at every call, by its name."""
    where: str = "memory:test"
    send_limit: float = 10.0

    def read(self) -> tuple[bytes, str] | None:
        if self.faults("read"):
            raise Unreachable("the answer was lost")
        return self.shelf.register

    def swap(
        self, value: bytes, expected: str | None, beside: Mapping[str, bytes], named: Collection[str]
    ) -> str:
        assert {*beside} <= {*named}, "what is put beside a value is spoken of by it"
        fault = self.faults("swap")
        if fault == "late":
            self.shelf.pending.append(lambda: self.shelf.swap(value, expected, beside))
        if fault in ("before", "late"):
            raise Unreachable("the answer was lost")
        self.shelf.settle()
        version = self.shelf.swap(value, expected, beside)
        for name in self.shelf.beside.keys() - {*named}:
            del self.shelf.beside[name]
        if fault == "after":
            raise Unreachable("the answer was lost")
        if fault == "refused":
            raise Lost("412")
        return version

    def fetch(self, name: str) -> bytes | None:
        if self.faults("fetch"):
            raise Unreachable("the answer was lost")
        return self.shelf.beside.get(name)

    def put(self, name: str, data: bytes) -> None:
        fault = self.faults("put")
        if fault != "before":
            self.shelf.loose[name] = data
        if fault:
            raise Unreachable("the answer was lost")

    def loose(self) -> Mapping[str, bytes]:
        if self.faults("loose"):
            raise Unreachable("the answer was lost")
        return dict(self.shelf.loose)

    def drop(self, name: str) -> None:
        if self.faults("drop"):
            raise Unreachable("the answer was lost")
        self.shelf.loose.pop(name, None)

    def advice(self, name: str) -> str:
        return f"show {name}"

    def probe(self) -> None:
        """Nothing can be missing."""
