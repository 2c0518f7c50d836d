"""The lineage of a state, put into the text of the project file at its place. Pure.

Everything else stays byte for byte; what comes out is read again, and says nothing else that is new.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from defendctl.yamltext.items import NoPlace, changed_items
from defendctl.yamltext.loader import loads
from defendctl.yamltext.marks import compose
from defendctl.yamltext.splice import Splice, spliced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.yamltext.marks import Mark


def place_of_lineage(environment: str | None) -> tuple[str, ...]:
    """The keys under which the project file says it."""
    return ("environments", environment, "state", "lineage") if environment else ("state", "lineage")


def with_lineage(text: str, environment: str | None, lineage: str) -> str | None:
    """The new text; None where the layout has no place for the line. `text` is without byte order mark."""
    path = place_of_lineage(environment)
    documents, wrong = loads(text, "")
    roots = compose(text)
    if wrong or len(documents) != 1 or len(roots) != 1:
        return None
    try:
        after = spliced(text, _splices(text, roots[0], path, lineage))
    except NoPlace:
        return None
    said, wrong = loads(after, "")
    wanted = _with(documents[0].data, path, lineage)
    return after if not wrong and [one.data for one in said] == [wanted] else None


def _splices(text: str, node: Mark, path: Sequence[str], lineage: str) -> list[Splice]:
    """Down to the last mapping that is there; what is missing below it is written on one line."""
    if node.kind != "map" or node.anchor:
        raise NoPlace("no mapping of its own stands there")
    key, *rest = path
    pair = node.pair(key)
    if pair is None:
        return list(changed_items(text, node, (), [f"{key}: {_flow(rest, lineage)}"]))
    value = pair[1]
    if value.kind == "scalar" and not (value.anchor or value.style) and value.text in ("", "~", "null"):
        gap = " " if value.start == pair[0].end + 1 else ""
        return [Splice(value.start, value.end, gap + _flow(rest, lineage))]
    if not rest:
        raise NoPlace("another lineage stands there")
    return _splices(text, value, rest, lineage)


def _flow(path: Sequence[str], lineage: str) -> str:
    return "".join(f"{{{key}: " for key in path) + lineage + "}" * len(path)


def _with(data: Any, path: Sequence[str], lineage: str) -> Any:
    """What shall be read afterwards."""
    wanted = deepcopy(data)
    at = wanted
    for key in path[:-1]:
        if at.get(key) is None:
            at[key] = {}
        at = at[key]
    at[path[-1]] = lineage
    return wanted
