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


def not_taken(remote: Remote, workflow_id: str, sent: Fields) -> str | None:
    """What is not as it was sent, in a sentence; None if all is. Raises ApiError."""
    problem: str | None = None
    for wait in WAITS:
        time.sleep(wait)
        problem = _compare(remote, workflow_id, sent)
        if problem is None:
            return None
    return problem


def _compare(remote: Remote, workflow_id: str, sent: Fields) -> str | None:
    observed = remote.read(workflow_id)
    if observed is None:
        return "written, but the API answers 404 when it is read back"
    seen = {name: value for name, value in observed.fields.items() if name in sent}
    paths = differing(seen, {name: sent[name] for name in seen})
    return f"the API accepted it but did not take: {', '.join(paths)}" if paths else None
