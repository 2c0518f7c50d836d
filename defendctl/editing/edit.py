"""Values → the lines of a manifest that say them. Everything else stays byte for byte.

What comes out is read again: it says exactly what was wanted and nothing else, or it is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from defendctl.editing.body import Body
from defendctl.editing.values import inserted
from defendctl.model import FieldPath
from defendctl.yamltext.items import NoPlace
from defendctl.yamltext.loader import loads
from defendctl.yamltext.marks import compose
from defendctl.yamltext.splice import spliced

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from defendctl.yamltext.marks import Mark
    from defendctl.yamltext.splice import Splice


ANCHORED: Final = "this workflow shares an anchor with others, which would change too"
NOT_SAFE: Final = "the layout of the file does not allow this edit"
NO_BODY: Final = "the workflow has no mapping of its own in this file"

Refused = dict[tuple[str, FieldPath], str]
"""(address, path) → why it is not written."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What one workflow shall say. A metric that shall be gone has the value None."""

    address: str
    values: Mapping[FieldPath, Any]
    metrics: Mapping[str, Any] = field(default_factory=dict)
    """All that it shall have, for where they must be written out."""
    hides: bool = False
    """Whether a metric goes by a null in its place, which hides what defaults or another file say of it."""


@dataclass(frozen=True, slots=True)
class Edited:
    text: str
    refused: Refused


def edited(text: str, edits: Sequence[Edit]) -> Edited:
    """Of a manifest without errors and without byte order mark; each address stands in it once."""
    refused: Refused = {}
    after, strange = _attempt(text, edits, refused)
    if strange:
        anchored = _anchored(text)
        doubtful = [edit for edit in edits if edit.address in strange | anchored]
        for edit in doubtful:
            _refuse(edit, ANCHORED if edit.address in anchored else NOT_SAFE, refused)
        after, strange = _attempt(text, [edit for edit in edits if edit not in doubtful], refused)
    if strange:
        for edit in edits:
            _refuse(edit, NOT_SAFE, refused)
        after = text
    return Edited(after, refused)


def _refuse(edit: Edit, why: str, refused: Refused) -> None:
    for path in edit.values:
        refused.setdefault((edit.address, path), why)


def _anchored(text: str) -> set[str]:
    return {address for own in _own(text) for address, (_, body) in own.items() if body.anchors}


def _own(text: str) -> list[dict[str, tuple[Mark, Mark]]]:
    """For each document address → key and value, of those that stand in it themselves."""
    found = [root.get("workflows") for root in compose(text)]
    return [{pair[0].text: pair for pair in workflows.pairs} if workflows else {} for workflows in found]


def _attempt(text: str, edits: Sequence[Edit], refused: Refused) -> tuple[str, set[str]]:
    """The new text, and the addresses (or `""` for the rest) that say what nobody wanted in it."""
    data = [document.data for document in loads(text, "")[0]]
    wanted = [_unshared(each) for each in data]
    own = [(each, i) for i, each in enumerate(_own(text))]
    where = {address: (each[address][1], i) for each, i in own for address in each}
    splices: list[Splice] = []
    new: dict[str, Mapping[str, Any]] = {}
    for edit in edits:
        mark, index = where.get(edit.address, (None, 0))
        if mark is None or mark.kind != "map":
            _refuse(edit, NO_BODY, refused)
            continue
        body = Body(text, mark, *(each[index]["workflows"][edit.address] for each in (data, wanted)))
        told = body.put(edit.values, edit.metrics, hides=edit.hides)
        refused.update({(edit.address, path): why for path, why in told.items()})
        splices += body.splices
        new[edit.address] = body.new
    after, failed = _with_lines(spliced(text, splices), new)
    for edit in edits:
        if edit.address in failed:
            _refuse(edit, failed[edit.address], refused)
    said, wrong = loads(after, "")
    return after, {""} if wrong else _strange(wanted, [document.data for document in said])


def _with_lines(text: str, new: Mapping[str, Mapping[str, Any]]) -> tuple[str, dict[str, str]]:
    """In a second pass, for the first may have taken the line after which one of them goes.

    Also the addresses where there is no place for one, and why.
    """
    splices: list[Splice] = []
    failed: dict[str, str] = {}
    if any(new.values()):
        own = {address: pair for each in _own(text) for address, pair in each.items()}
        for address, fields in new.items():
            try:
                splices += inserted(text, *own[address], fields) if address in own else ()
            except NoPlace as why:
                failed[address] = str(why)
    return spliced(text, splices), failed


def _unshared(data: Any) -> Any:
    """A copy in which no two aliases are one object."""
    if isinstance(data, dict):
        return {key: _unshared(value) for key, value in data.items()}
    return [_unshared(value) for value in data] if isinstance(data, list) else data


def _strange(wanted: Sequence[Any], said: Sequence[Any]) -> set[str]:
    if len(wanted) != len(said):
        return {""}
    found: set[str] = set()
    for one, other in zip(wanted, said, strict=True):
        ours, theirs = _workflows(one), _workflows(other)
        found |= {a for a in ours.keys() | theirs.keys() if not _same(ours.get(a), theirs.get(a))}
        found |= set() if _same(_rest(one), _rest(other)) else {""}
    return found


def _workflows(data: Any) -> dict[str, Any]:
    found = data.get("workflows") if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def _rest(data: Any) -> Any:
    return {k: v for k, v in data.items() if k != "workflows"} if isinstance(data, dict) else data


def _same(a: Any, b: Any) -> bool:
    """Equal in everything but the order of keys; to Python true is 1."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)
