"""ci drift: one issue for an environment, as long as something there was changed behind our back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from defendctl.diagnostics import DefendctlError
from defendctl.exits import worst_exit
from defendctl.operations.ci import FOOT, comment_marker
from defendctl.operations.drift import drift
from defendctl.operations.selection import Selection
from defendctl.plan.drift import exit_codes
from defendctl.render.markdown.fit import COMMENT
from defendctl.render.registry import draw
from defendctl.render.setting import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from defendctl.operations.ci import Pipeline
    from defendctl.operations.progress import Progress
    from defendctl.operations.workspace import Workspace
    from defendctl.plan.drift import Drifted


@dataclass(frozen=True, slots=True)
class DriftedIn:
    environment: str | None
    entries: Sequence[Drifted]
    exit_code: int
    error: DefendctlError | None = None
    url: str | None = None


def drift_each(
    workspaces: Sequence[Workspace],
    pipeline: Pipeline,
    progress: Progress,
    *,
    issue: bool,
    at_least: str | None,
) -> Iterator[DriftedIn]:
    """One that cannot be looked at leaves its issue as it is, and the others are looked at all the same."""
    for workspace in workspaces:
        environment = workspace.project.environment
        try:
            entries = drift(workspace, workspace.desired(None), Selection(), progress)
            code = worst_exit(exit_codes(entries, at_least))
            url = _issue(workspace, entries, pipeline) if issue else None
        except DefendctlError as error:
            yield DriftedIn(environment, (), error.exit_code, error)
        else:
            yield DriftedIn(environment, entries, code, url=url)


def _issue(workspace: Workspace, entries: Sequence[Drifted], pipeline: Pipeline) -> str | None:
    environment, opening = workspace.project.environment, comment_marker(workspace, "drift")
    title = f"Guardrails drifted in {environment}" if environment else "Guardrails drifted"
    if not entries:
        return pipeline.tell("issue", lambda _: pipeline.forge.issue(opening, title, None), "")
    setting = Setting(environment=environment, limit=COMMENT - FOOT - len(opening))
    text = opening + draw("drift", "markdown", entries, setting)
    return pipeline.tell("issue", lambda t: pipeline.forge.issue(opening, title, t), text)
