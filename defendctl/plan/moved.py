"""What moved between a plan that was saved and the one that is made now. Pure."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from defendctl.plan.digest import digested, moves_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.plan.changes import Plan

MOST: Final = 10
"""Lines; who needs more looks at both plans."""

_HEADS: Final = {
    "lineage": "the state is another one",
    "generation": "the generation of the API",
    "options": "the options of the command",
}


def moved(saved: dict[str, Any], now: Plan) -> list[str]:
    """A line for each thing that differs. `saved` is a plan document."""
    made = {
        "lineage": now.lineage,
        "generation": now.generation,
        "options": now.options.data(),
        "changes": json.loads(json.dumps(digested(now.listed))),
        "moves": moves_data(now.moves),
    }
    lines = list(islice(_lines(saved, made), MOST + 1))
    return [*lines[:MOST], "and more"] if len(lines) > MOST else lines


def _lines(saved: dict[str, Any], made: dict[str, Any]) -> Iterator[str]:
    for name, words in _HEADS.items():
        if saved.get(name) != made[name]:
            yield f"{words}: {_short(saved.get(name))}, now {_short(made[name])}"
    if saved.get("moves", []) != made["moves"]:
        yield "the renames"
    was, now = _by_address(saved["changes"]), _by_address(made["changes"])
    for address in sorted(was.keys() | now.keys()):
        yield from _change(address, was.get(address), now.get(address))


def _by_address(changes: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {change["address"]: change for change in changes}


def _change(address: str, was: dict[str, Any] | None, now: dict[str, Any] | None) -> Iterator[str]:
    if was is None or now is None:
        yield f"{address}: {_action(was)}, now {_action(now)}"
        return
    for name in ("action", "workflow_id"):
        if was[name] != now[name]:
            yield f"{address}: {_short(was[name])}, now {_short(now[name])}"
    before = {field["path"]: field for field in was["fields"]}
    after = {field["path"]: field for field in now["fields"]}
    for path in sorted(before.keys() | after.keys()):
        if _sides(before.get(path)) != _sides(after.get(path)):
            yield f"{address} {path}: {_step(before.get(path))}, now {_step(after.get(path))}"


def _action(change: dict[str, Any] | None) -> str:
    return str(change["action"]) if change else "nothing to do"


def _sides(field: dict[str, Any] | None) -> dict[str, Any] | None:
    return {k: field[k] for k in ("before", "after", "applied", "basis", "origin")} if field else None


def _step(field: dict[str, Any] | None) -> str:
    return f"{_short(field['before'])} -> {_short(field['after'])}" if field else "no difference"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
