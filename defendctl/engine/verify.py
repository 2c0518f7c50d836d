"""Reading back what was written."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from defendctl.model import leaves
from defendctl.plan.alike import distinct, remade, rounded
from defendctl.plan.diff import differing

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from defendctl.engine.protocols import Remote
    from defendctl.model import FieldPath, Fields

WAITS: Final = (0.0, 0.5, 1.5)
"""Three reads within two seconds: an API may take a moment to show what it took."""


@dataclass(frozen=True, slots=True)
class Untaken:
    """What is not as it was written, in a sentence."""

    why: str
    remade: bool = False
    """Whether it was taken all the same, and is what the API made of it."""


def not_taken(
    remote: Remote,
    workflow_id: str,
    sent: Fields,
    left: Fields | None = None,
    told: Collection[str] = (),
) -> Untaken | None:
    """What is not as it was sent (of `left`: as it was); None if all is. `told`: the paths of texts that are
    known to come out in another form. Raises ApiError."""
    untaken: Untaken | None = None
    for wait in WAITS:
        if wait:
            time.sleep(wait)
        untaken = _compare(remote, workflow_id, sent, left or {}, told)
        if untaken is None:
            return None
    return untaken


def _compare(
    remote: Remote, workflow_id: str, sent: Fields, left: Fields, told: Collection[str]
) -> Untaken | None:
    observed = remote.read(workflow_id)
    if observed is None:
        return Untaken("written, but the API answers 404 when it is read back")
    written, found = leaves(sent), leaves(observed.fields)
    other = _other(sent, observed.fields)
    paths = [path for path in other if path not in told or not remade(written[path], found[path])]
    if paths:
        return _untaken(paths, written, found)
    lost = _other(left, observed.fields)
    return Untaken(f"the update changed fields that it did not send: {', '.join(lost)}") if lost else None


def _untaken(
    paths: list[FieldPath], sent: Mapping[FieldPath, Any], found: Mapping[FieldPath, Any]
) -> Untaken:
    pairs = [(path, sent.get(path), found.get(path)) for path in paths]
    if not all(remade(written, now) or rounded(written, now) for _, written, now in pairs):
        return Untaken(f"the API accepted it but did not take: {', '.join(paths)}")
    told = [f"{path} ({' became '.join(distinct(a, b) or (str(a), str(b)))})" for path, a, b in pairs]
    why = f"the API did not take it as written: {', '.join(told)}; declare it as it is live"
    return Untaken(why, True)


def _other(wanted: Fields, observed: Fields) -> list[FieldPath]:
    seen = {name: value for name, value in observed.items() if name in wanted}
    return differing(seen, {name: wanted[name] for name in seen})
