"""A part of a workflow laid over another, value by value, before anything is validated.

One law for `defaults:`, which lie under the workflows of their document, and for overlays, which lie over
what the manifests say: what a plan shows as one line is one value. So each metric and each label is one, and
every other field is one as a whole. Nothing goes that is not named: null takes away what stands below.

Metrics of a list have the level of `tolerance`. Where a list meets a mapping, the result is a mapping.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import suggest
from defendctl.schema.texts import LIST_OVER_MAPPING
from defendctl.yamltext.node import FILE, Document, Node
from defendctl.yamltext.quote import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.yamltext.node import Place

Tell = Callable[[str, str, int], None]
"""Takes code, message and place of what cannot be laid."""

REQUIRED = ("type", "metrics", "improvement_action")
_OTHER_NAME = {
    "max_retries": "max_improvement_attempts",
    "max_improvement_attempts": "max_retries",
}
_BY_NAME = {"metrics": "metric", "labels": "label"}


def lay(lower: Node, upper: Node, tell: Tell, *, overlay: bool) -> Node:
    """What both say of one workflow; neither is changed. What is wrong in it is found by validation.

    With `overlay`, null takes a field away, and what it takes away must be there.
    """
    if not (isinstance(lower.data, dict) and isinstance(upper.data, dict)):
        return lower if overlay and not isinstance(lower.data, dict) else upper
    merged = _copy(lower)
    for key in sorted(upper.items, key=lambda key: key == "metrics"):  # after `tolerance`
        other = _OTHER_NAME.get(key, "")
        if other in merged.items and other not in upper.items:
            _put(merged, key, merged.items[other], merged.keys[other])
            _drop(merged, other)
        _field(merged, key, upper, tell, overlay)
    if not overlay and "tolerance" not in upper.items:
        _drop_idle_tolerance(merged)
    return merged


def moved(node: Node, number: int) -> Node:
    """The same with its places in file `number`."""
    copy = Node(node.data, node.place + number * FILE, node.text, node.plain)
    if isinstance(node.data, dict | list):
        copy.items = {key: moved(item, number) for key, item in node.items.items()}
        copy.keys = {key: place + number * FILE for key, place in node.keys.items()}
    return copy


def document(file: str, address: str, key: Place, body: Node, others: tuple[str, ...]) -> Document:
    """One workflow, as if it stood alone in a manifest."""
    workflows = Node.collection({}, key)
    _put(workflows, address, body, key)
    root = Node.collection({"version": 1}, key)
    _put(root, "workflows", workflows, key)
    return Document(file, root.data, root, others)


def paths(body: Node) -> Iterator[tuple[str, Place]]:
    """What a part of a workflow speaks of, as plans call it, and where; `""` is all of it."""
    if not isinstance(body.data, dict):
        yield "", body.place
    for key, node in body.items.items() if isinstance(body.data, dict) else ():
        names = _names(node) if key in _BY_NAME else None
        if names is None:
            yield "max_retries" if key == "max_improvement_attempts" else key, body.keys[key]
        else:
            yield from ((f"{key}.{name}", place) for name, place in names)


def _names(node: Node) -> list[tuple[str, Place]] | None:
    """The names of metrics or labels, in either form; None for what is neither."""
    if isinstance(node.data, dict):
        return list(node.keys.items())
    if isinstance(node.data, list) and all(isinstance(item, str) for item in node.data):
        return [(item.data, item.place) for item in node.items.values()]
    return None


def _field(merged: Node, key: str, upper: Node, tell: Tell, overlay: bool) -> None:
    node, place = upper.items[key], upper.keys[key]
    if overlay and node.data is None:
        _take_away(merged, key, place, tell)
    elif key in _BY_NAME and key in merged.items:
        below = merged.items[key]
        laid = _laid_lists(merged, below, node, tell, overlay) if key == "metrics" else None
        _put(merged, key, laid or _by_name(below, node, _BY_NAME[key], tell, overlay), place)
    else:
        _put(merged, key, node, place)


def _take_away(merged: Node, key: str, place: Place, tell: Tell) -> None:
    if key in REQUIRED:
        tell("missing-key", f"Every workflow needs `{key}`, so an overlay cannot remove it.", place)
    elif key in merged.items:
        _drop(merged, key)
    else:
        near = suggest(key, merged.items)
        tell("nothing-to-remove", f"There is no {quoted(key)} to remove here.{near}", place)


def _laid_lists(merged: Node, below: Node, node: Node, tell: Tell, overlay: bool) -> Node | None:
    """Of metrics where at least one side is a list; None where both are mappings or one is neither."""
    shapes = isinstance(below.data, list), isinstance(node.data, list)
    if not any(shapes) or _names(below) is None or _names(node) is None:
        return None
    if shapes == (False, True) and not node.data:
        return None  # which leaves it empty, and that is told
    if all(shapes):
        return _joined(below, node)
    if shapes[0] and node.data and all(value is None for value in node.data.values()):
        return _without(below, node, tell, overlay)
    tolerance = merged.items.get("tolerance")
    if shapes[1] and tolerance is None:
        tell("wrong-type", f"{LIST_OVER_MAPPING}.", node.place)
        return below
    _drop(merged, "tolerance")
    below, node = (
        _levels(side, tolerance) if isinstance(side.data, list) else side for side in (below, node)
    )
    return _by_name(below, node, "metric", tell, overlay)


def _joined(below: Node, node: Node) -> Node:
    """The items of the one, then those of the other that are new (or stand twice in it)."""
    known = set(below.data)
    items = [*below.items.values(), *(item for item in node.items.values() if item.data not in known)]
    return _list(items, node.place)


def _without(below: Node, node: Node, tell: Tell, overlay: bool) -> Node:
    """A list without what a mapping of nulls takes away; what it does not hold remains to be refused."""
    absent = [name for name in node.data if name not in below.data]
    for name in absent:
        tell("nothing-to-remove", _nothing("metric", name, below.data), node.keys[name])
    return _list([item for item in below.items.values() if item.data not in node.data], node.place)


def _list(items: list[Node], place: Place) -> Node:
    made = Node.collection([item.data for item in items], place)
    made.items = dict(enumerate(items))
    return made


def _levels(listed: Node, tolerance: Node | None) -> Node:
    """A list of metrics as a mapping, each where it stands in the list; a mapping as it is."""
    if isinstance(listed.data, dict):
        return listed
    mapping = Node.collection({}, listed.place)
    for item in listed.items.values():
        level = tolerance.data if tolerance else None
        _put(mapping, item.data, Node(level, item.place), item.place)
    return mapping


def _by_name(below: Node, node: Node, kind: str, tell: Tell, overlay: bool) -> Node:
    """A mapping over a mapping; what is none is left to validation."""
    if not (isinstance(below.data, dict) and isinstance(node.data, dict)):
        return below if _names(below) is None else node
    merged = _copy(below)
    merged.place = node.place
    for name, value in node.items.items():
        if value.data is not None or (name not in below.items and not overlay):
            _put(merged, name, value, node.keys[name])
        elif name in merged.items:
            _drop(merged, name)
        else:
            tell("nothing-to-remove", _nothing(kind, name, below.data), node.keys[name])
    return merged


def _nothing(kind: str, name: str, known: Any) -> str:
    near = suggest(name, list(known)[:100])
    return f"There is no {kind} {quoted(name)} to remove here.{near}"


def _drop_idle_tolerance(merged: Node) -> None:
    """One that only `defaults:` name is about lists of metrics, and this workflow has none."""
    metrics = merged.data.get("metrics")
    if "tolerance" in merged.items and (isinstance(metrics, dict) or merged.data.get("type") == "custom"):
        _drop(merged, "tolerance")


def _copy(node: Node) -> Node:
    copy = Node.collection(dict(node.data), node.place)
    copy.items, copy.keys = dict(node.items), dict(node.keys)
    return copy


def _put(mapping: Node, key: str, node: Node, place: Place) -> None:
    mapping.items[key], mapping.keys[key], mapping.data[key] = node, place, node.data


def _drop(mapping: Node, key: str) -> None:
    if key in mapping.items:
        del mapping.items[key], mapping.keys[key], mapping.data[key]
