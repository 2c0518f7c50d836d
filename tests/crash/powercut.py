"""One traced run, and every state of the disk that a power cut at any point of it may leave behind.

Each state is put into a folder and judged like a killed run: the API is made to hold what it may hold by
then. From the trace itself comes the order rule: no byte of a POST before its intent is durable.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import DefendctlError
from defendctl.state.journal import decode
from tests.crash import strace
from tests.crash.disk import Disk, Inode, Tree
from tests.crash.verdict import Ended, Verdict, address_of, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.crash.scenarios import Arena

HARNESS = "power cut"
TRACED = "openat,write,sendfile,fsync,fdatasync,rename,unlink,mkdir,close,socket,sendto,recvfrom"
_LINE = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+)")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_UNFINISHED = " <unfinished ...>"
_RESUMED = re.compile(r"^\d+ +<\.\.\. \w+ resumed>(.*)")


@dataclass(frozen=True)
class Call:
    name: str
    arguments: str
    strings: tuple[bytes, ...]
    answer: int

    @property
    def fd(self) -> int:
        return int(self.arguments.partition(",")[0])


@dataclass
class Sent:
    """A request that may change something. It counts from its first byte on."""

    method: str
    target: str
    """The name of the workflow that is to be made, or the id of the one that is changed."""
    fresh: bool
    """Whether it is the first one of its connection."""
    answered: bool = False


@dataclass
class Moment:
    """Between two calls: what the disk may hold, and what the API may have done."""

    after: str
    trees: list[Tree]
    certain: Tree
    sent: list[tuple[str, str, bool]]
    """Method, target, answered."""
    reused: list[str]
    """The targets of POSTs over a connection that had been used."""


@dataclass
class Replay:
    root: str
    disk: Disk
    files: dict[int, Inode] = field(default_factory=dict)
    folders: dict[int, str] = field(default_factory=dict)
    sockets: dict[int, Sent | None] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)
    sent: list[Sent] = field(default_factory=list)

    def step(self, call: Call, following: list[Call]) -> bool:
        """Whether that changed anything a crash could show."""
        handler: Callable[[Call, list[Call]], bool] | None = getattr(self, f"_{call.name}", None)
        return bool(handler and call.answer >= 0 and handler(call, following))

    def _inside(self, raw: bytes) -> str | None:
        path = raw.decode()
        if path == self.root:
            return "."
        return path[len(self.root) + 1 :] if path.startswith(self.root + "/") else None

    def _openat(self, call: Call, following: list[Call]) -> bool:
        path = self._inside(call.strings[0])
        self._close(call, following)
        if path is None:
            return False
        if path == "." or (path in self.disk.names and self.disk.names[path].folder):
            self.folders[call.answer] = path
            return False
        create, truncate = "O_CREAT" in call.arguments, "O_TRUNC" in call.arguments
        inode = self.disk.open(path, create=create, truncate=truncate)
        if inode:
            self.files[call.answer] = inode
        return create or truncate

    def _close(self, call: Call, following: list[Call]) -> bool:
        fd = call.fd if call.name == "close" else call.answer
        for known in (self.files, self.folders, self.sockets):
            known.pop(fd, None)
        self.used.discard(fd)
        return False

    def _write(self, call: Call, following: list[Call]) -> bool:
        inode = self.files.get(call.fd)
        if inode:
            inode.write(call.strings[0])
        return inode is not None

    def _sendfile(self, call: Call, following: list[Call]) -> bool:
        into, source = (int(part) for part in call.arguments.split(", ")[:2])
        if call.answer and into in self.files:
            self.files[into].write(self.files[source].now)
        return call.answer > 0 and into in self.files

    def _fsync(self, call: Call, following: list[Call]) -> bool:
        if call.fd in self.files:
            self.files[call.fd].sync()
        elif call.fd in self.folders:
            self.disk.sync(self.folders[call.fd])
        return call.fd in self.files or call.fd in self.folders

    _fdatasync = _fsync

    def _rename(self, call: Call, following: list[Call]) -> bool:
        old, new = self._inside(call.strings[0]), self._inside(call.strings[1])
        if old and new:
            self.disk.rename(old, new)
        return bool(old and new)

    def _unlink(self, call: Call, following: list[Call]) -> bool:
        path = self._inside(call.strings[0])
        if path:
            self.disk.unlink(path)
        return bool(path)

    def _mkdir(self, call: Call, following: list[Call]) -> bool:
        path = self._inside(call.strings[0])
        if path:
            self.disk.mkdir(path)
        return bool(path)

    def _socket(self, call: Call, following: list[Call]) -> bool:
        self._close(call, following)
        self.sockets[call.answer] = None
        return False

    def _sendto(self, call: Call, following: list[Call]) -> bool:
        method, path = [*call.strings[0].split(b" "), b""][:2]
        fresh = call.fd not in self.used
        self.used.add(call.fd)
        if ((method, path) != (b"POST", b"/defend") and method != b"PUT") or call.fd not in self.sockets:
            return False
        target = path.rpartition(b"/")[2].decode()
        if method == b"POST":
            target = _name_in(call, following)
        self.sent.append(Sent(method.decode(), target, fresh))
        self.sockets[call.fd] = self.sent[-1]
        return True

    def _recvfrom(self, call: Call, following: list[Call]) -> bool:
        sent = self.sockets.get(call.fd)
        if sent and call.answer:
            sent.answered = True
            self.sockets[call.fd] = None
        return sent is not None


def _name_in(head: Call, following: list[Call]) -> str:
    """The body of the request follows its head on the same socket, if it is not in the same call."""
    body = head.strings[0].partition(b"\r\n\r\n")[2]
    if not body:
        rest = (c for c in following if c.name == "sendto" and c.fd == head.fd)
        body = next((c.strings[0] for c in rest), b"{}")
    return str(json.loads(body).get("name"))


def calls(log: str) -> Iterator[Call]:
    """The calls in the order in which they ended."""
    waiting: dict[str, str] = {}
    for raw in log.splitlines():
        line, pid = raw, raw.split(" ")[0]
        resumed = _RESUMED.match(raw)
        if raw.endswith(_UNFINISHED):
            waiting[pid] = raw.removesuffix(_UNFINISHED)
            continue
        if resumed:
            line = waiting.pop(pid) + resumed[1]
        match = _LINE.match(line)
        if match:
            strings = (bytes.fromhex(found.replace("\\x", "")) for found in _STRING.findall(match[3]))
            yield Call(match[2], match[3], tuple(strings), int(match[4]))


def moments(arena: Arena, inject: Sequence[str] = ()) -> list[Moment]:
    """Of one traced run, at whose end the API holds what it made."""
    project = arena.fresh()
    before = read_tree(project.root)
    log = arena.folder / "trace"
    options = ["-xx", "-s", "1000000", "-e", f"trace={TRACED}", *inject]
    ended = strace.traced(arena, project, log, options, HARNESS)
    assert inject or ended.code in (0, 7), ended
    replay = Replay(str(project.root), Disk.of(before))
    found = [_moment("start", replay)]
    every = list(calls(log.read_text()))
    for number, call in enumerate(every):
        if replay.step(call, every[number + 1 :]):
            found.append(_moment(call.name, replay))
    now = {path: inode.now for path, inode in replay.disk.names.items() if not inode.folder}
    there = {path: data for path, data in read_tree(project.root).items() if data is not None}
    assert now == there, "the replay does not end where the run did"
    return found


def _moment(after: str, replay: Replay) -> Moment:
    sent = [(each.method, each.target, each.answered) for each in replay.sent]
    reused = [each.target for each in replay.sent if each.method == "POST" and not each.fresh]
    return Moment(after, list(replay.disk.crashes()), replay.disk.certain(), sent, reused)


def read_tree(root: Path) -> Tree:
    paths = sorted(root.rglob("*"))
    return {str(p.relative_to(root)): None if p.is_dir() else p.read_bytes() for p in paths}


def write_tree(root: Path, tree: Tree) -> None:
    for path, data in tree.items():
        if data is None:
            (root / path).mkdir(exist_ok=True)
        else:
            (root / path).write_bytes(data)


def verdicts(arena: Arena) -> list[Callable[[], Verdict]]:
    """One for each different state, and one for the order rule."""
    arena.fresh()
    before = {w["workflow_id"]: w for w in arena.server.workflows()}
    found = moments(arena)
    after = {w["workflow_id"]: w for w in arena.server.workflows()}
    different: dict[Any, Callable[[], Verdict]] = {}
    for moment in found:
        for tree in moment.trees:
            key = (frozenset(tree.items()), tuple(moment.sent))
            different[key] = lambda t=tree, m=moment: _verdict(arena, t, m, before, after)  # type: ignore[misc]
    return [lambda: order_rule(found), *different.values()]


def _verdict(arena: Arena, tree: Tree, moment: Moment, before: Any, after: Any) -> Verdict:
    arena.clear()
    write_tree(arena.root, tree)
    rng = random.Random(repr(sorted(tree.items())) + repr(moment.sent))
    arena.restore(_world(moment, before, after, rng))
    return judge(HARNESS, arena, Ended(f"after {moment.after}", True, 1, "", ""))


def _world(moment: Moment, before: Any, after: Any, rng: random.Random) -> list[Any]:
    """What the API holds: what was answered is done; of what was only sent, nobody knows."""
    done = {target for _, target, answered in moment.sent if answered or rng.random() < 0.5}
    made = [w for i, w in after.items() if i not in before and w["name"] in done]
    return [after[i] if i in done else w for i, w in before.items()] + made


def order_rule(found: list[Moment]) -> Verdict:
    """At the first byte of each POST, its intent is on the disk whatever happens; its connection is new."""
    verdict = Verdict(HARNESS, "order of the calls")
    verdict.fail(*(f"the POST of {target} left over a used connection" for target in found[-1].reused))
    seen = 0
    for moment in found:
        if len(moment.sent) > seen:
            seen = len(moment.sent)
            method, target, _ = moment.sent[-1]
            if method == "POST" and address_of(target) not in _intended(moment.certain):
                verdict.fail(f"the POST of {target} left before its intent was durable")
    return verdict


def _intended(tree: Tree) -> set[str]:
    journals = {path: data for path, data in tree.items() if path.endswith(".journal") and data}
    names: set[str] = set()
    for path, data in journals.items():
        try:
            leftover = decode(data, path)
        except DefendctlError:
            continue
        if leftover and path.removesuffix(".journal") in tree:
            names |= {r["address"] for r in leftover.records if r.get("do") == "intent"}
    return names
