"""A register in a git repository: `refs/defendctl/KEY`, swapped by a push that says what it replaces.

Each commit carries everything that the last one held and has no parent, so that old states stay blobs of its
tree and a fetch stays small. Ids that are left have refs of their own.
"""

from __future__ import annotations

import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Final

from defendctl.command import shell_word
from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.durable import FOLDER
from defendctl.git.asking import NoAnswer
from defendctl.git.remote import Moved, Silent, open_remote, shown_as
from defendctl.git.trees import Entry, Trees, open_trees
from defendctl.state.backend import Unreachable
from defendctl.state.document import DamagedState
from defendctl.state.register.backend import RegisterBackend
from defendctl.state.register.engine import MOST, Lost, refuse_size
from defendctl.state.register.left import LONGEST

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from defendctl.state.place import Place

REGISTER: Final = "register"
"""The value itself, in the tree; the name of what stands beside it has a dash for each slash."""
ANSWER: Final = "answer"
"""A loose value, in the tree of its own commit."""
RACES: Final = 5
_PART: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?<!\.lock)")


def open_git(place: Place, root: Path) -> RegisterBackend:
    """Raises DefendctlError."""
    return RegisterBackend(GitEngine(place, root))


class GitEngine:
    send_limit = 60.0

    def __init__(self, place: Place, root: Path) -> None:
        check_key(place.key)
        self.ref = f"refs/defendctl/{place.key}"
        self.where = f"git+{shown_as(place.target)}?key={place.key}"
        self.remote = open_remote(root, place.target)
        self._left = f"refs/defendctl-left/{place.key}/"
        self._root = root
        self._version: str | None = None
        self._entries: Mapping[str, Entry] = {}
        self._made: tuple[bytes, str, Mapping[str, Entry]] | None = None

    @cached_property
    def trees(self) -> Trees:
        trees = open_trees(self._root, self._root / FOLDER / "git")
        trees.sweep()
        return trees

    def read(self) -> tuple[bytes, str] | None:
        for _ in range(RACES):
            with _reached():
                version = self.remote.refs(self.ref).get(self.ref)
            if version is None:
                self._version, self._entries = None, {}
                return None
            found = self._known(version) or self._fetched(version)
            if found is not None:
                return found, version
        raise Unreachable(f"{self.ref} could not be fetched")

    def swap(
        self, value: bytes, expected: str | None, beside: Mapping[str, bytes], named: Collection[str]
    ) -> str:
        if expected != self._version:
            raise Lost(f"{self.ref} is at another commit")
        commit, entries = self._commit(value, beside, named)
        with _reached():
            try:
                self.remote.swap(self.trees, self.ref, commit, expected)
            except Moved as error:
                hidden = "stale info" in str(error) and expected is None
                why = ": it exists, but is hidden from those who read" if hidden else ""
                raise Lost(f"{self.ref}: {error}{why}") from error
        self._version, self._entries = commit, entries
        return commit

    def fetch(self, name: str) -> bytes | None:
        entry = self._entries.get(_flat(name))
        if entry is None:
            return None
        refuse_size(f"{name} in {self.where}", entry.size)
        try:
            return self.trees.content(entry.hash)
        except NoAnswer:
            self._fetch(self.ref)
        try:
            return self.trees.content(entry.hash)
        except NoAnswer:
            return None

    def put(self, name: str, data: bytes) -> None:
        commit = self.trees.commit({ANSWER: self.trees.blob(data)})
        with _reached():
            self.remote.put(self.trees, self._left + name, commit)

    def loose(self) -> Mapping[str, bytes]:
        for _ in range(RACES):
            with _reached():
                found = self.remote.refs(f"{self._left}*")
            refs = [ref for ref in sorted(found) if _is_right_below(ref, self._left)][:MOST]
            try:
                if refs:
                    self._fetch(*refs)
                return {ref.removeprefix(self._left): self._answer(found[ref]) for ref in refs}
            except (NoAnswer, Unreachable) as error:  # one that went meanwhile cannot be fetched
                failed = error
        raise Unreachable(str(failed))

    def drop(self, name: str) -> None:
        with _reached():
            self.remote.delete(self.trees, self._left + name)

    def advice(self, name: str) -> str:
        fetch = f"git fetch {shell_word(self.remote.shown)} {shell_word(self.ref)}"
        return f"{fetch} && git cat-file blob FETCH_HEAD:{_flat(name)}"

    def probe(self) -> None:
        """With refs beside the register's own, for a rule of the server may be about these alone."""
        ref = f"{self.ref}.probe-{secrets.token_hex(4)}"
        commits = [self.trees.commit({ANSWER: self.trees.blob(secrets.token_bytes(8))}) for _ in range(5)]
        try:
            with _reached():
                self._race(ref, commits)
        finally:
            with suppress(DefendctlError, Moved):
                self.remote.delete(self.trees, ref)

    def _race(self, ref: str, commits: list[str]) -> None:
        """Raises DefendctlError, Precondition where two are told that they won."""
        first, *others = commits
        self.remote.swap(self.trees, ref, first, None)
        if self.remote.refs(ref) != {ref: first}:
            raise DefendctlError(
                f"{self.where}: {ref} cannot be read after it was written: does the server hide it?"
            )
        with ThreadPoolExecutor() as pool:
            won = [*pool.map(lambda new: self._wins(ref, new, first), others)]
        if sum(won) != 1 or self._wins(ref, first, None):
            raise Precondition(
                f"{self.where}: {sum(won)} writers won where one may: the state is not safe there"
            )

    def _wins(self, ref: str, new: str, old: str | None) -> bool:
        try:
            self.remote.swap(self.trees, ref, new, old)
        except Moved:
            return False
        return True

    def _commit(
        self, value: bytes, beside: Mapping[str, bytes], named: Collection[str]
    ) -> tuple[str, Mapping[str, Entry]]:
        """The same one for a value that is tried again."""
        if self._made and self._made[0] == value:
            return self._made[1:]
        kept = {_flat(name) for name in named} & self._entries.keys()
        new = {REGISTER: value, **{_flat(name): data for name, data in beside.items()}}
        entries = {name: self._entries[name] for name in kept}
        entries |= {name: Entry(self.trees.blob(data), len(data)) for name, data in new.items()}
        commit = self.trees.commit({name: entry.hash for name, entry in entries.items()})
        self._made = value, commit, entries
        return commit, entries

    def _fetched(self, version: str) -> bytes | None:
        self._fetch(self.ref)
        return self._known(version)

    def _fetch(self, *refs: str) -> None:
        with _reached():
            self.remote.fetch(self.trees, *refs)

    def _known(self, version: str) -> bytes | None:
        """The value of this commit; None where not all of it is here. Raises DamagedState."""
        try:
            entries = self.trees.entries(version)
        except NoAnswer:
            return None
        if REGISTER not in entries:
            raise DamagedState(
                f"{self.where} is not a register of defendctl: {self.ref} holds something else"
            )
        refuse_size(self.where, entries[REGISTER].size)
        try:
            value = self.trees.content(entries[REGISTER].hash)
        except NoAnswer:
            return None
        self._version, self._entries = version, entries
        return value

    def _answer(self, commit: str) -> bytes:
        """Raises NoAnswer where it is not here."""
        entry = self.trees.entries(commit).get(ANSWER)
        return self.trees.content(entry.hash) if entry and entry.size <= LONGEST else b""


def check_key(key: str) -> None:
    """Raises DefendctlError for what git takes for no ref, and for little more."""
    parts = key.split("/")
    if not all(_PART.fullmatch(part) for part in parts) or ".." in key or key.endswith("."):
        raise DefendctlError(
            f"git does not accept refs/defendctl/{key} as the name of a ref",
            "a key has letters, digits, `-`, `_` and dots, and `/` between its parts",
        )


def _flat(name: str) -> str:
    return name.replace("/", "-")


def _is_right_below(ref: str, folder: str) -> bool:
    return ref.startswith(folder) and "/" not in ref.removeprefix(folder)


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except Silent as error:
        raise Unreachable(error.message) from error
    except Moved as error:
        raise Unreachable(str(error)) from error
