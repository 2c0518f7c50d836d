"""A remark behind the threshold of a metric, which says where it comes from; a newer one takes its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from defendctl.editing.values import quotes
from defendctl.yamltext.marks import compose
from defendctl.yamltext.splice import Splice, line_end, spliced

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from defendctl.yamltext.marks import Mark

_REST: Final = re.compile(r"[^#\"'|>\r\n]*")
"""What may stand between a value and the end of its line: no comment, and no text that might go on."""
_OWN: Final = re.compile(rf"{_REST.pattern}(?=# tune )")


def remarked(text: str, address: str, metrics: Collection[str], remark: str) -> str:
    """`remark` begins with `# tune `. There is none where somebody's own comment stands, nor in JSON."""
    return spliced(text, {one.start: one for one in _splices(text, address, metrics, remark)}.values())


def _splices(text: str, address: str, metrics: Collection[str], remark: str) -> Iterator[Splice]:
    for value in _thresholds(text, address, metrics):
        end = line_end(text, value.end)
        own = _OWN.match(text, value.end)
        if own:
            yield Splice(own.end(), end, remark)
        elif _REST.fullmatch(text, value.end, end):
            yield Splice(end, end, "  " + remark)


def _thresholds(text: str, address: str, metrics: Collection[str]) -> Iterator[Mark]:
    for root in compose(text):
        workflows = root.get("workflows")
        for name, body in workflows.pairs if workflows else ():
            if name.text == address and body.kind == "map" and not quotes(body):
                given = body.get("metrics")
                yield from (value for key, value in (given.pairs if given else ()) if key.text in metrics)
