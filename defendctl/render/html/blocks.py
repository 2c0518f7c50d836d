"""Each block of a report as HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from defendctl.render.html.markup import Names, name, safe, sentence
from defendctl.render.html.picture import picture, swatch
from defendctl.render.page.blocks import (
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
from defendctl.render.page.chart import CLASSES
from defendctl.render.page.figures import CLASS_NAMES, between, percent
from defendctl.render.plural import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from defendctl.render.page.blocks import Block, Words
    from defendctl.render.page.chart import Chart

MOST_PICTURES: Final = 40
"""What comes after has its numbers in tables alone."""
_MOST_IDS: Final = 500


@dataclass(slots=True)
class Drawing:
    """One page while it is drawn."""

    names: Names = field(default_factory=Names)
    pictures: int = 0
    """Drawn so far, and left out."""
    left_out: int = 0

    def blocks(self, blocks: Iterable[Block], level: int) -> str:
        """Pictures that stand beside one another share a row where there is room."""
        told, row = [], list[str]()
        for block in blocks:
            if isinstance(block, Picture):
                row += self.picture(block.chart)
                continue
            told += self._plots(row)
            row = []
            told.append(self.block(block, level))
        return "".join([*told, *self._plots(row)])

    def _plots(self, row: list[str]) -> list[str]:
        return [f'<div class="plots">{"".join(row)}</div>'] if row else []

    def block(self, block: Block, level: int) -> str:
        match block:
            case Part():
                return self.section(block, level)
            case Paragraph(words):
                return f"<p>{self.words(words)}</p>"
            case Points(items):
                return f"<ul>{''.join(f'<li>{self.words(item)}</li>' for item in items)}</ul>"
            case Facts(rows):
                told = (f"<dt>{safe(what)}</dt><dd>{self.words(words)}</dd>" for what, words in rows)
                return f"<dl>{''.join(told)}</dl>"
            case Verbatim(text):
                lines = text.rstrip("\n").split("\n")
                return f"<pre>{chr(10).join(map(safe, lines))}</pre>"
            case Table():
                return self.table(block)
            case Ids(what, ids):
                return self._folded(what, ids)
            case Picture(chart):
                return "".join(self.picture(chart))

    def words(self, words: Words) -> str:
        return sentence(words, self.names)

    def section(self, one: Part, level: int) -> str:
        place = self.names.place(one.name)
        name_ = f' id="{place}"' if place else ""
        kind = ' class="card"' if one.card else ""
        head = f"<h{level}>{self.words(one.title)}</h{level}>"
        return f"<section{name_}{kind}>{head}{self.blocks(one.blocks, level + 1)}</section>"

    def table(self, one: Table) -> str:
        """It scrolls by itself, also by keyboard, where it is wider than the page. A column in which no row
        says anything is left out."""
        columns = range(len(one.head))
        said = [at for at in columns if at == 0 or any("".join(map(str, row[at])) for row in one.rows)]
        names = [one.head[at] for at in said]
        head = "".join(f'<th scope="col">{safe(each)}</th>' if each else "<td></td>" for each in names)
        rows = "".join(self._row(tuple(row[at] for at in said)) for row in one.rows)
        caption = self.names.new()
        return (
            f'<div class="scroll" tabindex="0" role="group" aria-labelledby="{caption}"><table>'
            f'<caption id="{caption}">{safe(one.caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        )

    def _row(self, cells: tuple[Words, ...]) -> str:
        first, *rest = map(self.words, cells)
        return f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'

    def _folded(self, what: str, ids: tuple[str, ...]) -> str:
        more = f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else ""
        told = " ".join(map(name, ids[:_MOST_IDS]))
        title = f"{count(len(ids), 'event')} {safe(what)}"
        return f"<details><summary>{title}</summary><p>{told}{more}</p></details>"

    def picture(self, chart: Chart) -> Iterator[str]:
        if self.pictures >= MOST_PICTURES:
            self.left_out += 1
            return
        self.pictures += 1
        legend = "".join(
            f"<li>{swatch(kind, self.names)}{_class_count(chart, kind)} {safe(CLASS_NAMES[kind])}</li>"
            for kind in CLASSES
            if _class_count(chart, kind)
        )
        yield (
            f"<figure><figcaption>{self.words((Foreign(chart.metric),))}"
            f"<small>{safe(_moved(chart))}</small></figcaption>"
            f'<ul class="legend">{legend}</ul>{picture(chart, self.names)}</figure>'
        )


def _class_count(chart: Chart, kind: str) -> int:
    return sum(each.counts[kind] for each in chart.columns)


def _moved(chart: Chart) -> str:
    """What the two dots are."""
    told = []
    for word, at, fails in (
        ("today", chart.before, chart.fails_before),
        ("proposed", chart.after, chart.fails_after),
    ):
        if at is None:
            told.append(f"{word}: none")
            continue
        low, high = chart.band(fails)
        rate = percent(fails / chart.scored)
        told.append(f"{word} {at:g}: {fails} of {chart.scored} below, {rate} (95 %: {between(low, high)})")
    return "; ".join(told)
