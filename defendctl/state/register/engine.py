"""What an engine must be able to do to keep a register: one value, swapped whole or not at all.

It knows nothing of states. Values beside the register are immutable: a name never means two contents. The
loose ones are fenced by nothing and belong to no version of the register.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from defendctl.state.document import LARGEST, DamagedState

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MOST: Final = 1_000
"""So many loose values are read, and so many names may a register speak of."""


class Lost(Exception):
    """A swap was refused: it says that not `expected` is there. Whoever asked looks at what is."""


class Engine(Protocol):
    """Every method may raise Unreachable: no answer, so that nobody can say whether it was done; and
    DefendctlError for a refusal that stays: no such bucket or remote, a right that is missing. Neither is
    ever told as an absence. One thread calls at a time, but for `put`, which may come beside any other."""

    @property
    def where(self) -> str:
        """For messages: the place and the key, without credentials."""

    @property
    def send_limit(self) -> float:
        """Seconds, as `Lease.send_limit` has it."""

    def read(self) -> tuple[bytes, str] | None:
        """The value and its version, as of now; None where it is certain that there is none.

        Raises DamagedState where it is larger than LARGEST, which is asked before it is read.
        """

    def swap(
        self, value: bytes, expected: str | None, beside: Mapping[str, bytes], named: Collection[str]
    ) -> str:
        """Put `value` in the place of the version `expected` (None: of nothing); its version.

        `beside` is durable before the value is, or with it, by name. Of what stood beside it before, `named`
        is what the new value still speaks of (`beside` included): everything else may go when no reader can
        be on its way to it any more. Raises Lost. A repeat of one that landed may raise it too, and makes no
        third version.
        """

    def fetch(self, name: str) -> bytes | None:
        """What stands beside the value that was read or swapped last; None where it is not, or not any more.

        Raises DamagedState as `read` does.
        """

    def put(self, name: str, data: bytes) -> None:
        """A loose value, in the place of any of that name."""

    def loose(self) -> Mapping[str, bytes]:
        """The loose values by name, as of now; at most MOST of them, of at most 1 KiB each."""

    def drop(self, name: str) -> None:
        """A loose value, if it is there."""

    def advice(self, name: str) -> str:
        """A command of the engine's own tools that writes what stands beside the value to stdout."""

    def probe(self) -> None:
        """Whether swaps exclude one another here and what was written is read, under names of its own that
        are removed again. Raises Precondition where two writers win."""


def refuse_size(what: str, size: int) -> None:
    """Before a body is read. Raises DamagedState."""
    if size > LARGEST:
        raise DamagedState(f"{what} is larger than {LARGEST >> 20} MiB: that cannot be a state")
