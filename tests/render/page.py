"""Markdown as GitHub shows it: rendered by its own cmark, with raw HTML let through, and looked at."""

from __future__ import annotations

from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options

OURS = {"h2", "h3", "p", "strong", "code", "pre", "ul", "li", "details", "summary"}
OURS |= {"table", "thead", "tbody", "tr", "th", "td"}


class Page(HTMLParser):
    """`elements` with their attributes; `prose` is the text outside of code, `codes` each text inside;
    `folds`: how many are open at its end."""

    def __init__(self, markdown: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[tuple[str, tuple[tuple[str, str | None], ...]]] = set()
        self.prose = ""
        self.codes: list[str] = []
        self.comments: list[str] = []
        self.rows: list[int] = []
        self.folds = 0
        self._in_code = False
        html = cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
        self.feed(html)
        self.close()

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.elements}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add((tag, tuple(attrs)))
        if tag == "code":
            self._in_code = True
            self.codes.append("")
        self.folds += tag == "details"
        if tag == "tr":
            self.rows.append(0)
        if tag in ("td", "th"):
            self.rows[-1] += 1

    def handle_endtag(self, tag: str) -> None:
        self._in_code = self._in_code and tag != "code"
        self.folds -= tag == "details"

    def handle_data(self, data: str) -> None:
        if self._in_code:
            self.codes[-1] += data
        else:
            self.prose += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)
