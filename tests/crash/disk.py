"""What a POSIX disk may hold after a power cut: only what was synced is certain.

The data of a file is certain after fsync of the file, its name after fsync of the folder. Until then, data
may be there, not there, or torn at half; and each name may have changed or not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Tree = dict[str, bytes | None]
"""Path → content; None for a folder."""


@dataclass(eq=False)
class Inode:
    """A file, or with `folder` a folder."""

    folder: bool = False
    synced: bytes = b""
    now: bytes = b""
    torn: bytes = b""
    """Half of the last write."""

    def write(self, data: bytes) -> None:
        self.torn = self.now + data[: len(data) // 2]
        self.now += data

    def truncate(self) -> None:
        self.now = self.torn = b""

    def sync(self) -> None:
        self.synced = self.torn = self.now

    @property
    def certain(self) -> bool:
        return self.folder or self.synced == self.now


@dataclass(frozen=True, eq=False)
class Naming:
    """One change of names in a folder: `gone` leaves, `name` comes."""

    gone: str | None
    name: str | None
    inode: Inode | None

    @property
    def folder(self) -> str:
        return str(PurePath(self.gone or self.name or "").parent)


@dataclass
class Disk:
    """Follows the calls of a run."""

    names: dict[str, Inode] = field(default_factory=dict)
    """As they are seen now."""
    synced: dict[str, Inode] = field(default_factory=dict)
    pending: list[Naming] = field(default_factory=list)

    @classmethod
    def of(cls, tree: Tree) -> Disk:
        names = {
            path: Inode(True) if data is None else Inode(False, data, data, data)
            for path, data in tree.items()
        }
        return cls(dict(names), dict(names))

    def open(self, path: str, *, create: bool, truncate: bool) -> Inode | None:
        if create and path not in self.names:
            self._name(Naming(None, path, Inode()))
        inode = self.names.get(path)
        if inode and truncate:
            inode.truncate()
        return inode

    def mkdir(self, path: str) -> None:
        self._name(Naming(None, path, Inode(True)))

    def unlink(self, path: str) -> None:
        self._name(Naming(path, None, None))

    def rename(self, old: str, new: str) -> None:
        self._name(Naming(old, new, self.names[old]))

    def sync(self, path: str) -> None:
        """Of a folder: its names are certain. Its own name is not."""
        for change in [c for c in self.pending if c.folder == path]:
            _apply(self.synced, change)
            self.pending.remove(change)

    def _name(self, change: Naming) -> None:
        self.pending.append(change)
        _apply(self.names, change)

    def certain(self) -> Tree:
        return _tree(self.synced, {})

    def crashes(self) -> Iterator[Tree]:
        """Everything that may be found after a power cut now. Some may be equal."""
        for names in self._namings():
            unsure = {inode for inode in names.values() if not inode.certain}
            yield _tree(names, {})
            yield _tree(names, {inode: inode.now for inode in unsure})
            yield _tree(names, {inode: inode.torn for inode in unsure})
            for out in unsure:
                yield _tree(names, {inode: inode.now for inode in unsure if inode is not out})

    def _namings(self) -> Iterator[dict[str, Inode]]:
        """None of the changes, all of them, and all but each one."""
        yield self.synced
        for out in (None, *self.pending):
            names = dict(self.synced)
            for change in self.pending:
                if change is not out:
                    _apply(names, change)
            yield names


def _apply(names: dict[str, Inode], change: Naming) -> None:
    if change.gone:
        names.pop(change.gone, None)
    if change.name and change.inode:
        names[change.name] = change.inode


def _tree(names: dict[str, Inode], data: dict[Inode, bytes]) -> Tree:
    """Without what stands in a folder that is not there. `data` overrides what is certain."""
    tree: Tree = {}
    for path, inode in sorted(names.items()):
        parent = str(PurePath(path).parent)
        if parent == "." or parent in tree:
            tree[path] = None if inode.folder else data.get(inode, inode.synced)
    return tree
