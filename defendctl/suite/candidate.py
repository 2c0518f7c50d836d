"""A candidate: what a manifest declares, put on the canary so that events can be judged by it. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from defendctl.inspection.proof import compared
from defendctl.model import CONTENT, Workflow

if TYPE_CHECKING:
    from defendctl.event import Event

RESTING: Final = Workflow("", "custom", {"completeness": 0.5}, "none")
"""What the canary is until a candidate is put on it."""


def as_canary(workflow: Workflow, environment: str | None) -> Workflow:
    """The same guardrail under the canary's own name, so that the console tells what it is."""
    where = f" ({environment})" if environment else ""
    about = "Tests candidates of other workflows; defendctl changes it by itself."
    return replace(workflow, name=f"defendctl canary{where}", description=about, unmanaged=frozenset())


def unfit(workflow: Workflow) -> str | None:
    """Why it cannot be put on the canary."""
    if any(CONTENT.fullmatch(item) for item in workflow.file_search):
        return "a file of its file_search is not uploaded yet; apply does that"
    return None


def unlike(candidate: Workflow, event: Event) -> str | None:
    """What says that another configuration judged this event. Where it tells nothing, nobody knows."""
    told = [one for one in compared(candidate.fields(), event.settings) if one.verdict != "not_told"]
    other = [one for one in told if one.verdict == "differs"]
    if other:
        one = other[0]
        return f"it was judged by other settings: {one.path} is {one.served}, not {one.declared}"
    return None if told else "it does not record the settings that judged it"
