"""What a page holds between fences, and what its console blocks promise."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    words: tuple[str, ...]
    """What stands behind the fence: `("yaml", "manifest")`."""
    text: str

    @property
    def language(self) -> str:
        return self.words[0] if self.words else ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Step:
    command: str
    expected: str
    code: int


def blocks(page: Path, name: str) -> Iterator[Block]:
    """In order; what a longer fence holds belongs to it."""
    fence, words, begun, indent = "", "", 0, 0
    inner: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        found = re.match(r"( *)(`{3,})(.*)", line)
        if not fence and found:
            indent, fence, words, begun, inner = len(found[1]), found[2], found[3], number, []
        elif fence and line.strip() == fence:
            yield Block(name, begun, tuple(words.split()), "\n".join(inner) + "\n")
            fence = ""
        elif fence:
            inner.append(line[indent:])
    assert not fence, f"{name}:{begun}: the fence is never closed"


def steps(text: str) -> Iterator[Step]:
    """`$ command`, `> ` for its further lines, what it prints, and `[exit N]` where that is not 0."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        more = next((i for i, line in enumerate(lines[1:], 1) if not line.startswith("> ")), len(lines))
        command = "\n".join([lines[0], *(line[2:] for line in lines[1:more])])
        told = [line for line in lines[more:] if line]
        last = re.fullmatch(r"\[exit (\d+)\]", told[-1]) if told else None
        yield Step(command, "\n".join(told[:-1] if last else told), int(last[1]) if last else 0)


def fits(expected: str, printed: str) -> bool:
    """`...` alone stands for any lines, `...` within a line for anything. Empty lines do not count."""
    lines = [line for line in printed.splitlines() if line.strip()]
    return _pattern(expected).fullmatch("".join(f"{line}\n" for line in lines)) is not None


def _pattern(expected: str) -> re.Pattern[str]:
    def one(line: str) -> str:
        if line == "...":
            return r"(?:.*\n)*?"
        return ".*?".join(map(re.escape, line.split("..."))) + r"\n"

    return re.compile("".join(map(one, expected.splitlines())))
