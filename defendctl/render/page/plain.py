"""A report for people, in lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.render.inert import inert
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
from defendctl.render.page.figures import histogram
from defendctl.render.page.kinds import pages
from defendctl.render.plural import count
from defendctl.render.setting import PLAIN
from defendctl.render.text.replay import few

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from defendctl.render.page.blocks import Block, Page, Words
    from defendctl.render.page.chart import Chart
    from defendctl.render.page.saved import Saved
    from defendctl.render.setting import Setting
    from defendctl.render.text.paint import Paint

_COLOURS: Final = {"bad": "red", "unsure": "yellow", "good": "green"}


def report(result: Saved, setting: Setting = PLAIN) -> str:
    return "\n".join(_page(one, setting.paint) for one in pages(result.documents))


def _page(one: Page, paint: Paint) -> str:
    lines = [f"{one.title}: {said(one.headline, paint)}", *_blocks(one.blocks, "", paint)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def said(words: Words, paint: Paint) -> str:
    told = []
    for piece in words:
        match piece:
            case Foreign(text) | Anchor(Foreign(text), _):
                told.append(inert(text))
            case Badge(word, tone):
                told.append(paint(word, _COLOURS[tone]) if tone in _COLOURS else word)
            case str():
                told.append(piece)
    return "".join(told)


def _blocks(blocks: Iterable[Block], margin: str, paint: Paint) -> Iterator[str]:
    for block in blocks:
        for line in _block(block, margin, paint):
            yield margin + line if line else ""


def _block(block: Block, margin: str, paint: Paint) -> Iterator[str]:
    match block:
        case Part(title, blocks):
            yield ""
            yield paint(said(title, paint), "cyan")
            yield from _blocks(blocks, "  ", paint)
        case Paragraph(words):
            yield said(words, paint)
        case Points(items):
            yield from (f"- {said(item, paint)}" for item in items)
        case Facts(rows):
            widest = max((len(what) for what, _ in rows), default=0)
            yield from (f"{what:<{widest}}  {said(words, paint)}" for what, words in rows)
        case Table():
            yield from _table(block, paint)
        case Verbatim(text):
            yield from (f"  {inert(line)}" for line in text.rstrip("\n").split("\n"))
        case Ids(what, ids):
            yield f"{count(len(ids), 'event')} {what}: {few(ids)}"
        case Picture(chart):
            yield one_line(chart)


def one_line(chart: Chart) -> str:
    """`completeness  0.6 -> 0.75  ▁▁ ▁▁▁▁|▂▅▃|█▇▇▅▃  12 -> 36 of 100 below`"""
    before, after = ("-" if t is None else f"{t:g}" for t in (chart.before, chart.after))
    drawn = histogram(chart.scores, chart.counts, chart.before, chart.after)
    fails = f"{chart.fails_before} -> {chart.fails_after} of {chart.scored} below"
    return f"{inert(chart.metric)}  {before} -> {after}  {drawn}  {fails}"


def _table(one: Table, paint: Paint) -> Iterator[str]:
    """Widths without colour, which takes no place."""
    plain = [list(one.head), *([said(cell, _unpainted) for cell in row] for row in one.rows)]
    widths = [max(len(row[at]) for row in plain) for at in range(len(one.head))]
    if any(one.head):
        yield "  ".join(cell.ljust(width) for cell, width in zip(plain[0], widths, strict=True))
    for row, bare in zip(one.rows, plain[1:], strict=True):
        cells = zip(row, bare, widths, strict=True)
        yield "  ".join(said(cell, paint) + " " * (width - len(text)) for cell, text, width in cells)


def _unpainted(text: str, colour: str) -> str:
    return text
