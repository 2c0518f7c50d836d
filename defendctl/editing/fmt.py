"""Manifest text → the same in canonical spelling and key order. Comments stay; meaning never changes.

What `x-` keys hold, the order of workflows and of metrics, and layout are the author's. Values with an
anchor are not respelt, and keys that hold an anchor or an alias keep their place.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from defendctl.schema.fields import OLD_ACTIONS
from defendctl.yamltext.loader import loads
from defendctl.yamltext.marks import compose
from defendctl.yamltext.scalars import plain
from defendctl.yamltext.segments import segments
from defendctl.yamltext.spell import number, scalar
from defendctl.yamltext.splice import Splice, comments, line_number, spliced

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from defendctl.yamltext.marks import Mark


TOP: Final = ("$schema", "version", "x-", "defaults", "workflows", "waivers")
BODY: Final = (
    "name",
    "description",
    "type",
    "tolerance",
    "metrics",
    "improvement_action",
    "max_retries",
    "web_search",
    "context_awareness",
    "file_search",
    "run_mode",
    "labels",
)
"""As the documentation has them; what is not here comes after them, in the order it has."""
OLD_NAME: Final = "max_improvement_attempts"
_NUMBERS: Final = ("max_retries", OLD_NAME)


@dataclass(frozen=True, slots=True)
class Formatted:
    text: str
    notes: tuple[tuple[int, str], ...] = ()
    """Line and why something was left as it is."""


def formatted(text: str) -> Formatted:
    """Of a manifest without errors and without byte order mark. Pure; what may not be, is not done."""
    notes: list[tuple[int, str]] = []
    roots = compose(text)
    for step in (_respelt, _bodies_in_order, _top_in_order):
        after = spliced(text, step(text, roots, notes))
        found = _meaning_the_same(text, roots, after) if after != text else None
        if found is not None:
            text, roots = after, found
        elif after != text:
            notes.append((1, f"{_NAMES[step.__name__]} would change what this file means"))
    return Formatted(text, tuple(dict.fromkeys(notes)))


_NAMES: Final = {
    "_respelt": "another spelling",
    "_bodies_in_order": "another order of the keys of workflows",
    "_top_in_order": "another order of the keys at the top",
}


def _meaning_the_same(before: str, roots: list[Mark], after: str) -> list[Mark] | None:
    """The roots of `after`, if it says what `before` does, and holds every comment."""
    (old, wrong), (new, still_wrong) = loads(before, ""), loads(after, "")
    if wrong != still_wrong or [canonical(one.data) for one in old] != [canonical(one.data) for one in new]:
        return None
    found = compose(after)
    return found if sorted(comments(before, roots)) == sorted(comments(after, found)) else None


def canonical(data: Any) -> Any:
    """What a manifest says, whatever the spelling."""
    if not isinstance(data, dict):
        return data
    known = {key: _canonical_bodies(key, value) for key, value in data.items()}
    return known if "workflows" in data or "defaults" in data else data


def _canonical_bodies(key: str, value: Any) -> Any:
    if key == "workflows" and isinstance(value, dict):
        return {address: _canonical_body(body) for address, body in value.items()}
    return _canonical_body(value) if key == "defaults" else value


def _canonical_body(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    said = {"max_retries" if key == OLD_NAME else key: value for key, value in body.items()}
    action = said.get("improvement_action", "none")
    if "improvement_action" in said and (action is None or isinstance(action, str)):
        said["improvement_action"] = OLD_ACTIONS.get(action, action)
    if said.get("description", "") is None:
        said["description"] = ""
    return said


def bodies(root: Mark) -> Iterator[tuple[Mark, Mark]]:
    """The key and the mapping of each workflow, and of the defaults, that stand in a document themselves."""
    for key, value in root.pairs:
        if key.text == "workflows":
            yield from (pair for pair in value.pairs if pair[1].kind == "map")
        elif key.text == "defaults" and value.kind == "map":
            yield key, value


def _respelt(text: str, roots: list[Mark], notes: list[tuple[int, str]]) -> list[Splice]:
    found = [
        splice
        for root in roots
        for _, body in bodies(root)
        for key, value in body.pairs
        for splice in (*_key(key), *_value(key, value))
    ]
    found += [
        splice
        for root in roots
        for key, value in root.pairs
        if key.text == "version"
        for splice in _whole(value)
    ]
    return [splice for splice in found if text[splice.start : splice.end] != splice.new]


def _key(key: Mark) -> Iterator[Splice]:
    if key.text == OLD_NAME and key.kind == "scalar" and not key.tied:
        yield Splice(key.start, key.end, scalar("max_retries", key.style))


def _value(key: Mark, value: Mark) -> Iterator[Splice]:
    if key.text == "improvement_action":
        yield from _word(key, value, OLD_ACTIONS)
    elif key.text == "description":
        yield from _word(key, value, {None: ""})
    elif key.text in ("web_search", "context_awareness"):
        yield from _word(key, value, {"True": True, "TRUE": True, "False": False, "FALSE": False})
    elif key.text in _NUMBERS:
        yield from _whole(value)
    elif key.text == "metrics":
        for _, threshold in value.pairs:
            yield from _threshold(threshold)


def _word(key: Mark, value: Mark, words: dict[Any, Any]) -> Iterator[Splice]:
    """In the quotes that it has; what had none as its key has them, so that JSON stays JSON."""
    if value.kind != "scalar" or value.tied or value.style in ("|", ">"):
        return
    is_null = not value.style and plain(value.text) is None
    said = None if is_null else value.text
    if said not in words:
        return
    style = value.style or (key.style if key.style == '"' else "")
    spelt = "''" if words[said] == "" and not style else scalar(words[said], style)
    yield Splice(value.start, value.end, spelt if value.start < value.end else " " + spelt)


def _whole(value: Mark) -> Iterator[Splice]:
    given = _number(value)
    if given is not None and given == int(given):
        yield Splice(value.start, value.end, number(int(given)))


def _threshold(value: Mark) -> Iterator[Splice]:
    given = _number(value)
    if given is not None:
        yield Splice(value.start, value.end, number(float(given)))


def _number(value: Mark) -> float | None:
    if value.kind != "scalar" or value.tied or value.style:
        return None
    given = plain(value.text)
    return given if isinstance(given, int | float) and not isinstance(given, bool) else None


def rank(key: str, order: Sequence[str]) -> int:
    """`x-` in the order stands for every key that begins so."""
    if key in order:
        return order.index(key)
    return order.index("x-") if key.startswith("x-") and "x-" in order else len(order)


def _bodies_in_order(text: str, roots: list[Mark], notes: list[tuple[int, str]]) -> list[Splice]:
    return [
        splice
        for root in roots
        for key, body in bodies(root)
        for splice in _in_order(text, body, BODY, key.end, notes)
    ]


def _top_in_order(text: str, roots: list[Mark], notes: list[tuple[int, str]]) -> list[Splice]:
    return [
        splice
        for root in roots
        if root.kind == "map"
        for splice in _in_order(text, root, TOP, root.start, notes, keep_top=True)
    ]


def _in_order(
    text: str,
    mapping: Mark,
    order: Sequence[str],
    floor: int,
    notes: list[tuple[int, str]],
    *,
    keep_top: bool = False,
) -> list[Splice]:
    """The parts of the text that change places; none where the keys are in order."""
    places = _permutation(mapping, order)
    if places == sorted(places):
        return []
    parts = _flow_parts(text, mapping) if mapping.flow else _block_parts(text, mapping, floor, keep_top)
    if parts is None:
        notes.append(
            (line_number(text, mapping.start), "the keys here keep their order, because of their layout")
        )
        return []
    return [
        Splice(*parts[to], text[slice(*parts[source])]) for to, source in enumerate(places) if to != source
    ]


def _permutation(mapping: Mark, order: Sequence[str]) -> list[int]:
    """For each place the index of the pair that belongs there. What is tied stays where it is."""
    free = [i for i, (key, value) in enumerate(mapping.pairs) if not (key.tied or value.tied)]
    ranked = sorted(free, key=lambda i: rank(mapping.pairs[i][0].text, order))
    places = list(range(len(mapping.pairs)))
    for to, source in zip(free, ranked, strict=True):
        places[to] = source
    return places


def _block_parts(text: str, mapping: Mark, floor: int, keep_top: bool) -> list[tuple[int, int]] | None:
    found = segments(text, mapping, floor, keep_top=keep_top)
    return None if found is None else [(one.start, one.end) for one in found]


def _flow_parts(text: str, mapping: Mark) -> list[tuple[int, int]] | None:
    """Only where nothing but commas and blanks stands between the pairs."""
    parts = [(key.start, value.end) for key, value in mapping.pairs]
    gaps = [text[mapping.start : parts[0][0]], *(text[a[1] : b[0]] for a, b in pairwise(parts))]
    gaps.append(text[parts[-1][1] : mapping.end])
    sound = all(not gap.strip(" \t\r\n,{}") for gap in gaps)
    return parts if sound else None
