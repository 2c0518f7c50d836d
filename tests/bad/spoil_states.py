"""What can stand where a state should be: each function spoils a good one."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from defendctl.model import Binding, Intent, State
from defendctl.state.document import _checksum, to_text
from defendctl.state.lines import encode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LINEAGE = "7f3a9c12-0000-4000-8000-000000000000"
WRITER = "0123456789abcdef"
HOST = "127.0.0.1:9"
SENT = {"name": "Bot", "type": "custom", "metrics": {"completeness": 0.8}, "improvement_action": "fixit"}
HEAD = {"journal": "f00d", "lineage": LINEAGE, "serial": 3, "writer": WRITER}
INTENT = {
    "do": "intent",
    "address": "c",
    "intent": {"op": "1", "at": "2026-01-02T03:04:05+00:00", "sent": SENT},
}
BOUND = {"do": "bound", "address": "c", "op": "1", "workflow_id": "wkfl_c"}
RETIRED = {"do": "retired", "address": "a"}


def good() -> State:
    return State(
        lineage=LINEAGE,
        serial=3,
        writer=WRITER,
        api_host=HOST,
        generation="2025-12-07",
        bindings={"a": Binding("wkfl_a", dict(SENT)), "b": Binding("wkfl_b", dict(SENT))},
        unresolved={"u": Intent("op", "2026-01-02T03:04:05+00:00", dict(SENT))},
        tombstones={"t": (Binding("wkfl_t", dict(SENT)),)},
    )


def bytes_of(spoil: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        path.write_bytes(spoil(path.read_bytes()))

    return change


def forged(change: Callable[[Any], object]) -> Callable[[Path], object]:
    """Edited by somebody who knows how to make the checksum right."""

    def spoil(path: Path) -> None:
        body = json.loads(path.read_text())
        del body["checksum"]
        change(body)
        path.write_text(json.dumps({**body, "checksum": _checksum(body)}, indent=2))

    return spoil


def put(*steps: str | int, value: Any) -> Callable[[Path], object]:
    def change(body: Any) -> None:
        for step in steps[:-1]:
            body = body[step]
        body[steps[-1]] = value

    return forged(change)


def without(*steps: str | int) -> Callable[[Path], object]:
    def change(body: Any) -> None:
        for step in steps[:-1]:
            body = body[step]
        del body[steps[-1]]

    return forged(change)


def moved(to: Any) -> Callable[[Path], object]:
    return forged(lambda body: body.update(format_version=3, **({"moved_to": to} if to else {})))


def renamed(section: str, old: str, new: str) -> Callable[[Path], object]:
    return forged(lambda body: body[section].update({new: body[section].pop(old)}))


def instead(make: Callable[[Path], object]) -> Callable[[Path], object]:
    def spoil(path: Path) -> None:
        path.unlink()
        make(path)

    return spoil


def journal(*records: Any, torn: bytes = b"", head: Any = HEAD) -> Callable[[Path], object]:
    def spoil(path: Path) -> None:
        lines = [line if isinstance(line, bytes) else encode(line) for line in (head, *records)]
        path.with_name(path.name + ".journal").write_bytes(b"".join(lines) + torn)

    return spoil


def conflict(data: bytes) -> bytes:
    ours, theirs = data.replace(b'"serial": 3', b'"serial": 4'), data.replace(b'"serial": 3', b'"serial": 5')
    return b"<<<<<<< HEAD\n" + ours + b"=======\n" + theirs + b">>>>>>> theirs\n"


def conflict_inside(data: bytes) -> bytes:
    old = b'  "serial": 3,\n'
    new = b'<<<<<<< HEAD\n  "serial": 4,\n=======\n  "serial": 5,\n>>>>>>> theirs\n'
    return data.replace(old, new)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_loop(path: Path) -> None:
    path.symlink_to(path.name)


def a_huge_file(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)  # holes: it takes no room


def journal_alone(path: Path) -> None:
    journal(BOUND)(path)
    path.unlink()


def in_a_file(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.write_text("")


def _beside(name: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda path: make(path.with_name(path.name + name))


STATES: dict[str, Callable[[Path], object]] = {
    "empty": bytes_of(lambda data: b""),
    "truncated-at-1": bytes_of(lambda data: data[:1]),
    "truncated-at-half": bytes_of(lambda data: data[: len(data) // 2]),
    "truncated-before-the-end": bytes_of(lambda data: data[:-3]),
    "truncated-in-a-character": bytes_of(lambda data: data[:40] + b"\xc3"),
    "zeros": bytes_of(lambda data: bytes(len(data))),
    "twice": bytes_of(lambda data: data + data),
    "conflict": bytes_of(conflict),
    "conflict-inside": bytes_of(conflict_inside),
    "checksum-wrong": bytes_of(lambda data: data.replace(b"wkfl_a", b"wkfl_x")),
    "checksum-missing": bytes_of(lambda data: data.replace(b'"checksum"', b'"check"')),
    "newer": bytes_of(lambda data: data.replace(b'"format_version": 2', b'"format_version": 4')),
    "older-than-all": forged(lambda body: body.update(format_version=0)),
    "format-true": forged(lambda body: body.update(format_version=True)),
    "not-utf8": bytes_of(lambda data: data.replace(b"Bot", b"B\xfft")),
    "utf16": bytes_of(lambda data: data.decode().encode("utf-16")),
    "a-list": bytes_of(lambda data: b"[" + data + b"]"),
    "a-number": bytes_of(lambda data: b"7\n"),
    "a-plan": bytes_of(lambda data: b'{"format_version": "1.0", "kind": "plan"}'),
    "yaml": bytes_of(lambda data: b"version: 1\nworkflows: {}\n"),
    "deep": bytes_of(lambda data: b"[" * 200_000),
    "deep-and-closed": bytes_of(lambda data: b"[" * 900 + b"]" * 900),
    "deep-inside": bytes_of(lambda data: b'{"format_version": 1, "a": ' + b"[" * 700 + b"]" * 700 + b"}"),
    "a-huge-number": bytes_of(lambda data: data.replace(b'"serial": 3', b'"serial": ' + b"9" * 5000)),
    "many-values": bytes_of(lambda data: b'{"format_version": 1, "a": [' + b"{}," * 3_000_000 + b"1]}"),
    "huge": instead(a_huge_file),
    "a-directory": instead(lambda path: path.mkdir()),
    "a-pipe": instead(a_pipe),
    "a-loop": instead(a_loop),
    "a-device": instead(lambda path: path.symlink_to("/dev/zero")),
    "missing": instead(lambda path: None),
    "dangling-link": instead(lambda path: path.symlink_to("nowhere")),
    "moved": moved("git+origin?key=checkout"),
    "moved-with-escapes": moved("\x1b[31mx\n::error::y"),
    "moved-nowhere": moved(None),
    "moved-in-a-format-that-moves-nowhere": put("moved_to", value="git+origin?key=checkout"),
    "other-lineage": put("lineage", value="11111111-2222-3333-4444-555555555555"),
    "lineage-with-slashes": put("lineage", value="../../elsewhere"),
    "lineage-a-list": put("lineage", value=["x"]),
    "serial-text": put("serial", value="3"),
    "serial-huge": put("serial", value=10**30),
    "serial-missing": without("serial"),
    "host-with-escapes": put("api_host", value="\x1b[31mhost\n::error::"),
    "other-host": put("api_host", value="api.example.com"),
    "generation-unknown": put("generation", value="2031-01-01"),
    "generation-a-list": put("generation", value=[]),
    "bindings-a-list": put("bindings", value=[]),
    "binding-null": put("bindings", "a", value=None),
    "binding-without-id": without("bindings", "a", "workflow_id"),
    "id-with-newline": put("bindings", "a", "workflow_id", value="wkfl\nPATH=/evil"),
    "id-a-number": put("bindings", "a", "workflow_id", value=7),
    "id-lone-surrogate": put("bindings", "a", "workflow_id", value="\ud800"),
    "address-with-escapes": renamed("bindings", "a", "\x1b]52;c;aGk=\x07\n::error::x"),
    "applied-text": put("bindings", "a", "applied", value="all"),
    "applied-unknown-field": put("bindings", "a", "applied", "prompt", value="x"),
    "metrics-text": put("bindings", "a", "applied", "metrics", value="all"),
    "metric-a-list": put("bindings", "a", "applied", "metrics", value={"completeness": [1]}),
    "assumed-number": put("bindings", "a", "assumed", value=3),
    "unconfirmed-number": put("bindings", "a", "unconfirmed", value=3),
    "time-of-intent": put("unresolved", "u", "at", value="yesterday"),
    "time-without-zone": put("unresolved", "u", "at", value="2026-01-02T03:04:05"),
    "intent-without-op": without("unresolved", "u", "op"),
    "tombstone-not-a-list": put("tombstones", "t", value={"workflow_id": "w"}),
    "journal-of-another-state": journal(BOUND, head={**HEAD, "lineage": "other"}),
    "journal-of-another-serial": journal({**BOUND, "address": "lost"}, head={**HEAD, "serial": 9}),
    "journal-damaged-in-the-middle": journal(INTENT, b"0000 damaged\n", BOUND),
    "journal-damaged-head": journal(INTENT, head=b"0000 damaged\n"),
    "journal-without-head": journal(head=INTENT),
    "journal-flipped": journal(encode(INTENT).replace(b"Bot", b"Bat"), BOUND),
    "journal-unknown-step": journal({"do": "everything", "address": "a"}),
    "journal-no-step": journal({"address": "a"}),
    "journal-of-an-address-not-bound": journal({**RETIRED, "address": "nobody"}),
    "journal-strange-binding": journal({"do": "adopted", "address": "a", "binding": {"workflow_id": "\n"}}),
    "journal-strange-intent": journal({**INTENT, "intent": []}),
    "journal-empty-lines": journal(b"00000000 \n", b"00000000 \n", INTENT),
    "journal-not-json": journal(b"8587d865 abcde\n", INTENT),
    "journal-a-directory": _beside(".journal", lambda path: path.mkdir()),
    "journal-a-pipe": _beside(".journal", a_pipe),
    "journal-a-loop": _beside(".journal", a_loop),
    "journal-huge": _beside(".journal", a_huge_file),
    "journal-alone": journal_alone,
    "in-a-file-not-a-folder": in_a_file,
}


def write_good(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_text(good()))
