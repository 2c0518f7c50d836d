"""ci plan: each environment planned, told under the request, and kept as what was reviewed there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from defendctl.ci.forge import ForgeError
from defendctl.ci.record import Record, hashed
from defendctl.diagnostics import DefendctlError, Interrupted, Invalid
from defendctl.exits import Exit, worst_exit
from defendctl.operations.ci import FOOT, REST, comment_marker, foot, title, with_commit
from defendctl.operations.destinations import Destination
from defendctl.operations.environments import compare_with
from defendctl.operations.plan import plan
from defendctl.operations.selection import Selection
from defendctl.plan.digest import digest
from defendctl.plan.direction import LOOSENS
from defendctl.policy.against import policy_data
from defendctl.render.markdown.fit import COMMENT, SUMMARY, shorten
from defendctl.render.markdown.markup import block, code
from defendctl.render.registry import draw
from defendctl.render.setting import Setting
from defendctl.render.text.diagnostics import listing
from defendctl.render.text.paint import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from defendctl.inspection.contrast import Comparison
    from defendctl.operations.ci import Pipeline
    from defendctl.operations.progress import Progress
    from defendctl.operations.workspace import Workspace
    from defendctl.review import Review

_BESIDE: Final = 12_000
"""Bytes of a comment for what is declared differently."""
_POLICY: Final = ("rule ", "waiver ", "policy.")


@dataclass(frozen=True, slots=True)
class PlanOptions:
    refresh: bool = True
    comment: bool = True
    check: bool = True
    folder: Path | None = None
    """Where the plans go as files."""
    last_events: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedIn:
    """One environment: its plan, or why there is none."""

    environment: str | None
    review: Review | None
    error: DefendctlError | None
    against: Comparison | None
    """What is declared differently from the request's base, where git can tell."""
    exit_code: int
    text: str = ""
    """All of it as Markdown."""
    url: str | None = None
    """Of the comment."""
    path: Path | None = None


def plan_each(
    workspaces: Sequence[Workspace], pipeline: Pipeline, options: PlanOptions, progress: Progress
) -> Iterator[PlannedIn]:
    """Whatever one of them ends in, the others are planned too. Raises nothing of its own."""
    room = max(COMMENT, SUMMARY // max(1, len(workspaces))) - FOOT  # one summary has them all
    for workspace in workspaces:
        made = _planned(workspace, pipeline, options, progress)
        text = _text(workspace, made, room) + foot(with_commit(workspace, pipeline.context))
        yield _told(workspace, replace(made, text=text), pipeline, options)


def _planned(workspace: Workspace, pipeline: Pipeline, options: PlanOptions, progress: Progress) -> PlannedIn:
    """A fork has no key, and gets none; Dependabot has no key of people."""
    environment, against = workspace.project.environment, _against(workspace, pipeline)
    refresh = options.refresh and not (pipeline.context.fork or pipeline.context.dependabot)
    last = options.last_events if refresh else None
    try:
        review = plan(workspace, Selection(refresh=refresh, last_events=last), progress)
    except Interrupted:
        raise
    except DefendctlError as error:
        return PlannedIn(environment, None, error, against, error.exit_code)
    return PlannedIn(environment, review, None, against, worst_exit(review.exit_codes()))


def _against(workspace: Workspace, pipeline: Pipeline) -> Comparison | None:
    if pipeline.context.base is None:
        return None
    try:
        return compare_with(workspace, pipeline.context.base)
    except DefendctlError:
        return None


def _told(workspace: Workspace, made: PlannedIn, pipeline: Pipeline, options: PlanOptions) -> PlannedIn:
    """Files first. What the forge could not be told fails the run, and keeps nothing else from being told."""
    context, forge = pipeline.context, pipeline.forge
    made = replace(made, path=_write(made, options.folder))
    if context.fork or context.number is None:
        return made
    text = _text(workspace, made, COMMENT - FOOT)
    number, found = context.number, made
    try:
        if options.check and context.head:
            record = _record(workspace, made, context.head)
            name, passed = title(workspace, context.head), made.exit_code == Exit.OK
            pipeline.tell("check", lambda t: forge.record(name, record, passed=passed, text=t), text)
        if options.comment:
            opening = comment_marker(workspace)
            found = replace(
                made, url=pipeline.tell("comment", lambda t: forge.comment(opening, t, number), text)
            )
    except ForgeError as error:
        pipeline.warn(error.message)
        return replace(made, exit_code=worst_exit({made.exit_code, error.exit_code}))
    return found


def _write(made: PlannedIn, folder: Path | None) -> Path | None:
    """NAME.plan.json and NAME.plan.md, in a folder that may be new."""
    if folder is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    stem = made.environment or "guardrails"
    Destination("--out-dir", folder / f"{stem}.plan.md", "plan", "markdown").write(made.text)
    if made.review is None:
        return None
    path = folder / f"{stem}.plan.json"
    Destination("--out-dir", path, "plan", "json").write(draw("plan", "json", made.review, Setting()))
    return path


def _record(workspace: Workspace, made: PlannedIn, head: str) -> Record | None:
    """What is kept of a plan that may be applied as it is."""
    if made.review is None or made.exit_code or made.review.plan.lineage is None:
        return None
    desired, shown = workspace.desired(None), made.review.plan
    return Record(
        environment=made.environment,
        lineage=made.review.plan.lineage,
        host=hashed(shown.host),
        commit=head,
        digest=digest(shown) if shown.refreshed else None,
        serial=shown.serial,
        options=shown.options.data(),
        policy=hashed(policy_data(desired.policy, desired.waivers)),
        fingerprints=tuple(one.value for one in made.review.fingerprints),
    )


def policy_changed(found: Comparison | None) -> str:
    """What the first line says of the policy itself; nobody can tell without the base."""
    changed = [one for one in found.besides if one.what.startswith(_POLICY)] if found else []
    if any(one.direction == LOOSENS for one in changed):
        return "; **the policy was weakened**"
    return "; **the policy changed**" if changed else ""


def _text(workspace: Workspace, made: PlannedIn, room: int) -> str:
    """All that is told of one environment, in so many bytes."""
    opening, beside = comment_marker(workspace), _beside(made)
    left = room - len((opening + beside).encode())
    return f"{opening}{_body(made, policy_changed(made.against), left)}{beside}"


def _body(made: PlannedIn, remark: str, room: int) -> str:
    if made.review:
        return draw("plan", "markdown", made.review, Setting(limit=room, remark=remark))
    where = f" for {code(made.environment)}" if made.environment else ""
    assert made.error
    said = made.error.message.split("\n")
    if isinstance(made.error, Invalid):
        said += listing(made.error.diagnostics, plain).rstrip("\n").split("\n")
    shown = block([*said, *filter(None, [made.error.hint])])
    return shorten(f"## Guardrail plan{where}: **there is none**{remark}\n\n{shown}", room, REST)


def _beside(made: PlannedIn) -> str:
    """Where live was not read, or there is no plan, what is declared differently is all that is known."""
    unread = made.review is None or not made.review.plan.refreshed
    if not (unread and made.against and made.against.differs):
        return ""
    setting = Setting(environment=made.environment, limit=_BESIDE)
    return "\n" + draw("comparison", "markdown", made.against, setting)
