"""What a state may hold. Its checksum finds accidents, not hands: whoever forges it can compute that too.

What passes here is printed, used in names of files and sent, so it is as strict as whoever writes it.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from defendctl.model import (
    ADDRESS,
    CANARY,
    FIELDS,
    GENERATIONS,
    FieldPath,
    field_of,
    usable_file_id,
    usable_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_SPENT: Final = re.compile(r"sha256:[0-9a-f]{64}|[0-9a-f]{32}")
_COMMIT: Final = re.compile(r"[0-9a-f]{40,64}")
_OF_A_BINDING: Final = {"workflow_id", "applied", "assumed", "unconfirmed", "recorded", "sent"}
_OF_AN_INTENT: Final = {"op", "at", "sent", "replaces", "why"}


def problem(body: dict[str, Any]) -> str | None:
    """Where the first thing stands that is not as it must be; None if all is well.

    An unknown key is refused: the next write would drop it.
    """
    optional = _OPTIONAL_IN[body["format_version"]]
    for name, check in _HEAD.items():
        if name not in body:
            return f"`{name}` is missing"
        if not check(body[name]):
            return f"look at `{name}`"
    if body["format_version"] == 3 and "moved_to" not in body:
        return "`moved_to` is missing"
    for section, check in _SECTIONS.items():
        if not isinstance(body.get(section), dict):
            return f"`{section}` is not an object"
        for address, entry in body[section].items():
            if not is_address(address):
                return f"look at `{section}`, which has a key that is not an address"
            if not check(entry):
                return f"look at `{section}`, {address!r}"
    for name in sorted(body.keys() - _HEAD.keys() - _SECTIONS.keys() - {"format_version"}):
        if name not in optional:
            return f"this defendctl does not know {_key(name)}"
        if not optional[name](body[name]):
            return f"look at `{name}`"
    return None


def _key(name: str) -> str:
    return f"`{name}`" if _WORD.fullmatch(name) else "one of its keys"


def is_binding(data: Any) -> bool:
    return (
        isinstance(data, dict)
        and data.keys() <= _OF_A_BINDING
        and usable_id(data.get("workflow_id"))
        and is_fields(data.get("applied"))
        and is_fields(data.get("assumed", {}))
        and _are_names(data.get("unconfirmed", []))
        and _are_stamps(data.get("recorded", []))
        and _are_sent(data.get("sent", []))
    )


def _are_sent(data: Any) -> bool:
    return isinstance(data, list) and all(
        isinstance(one, dict)
        and one.keys() == {"path", "value", "fingerprint"}
        and _is_text(one["path"])
        and field_of(one["path"]) in FIELDS
        and _is_fingerprint(one["fingerprint"])
        and _is_leaf(one["path"], one["value"])
        for one in data
    )


def _is_leaf(path: FieldPath, value: Any) -> bool:
    """None where a metric was taken away."""
    if "." in path:
        return value is None or _is_text(value) or _is_number(value)
    return is_fields({path: value})


def _are_stamps(data: Any) -> bool:
    return isinstance(data, list) and all(
        isinstance(run, dict)
        and run.keys() == {"at", "by", "fields"}
        and _is_time(run.get("at"))
        and _is_run(run.get("by"))
        and _are_names(run.get("fields"))
        for run in data
    )


def is_intent(data: Any) -> bool:
    return (
        isinstance(data, dict)
        and data.keys() <= _OF_AN_INTENT
        and _is_text(data.get("op"))
        and _is_time(data.get("at"))
        and is_fields(data.get("sent"))
        and (data.get("replaces") is None or usable_id(data["replaces"]))
        and _is_text_or_none(data.get("why"))
    )


def is_fields(data: Any) -> bool:
    """By exact types, of which JSON has few, and which cost no call each."""
    if not isinstance(data, dict):
        return False
    for name, value in data.items():
        kind = type(value)
        if kind not in _KINDS.get(name, ()):
            return False
        if kind is dict and not _MEASURES.issuperset(map(type, value.values())):
            return False
        if kind in _LISTS and not _is_list(value):
            return False
    return True


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(map(_is_text, value))


def _are_names(value: Any) -> bool:
    try:
        return isinstance(value, (list, tuple)) and _NAMES.issuperset(value)
    except TypeError:  # of lists in it
        return False


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and _has_zone(value)


@lru_cache(64)
def _has_zone(time: str) -> bool:
    """What one run records bears few times."""
    try:
        return datetime.fromisoformat(time).tzinfo is not None
    except ValueError:
        return False


def _is_run(value: Any) -> bool:
    return isinstance(value, str) and len(value) < 300 and value.isprintable()


def _is_serial(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9


def _is_word(value: Any) -> bool:
    return value is None or (isinstance(value, str) and _WORD.fullmatch(value) is not None)


def _is_host(value: Any) -> bool:
    return value is None or (isinstance(value, str) and len(value) < 300 and value.isprintable())


def _are_tombstones(value: Any) -> bool:
    return isinstance(value, list) and all(is_binding(item) for item in value)


def _are_uploads(value: Any) -> bool:
    return isinstance(value, dict) and all(
        _SHA256.fullmatch(sha256) and usable_file_id(file_id) for sha256, file_id in value.items()
    )


def is_address(value: Any) -> bool:
    """Of a workflow, or the canary's."""
    return isinstance(value, str) and (value == CANARY or ADDRESS.fullmatch(value) is not None)


def _is_writer(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 128 and value.isprintable()


def _is_fingerprint(value: Any) -> bool:
    return isinstance(value, str) and _SPENT.fullmatch(value) is not None


def _is_moved_to(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) < 1_000 and value.isprintable()


def _are_former(value: Any) -> bool:
    return isinstance(value, dict) and all(
        is_address(address) and _is_list(before) and all(map(is_address, before))
        for address, before in value.items()
    )


def _are_spent(value: Any) -> bool:
    return isinstance(value, dict) and all(
        _is_fingerprint(one) and _is_serial(serial) for one, serial in value.items()
    )


def _is_revision(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= {"commit", "time", "ref", "run"}
        and isinstance(value.get("commit"), str)
        and _COMMIT.fullmatch(value["commit"]) is not None
        and isinstance(value.get("time"), int)
        and not isinstance(value["time"], bool)
        and all(_is_run(value.get(name, "")) for name in ("ref", "run"))
    )


_NAMES: Final = frozenset(FIELDS)
_MEASURES: Final = frozenset({str, float, int})
_LISTS: Final = frozenset({list, tuple})
_KINDS: Final[dict[str, frozenset[type]]] = {
    **dict.fromkeys(FIELDS, frozenset({str})),
    "metrics": frozenset({dict}),
    "max_retries": frozenset({int, float}),
    "web_search": frozenset({bool}),
    "context_awareness": frozenset({bool}),
    "file_search": _LISTS,
}
_HEAD: Final[dict[str, Callable[[Any], bool]]] = {
    "lineage": _is_word,
    "serial": _is_serial,
    "writer": _is_text,
    "api_host": _is_host,
    "generation": lambda value: value is None or value in GENERATIONS,
    "folded": _is_text_or_none,
}
_SECTIONS: Final[dict[str, Callable[[Any], bool]]] = {
    "bindings": is_binding,
    "unresolved": is_intent,
    "tombstones": _are_tombstones,
}
_OPTIONAL_IN_1: Final[dict[str, Callable[[Any], bool]]] = {
    "environment": _is_word,
    "uploads": _are_uploads,
}
_OPTIONAL: Final[dict[str, Callable[[Any], bool]]] = {
    **_OPTIONAL_IN_1,
    "ancestors": lambda value: _is_list(value) and all(map(_is_writer, value)),
    "former": _are_former,
    "spent": _are_spent,
    "spent_floor": _is_serial,
    "last_attempted_revision": _is_revision,
    "last_applied_revision": _is_revision,
}
_OPTIONAL_IN: Final = {1: _OPTIONAL_IN_1, 2: _OPTIONAL, 3: {**_OPTIONAL, "moved_to": _is_moved_to}}
"""By the format; who moved says where to, and nobody else does."""
