"""Reading back what was written."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from defendctl.plan.diff import differing

if TYPE_CHECKING:
    from defendctl.engine.protocols import Remote
    from defendctl.model import Fields

WAITS: Final = (0.0, 0.5, 1.5)
"""Three reads within two seconds: an API may take a moment to show what it took."""


def not_taken(remote: Remote, workflow_id: str, sent: Fields, left: Fields | None = None) -> str | None:
    """What is not as it was sent (of `left`: as it was), in a sentence; None if all is. Raises ApiError."""
    problem: str | None = None
    for wait in WAITS:
        time.sleep(wait)
        problem = _compare(remote, workflow_id, sent, left or {})
        if problem is None:
            return None
    return problem


def _compare(remote: Remote, workflow_id: str, sent: Fields, left: Fields) -> str | None:
    observed = remote.read(workflow_id)
    if observed is None:
        return "written, but the API answers 404 when it is read back"
    paths = _other(sent, observed.fields)
    if paths:
        return f"the API accepted it but did not take: {', '.join(paths)}"
    lost = _other(left, observed.fields)
    return f"the update changed what it did not hold: {', '.join(lost)}" if lost else None


def _other(wanted: Fields, observed: Fields) -> list[str]:
    seen = {name: value for name, value in observed.items() if name in wanted}
    return differing(seen, {name: wanted[name] for name in seen})
