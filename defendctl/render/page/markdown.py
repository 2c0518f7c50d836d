"""A report as Markdown: text from outside stands in code, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.markdown.markup import block as code_block
from defendctl.render.markdown.markup import code, marker, table
from defendctl.render.page.blocks import (
    Anchor,
    Badge,
    Facts,
    Foreign,
    Ids,
    Paragraph,
    Part,
    Picture,
    Points,
    Table,
    Verbatim,
)
from defendctl.render.page.kinds import pages
from defendctl.render.page.plain import one_line
from defendctl.render.plural import count
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from defendctl.render.page.blocks import Block, Words
    from defendctl.render.page.saved import Saved
    from defendctl.render.setting import Setting

_IDS = 20
"""So many ids of events are named."""


def report(result: Saved, setting: Setting = PLAIN) -> str:
    """Of any length: it is a file, no comment."""
    drawn = pages(result.documents)
    told = [f"## {one.title}: {said(one.headline)}\n\n{_blocks(one.blocks, 3)}" for one in drawn]
    return marker("report", None) + "\n".join(told)


def said(words: Words) -> str:
    told = []
    for piece in words:
        match piece:
            case Foreign(text) | Anchor(Foreign(text), _):
                told.append(code(text))
            case Badge(word, tone):
                told.append(f"**{word}**" if tone == "bad" else word)
            case str():
                told.append(piece)
    return "".join(told)


def _blocks(blocks: Iterable[Block], level: int) -> str:
    return "\n".join(_block(block, level) for block in blocks)


def _block(block: Block, level: int) -> str:
    match block:
        case Part(title, blocks):
            return f"{'#' * min(level, 6)} {said(title)}\n\n{_blocks(blocks, level + 1)}"
        case Paragraph(words):
            return f"{said(words)}\n"
        case Points(items):
            return "".join(f"- {said(item)}\n" for item in items)
        case Facts(rows):
            return "".join(f"- {what}: {said(words)}\n" for what, words in rows)
        case Table(_, head, rows):
            return table(head, [tuple(map(said, row)) for row in rows])
        case Verbatim(text):
            return code_block([text])
        case Ids(what, ids):
            more = f" and {len(ids) - _IDS} more" if len(ids) > _IDS else ""
            return f"{count(len(ids), 'event')} {what}: {', '.join(map(code, ids[:_IDS]))}{more}\n"
        case Picture(chart):
            return code_block([one_line(chart)])
