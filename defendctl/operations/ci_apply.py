"""ci apply and ci check: what was merged is applied, if each change of it was looked at under a request.

No order of jobs is relied on: a commit that is older than the one last applied does nothing, and what was
applied once is covered by no older review.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from defendctl.ci.forge import ForgeError
from defendctl.command import beginning, command, shell_word
from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.exits import Exit, worst_exit
from defendctl.operations.apply import Applied, Consent, apply
from defendctl.operations.beginning import refuse_lost
from defendctl.operations.ci import FOOT, REST, comment_marker, look, require_default_branch, standing
from defendctl.operations.plan import plan
from defendctl.operations.reviewed import NotReviewed, refuse_unreviewed
from defendctl.operations.selection import Selection
from defendctl.render.markdown.fit import COMMENT, shorten
from defendctl.render.markdown.markup import block, code
from defendctl.render.plural import count
from defendctl.render.words import consent
from defendctl.state.backend import Locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from defendctl.model import Revision, State
    from defendctl.operations.ci import Looked, Pipeline
    from defendctl.operations.progress import Progress
    from defendctl.operations.workspace import Workspace
    from defendctl.review import Review

MOST_CREATES: Final = 10
"""Of an empty state: more of them look like a state that was lost."""
_EACH: Final = 5.0
"""Seconds between two looks at a lock."""


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    digest: str | None = None
    """The plan that is approved, whoever reviewed what."""
    serial: int | None = None
    tightening: bool = False
    approved_after_plan: bool = False
    wait: float = 0.0
    """Seconds for which another run's lock is waited for."""
    parallelism: int = 10


@dataclass(frozen=True, slots=True)
class AppliedIn:
    """What became of one environment."""

    environment: str | None
    exit_code: int
    applied: Applied | None = None
    superseded: Revision | None = None
    error: DefendctlError | None = None
    looked: Looked | None = None
    url: str | None = None


def apply_each(
    workspaces: Sequence[Workspace],
    pipeline: Pipeline,
    options: ApplyOptions,
    progress: Progress,
    on_plan: Callable[[Review], None],
) -> Iterator[AppliedIn]:
    """In order, to the first that fails. Raises Precondition where nothing may be applied from here."""
    require_default_branch(pipeline)
    for workspace in workspaces:
        done = _apply(workspace, pipeline, options, progress, on_plan)
        yield replace(done, url=_tell(workspace, done, pipeline))
        if done.exit_code:
            return


def _apply(
    workspace: Workspace,
    pipeline: Pipeline,
    options: ApplyOptions,
    progress: Progress,
    on_plan: Callable[[Review], None],
) -> AppliedIn:
    environment, looked = workspace.project.environment, None
    try:
        desired = workspace.desired(None, for_changes=True)
        state = _begun(workspace)
        stands = standing(workspace, desired, state, pipeline, overridden=options.digest is not None)
        if stands.superseded:
            return AppliedIn(environment, Exit.OK, superseded=stands.superseded)
        if options.digest is None:
            looked = look(workspace, state, pipeline, approved=options.approved_after_plan)
        if stands.by_forge:  # the clone cannot tell, and what is asked of it again would refuse
            workspace = replace(workspace, settings=replace(workspace.settings, older_checkout=True))
        guarded = _guarded(state, options, on_plan)
        applied = _once_free(workspace, _consent(options, looked), options, progress, guarded)
    except DefendctlError as error:
        _name_ways(error, looked, pipeline, environment)
        return AppliedIn(environment, error.exit_code, error=error, looked=looked)
    return AppliedIn(environment, worst_exit(applied.result.exit_codes()), applied, looked=looked)


def _begun(workspace: Workspace) -> State:
    """Raises Precondition for no state at all: a pipeline cannot tell a first run from a loss."""
    snapshot = workspace.read_state()
    if snapshot.exists or workspace.settings.sandbox:
        return snapshot.state
    refuse_lost(workspace.store)
    by_hand = beginning(workspace.project.environment)
    raise Precondition(
        f"there is no state at {workspace.store.where}, and no pipeline begins one",
        f"if this is the first run, begin it by hand and commit its lineage: `{by_hand}`; "
        "if there was a state, restore it, for without it every workflow would be created a second time",
    )


def _consent(options: ApplyOptions, looked: Looked | None) -> Consent:
    if looked is None:
        return Consent(None, options.digest, options.serial)
    return Consent(reviews=looked.seen, tightening=options.tightening)


def _guarded(
    state: State, options: ApplyOptions, on_plan: Callable[[Review], None]
) -> Callable[[Review], None]:
    """Shows the plan; raises Precondition for many creates where nothing is known of any workflow."""

    def shown(review: Review) -> None:
        on_plan(review)
        creates = review.plan.summary()["create"]
        if creates > MOST_CREATES and not state.managed and options.digest is None:
            raise Precondition(
                f"{creates} workflows would be created, and the state knows of none: it may be another one",
                f"look at the plan; if it is meant, run this with --approve {consent(review.plan)}",
            )

    return shown


def _once_free(
    workspace: Workspace,
    agreed: Consent,
    options: ApplyOptions,
    progress: Progress,
    on_plan: Callable[[Review], None],
) -> Applied:
    """Waits for the lock of another run, if that was asked for. Raises what apply raises."""
    chosen = Selection(parallelism=options.parallelism)
    for _ in range(int(options.wait / _EACH)):
        try:
            return apply(workspace, chosen, agreed, progress, on_plan)
        except Locked:
            time.sleep(_EACH)
    return apply(workspace, chosen, agreed, progress, on_plan)


def _name_ways(
    error: DefendctlError, looked: Looked | None, pipeline: Pipeline, environment: str | None
) -> None:
    """The ways out, as a pipeline has them."""
    if not isinstance(error, NotReviewed):
        return
    if pipeline.forge.name == "none":
        error.message += "\n(--forge none: no forge tells what was reviewed)"
        error.hint = _without_forge(error.consent, environment)
        return
    error.message += f"\n({looked.in_words()})" if looked else ""
    error.hint = (
        "take back what nobody saw (an edit in the console, a push that no request brought) and run this "
        f"again; or look at this very plan, and run it with --approve {error.consent}"
    )


def _without_forge(digest: str, environment: str | None) -> str:
    """Reviews are plan files then, and `apply` reads them: `ci apply` takes none."""
    env = f" --env {shell_word(environment)}" if environment else ""
    return (
        f"look at this very plan, and run `ci apply` with --approve {digest}; or apply by plan files that "
        f"were looked at: `{command('apply')}{env} --reviewed FILE` (more than once); one that is missing "
        f"is saved by `{command('plan')}{env} --out FILE`"
    )


def _tell(workspace: Workspace, done: AppliedIn, pipeline: Pipeline) -> str | None:
    """Under the newest request that was merged. What was done is done, whether or not that can be told."""
    number = done.looked.newest if done.looked else None
    if number is None:
        return None
    opening = comment_marker(workspace, "applied")
    text = shorten(f"{opening}{outcome(done)}", COMMENT - FOOT, REST)
    try:
        return pipeline.tell("comment", lambda t: pipeline.forge.comment(opening, t, number), text)
    except ForgeError as error:
        pipeline.warn(f"the comment was not written: {error.message}")
        return None


def outcome(done: AppliedIn) -> str:
    """As Markdown, for a comment and a summary."""
    where = f" to {code(done.environment)}" if done.environment else ""
    if done.superseded:
        by = code(done.superseded.commit)
        return f"## Nothing applied{where}: superseded\n\n{by} was applied already, and holds this commit.\n"
    if done.error:
        hint = [done.error.hint] if done.error.hint else []
        said = block([*done.error.message.split("\n"), *hint])
        return f"## Not applied{where}\n\n{said}"
    if done.applied is None:
        return "## Each change was reviewed" + (
            f" in {code(done.environment)}\n" if done.environment else "\n"
        )
    counts = done.applied.result.summary()
    told = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in counts.items() if n) or "nothing to do"
    failed = [f"{r.address}: {r.error}" for r in done.applied.result.results if r.error]
    return f"## Applied{where}: {told}\n" + (f"\n{block(failed)}" if failed else "")


def check_each(
    workspaces: Sequence[Workspace], pipeline: Pipeline, progress: Progress, *, refresh: bool
) -> Iterator[AppliedIn]:
    """The same comparison, and nothing applied. Each environment is looked at, whatever the others are."""
    for workspace in workspaces:
        environment, looked = workspace.project.environment, None
        try:
            state = workspace.read_state().state
            looked = look(workspace, state, pipeline)
            review = plan(workspace, Selection(refresh=refresh), progress)
            refuse_unreviewed(review, looked.seen, state)
        except DefendctlError as error:
            _name_ways(error, looked, pipeline, environment)
            yield AppliedIn(environment, error.exit_code, error=error, looked=looked)
        else:
            yield AppliedIn(environment, Exit.OK, looked=looked)


def unreviewed_lines(done: AppliedIn) -> list[str]:
    """What is annotated: each change that nobody saw, or the one reason."""
    if isinstance(done.error, NotReviewed):
        return [one.text for one in done.error.found]
    return [done.error.message.split("\n")[0]] if done.error else []


def headline_of(done: AppliedIn) -> str:
    """One line for the log."""
    where = f"{done.environment}: " if done.environment else ""
    if done.superseded:
        return f"{where}superseded by {done.superseded.commit[:12]}, which holds this commit: nothing is done"
    if done.error:
        return f"{where}not applied"
    return f"{where}each change was reviewed" if done.applied is None else f"{where}{_count(done.applied)}"


def _count(applied: Applied) -> str:
    done = applied.result.summary()["done"]
    return f"{count(done, 'change')} applied" if done else "nothing to do"
