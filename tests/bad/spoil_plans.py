"""What can stand where a saved plan should be: each function spoils a good one."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from tests.bad.spoil_states import a_huge_file, a_loop, bytes_of, instead

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def edited(change: Callable[[Any], object]) -> Callable[[Path], object]:
    def spoil(path: Path) -> None:
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))

    return spoil


def put(*steps: str | int, value: Any) -> Callable[[Path], object]:
    def change(document: Any) -> None:
        for step in steps[:-1]:
            document = document[step]
        document[steps[-1]] = value

    return edited(change)


def without(key: str) -> Callable[[Path], object]:
    return edited(lambda document: document.pop(key))


PLANS: dict[str, Callable[[Path], object]] = {
    "empty": bytes_of(lambda data: b""),
    "not-json": bytes_of(lambda data: b"Plan: 1 create\n"),
    "truncated": bytes_of(lambda data: data[: len(data) // 2]),
    "not-utf8": bytes_of(lambda data: data.replace(b"plan", b"pl\xffn")),
    "zeros": bytes_of(lambda data: bytes(len(data))),
    "a-list": bytes_of(lambda data: b"[]"),
    "null": bytes_of(lambda data: b"null"),
    "deep": bytes_of(lambda data: b"[" * 100_000),
    "deep-and-closed": bytes_of(lambda data: b'{"kind": "plan", "a": ' + b"[" * 800 + b"]" * 800 + b"}"),
    "a-huge-number": bytes_of(lambda data: data.replace(b'"serial": 0', b'"serial": ' + b"9" * 5000)),
    "many-values": bytes_of(lambda data: b'{"kind": "plan", "a": [' + b"{}," * 3_000_000 + b"1]}"),
    "huge": instead(a_huge_file),
    "missing": instead(lambda path: None),
    "a-directory": instead(lambda path: path.mkdir()),
    "a-pipe": instead(lambda path: os.mkfifo(path)),
    "a-loop": instead(a_loop),
    "a-device": instead(lambda path: path.symlink_to("/dev/zero")),
    "other-kind": put("kind", value="drift"),
    "without-kind": without("kind"),
    "newer": put("format_version", value="2.0"),
    "newer-with-escapes": put("format_version", value="2\x1b[31m\n::error::x"),
    "version-a-number": put("format_version", value=1),
    "without-version": without("format_version"),
    "without-digest": without("digest"),
    "digest-of-another": put("digest", value="sha256:" + "0" * 64),
    "digest-with-escapes": put("digest", value="sha256:\x1b]52;c;aGk=\x07\n::error::x"),
    "digest-null": put("digest", value=None),
    "without-changes": without("changes"),
    "changes-a-mapping": put("changes", value={}),
    "changes-emptied": put("changes", value=[]),
    "change-edited": put("changes", 0, "fields", 0, "after", value="evil"),
    "change-of-another-action": put("changes", 0, "action", value="retire"),
    "change-of-an-unknown-action": put("changes", 0, "action", value="delete"),
    "change-of-another-address": put("changes", 0, "address", value="other"),
    "change-with-more": put("changes", 0, "more", value=1),
    "without-options": without("options"),
    "options-of-an-unknown-target": put("options", value={"target": ["nobody"], "replace": []}),
    "options-of-a-strange-target": put("options", value={"target": ["\x1b[31m\n::error::x"], "replace": []}),
    "options-a-list": put("options", value=[]),
    "without-summary": without("summary"),
}
