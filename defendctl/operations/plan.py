"""plan and drift: what apply would do, and what was done behind our back. Both only read."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from defendctl.command import command
from defendctl.diagnostics import ApiError, DefendctlError, Diagnostic, Usage, suggest
from defendctl.engine.generation import disagreement, evidence, generation
from defendctl.manifest.words import quoted, shown
from defendctl.model import CANARY, Observed
from defendctl.operations.beginning import unpinned
from defendctl.operations.past import check_past, declared_elsewhere
from defendctl.operations.policy import judged
from defendctl.operations.replay import replayed
from defendctl.operations.revision import check_checkout
from defendctl.operations.selection import chosen_by_labels
from defendctl.operations.tested import with_tests
from defendctl.operations.uploads import with_uploads
from defendctl.operations.workspace import warn_unresolved
from defendctl.plan.build import World, build_plan, to_read, unknown_outcome
from defendctl.plan.changes import Options
from defendctl.plan.identity import another_id
from defendctl.plan.past import settle
from defendctl.policy.changes import to_replay

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from defendctl.api.client import DefendApi
    from defendctl.manifest.resolve import Desired
    from defendctl.model import State, Support
    from defendctl.operations.workspace import Workspace
    from defendctl.plan.build import Live
    from defendctl.plan.changes import Plan
    from defendctl.plan.drift import Drifted
    from defendctl.state.lock import Owner
    from defendctl.state.store import Snapshot


@dataclass(frozen=True, slots=True)
class Selection:
    """What the command line chose."""

    files: tuple[Path, ...] = ()
    target: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    selector: tuple[str, ...] = ()
    """Labels that a workflow must have; what is not declared has none."""
    reassert: tuple[str, ...] = ()
    """Fields that are written where nobody knows what they are."""
    parallelism: int = 10
    refresh: bool = True
    """Whether what is live is read; else what was last applied stands in for it."""
    replay: int | None = None
    """How many events of each workflow a plan reads; None for none."""
    tests: Path | None = None
    """A file of recorded results that is shown beside the plan."""

    @property
    def is_partial(self) -> bool:
        """Whether it leaves something out, or in, that a plain run would not."""
        return bool(self.files or self.target or self.replace or self.selector or self.reassert)

    @property
    def options(self) -> Options:
        chosen = (self.target, self.replace, self.selector, self.reassert)
        return Options(*(tuple(sorted(set(each))) for each in chosen))


@dataclass(frozen=True, slots=True)
class Progress:
    """Told while a run goes on; silent by default."""

    start: Callable[[str, int], None] = lambda what, total: None
    step: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Reading:
    """What is live of the addresses in scope, and what the answers tell of the API."""

    live: Live = field(default_factory=dict)
    generation: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()


def plan(workspace: Workspace, chosen: Selection, progress: Progress) -> Plan:
    """Raises DefendctlError; writes nothing and sends nothing but GET."""
    if chosen.replay and not chosen.refresh:
        raise Usage("--replay reads events, and --no-refresh reads nothing: leave one of them out")
    desired = workspace.desired(chosen.files or None, for_changes=True)
    runner = workspace.store.running()
    snapshot = workspace.read_state()
    runner = runner or workspace.store.running()
    workspace.check_host(snapshot.state)
    under_way = _under_way(snapshot) if runner else set()
    made, _ = make_plan(workspace, desired, snapshot.state, chosen, progress, under_way=under_way)
    made = with_tests(made, chosen.tests) if chosen.tests else made
    found = [*_of_the_state(workspace, snapshot, runner), *_of_the_checkout(workspace, desired, snapshot)]
    return replace(made, diagnostics=(*found, *made.diagnostics))


def _under_way(snapshot: Snapshot) -> set[str]:
    """Creates that the run which goes on has begun, and has heard nothing of yet."""
    begun = snapshot.state.unresolved
    return {a for a, intent in begun.items() if a not in snapshot.bare.unresolved and not intent.why}


def _of_the_checkout(workspace: Workspace, desired: Desired, snapshot: Snapshot) -> list[Diagnostic]:
    project = workspace.project
    found = [check_checkout(workspace, desired, snapshot.state)]
    if snapshot.exists and project.file and not workspace.settings.sandbox:
        found.append(unpinned(project, shown(project.file, workspace.cwd)))
    return [one for one in found if one]


def _of_the_state(workspace: Workspace, snapshot: Snapshot, runner: Owner | None) -> list[Diagnostic]:
    """What is odd about the state, and does not keep anybody from reading it."""
    if runner:
        message = f"a run is under way ({runner}): what it has not finished yet may be planned here too"
        return [Diagnostic("warning", "run-under-way", message)]
    found = []
    rollback = workspace.store.rollback(snapshot.bare)
    if rollback:
        message = f"{rollback.message}; {rollback.hint}"
        found.append(Diagnostic("warning", "older-state", message))
    if snapshot.leftover:
        message = (
            f"{workspace.store.journal_path.name} holds what a run recorded that was cut short or goes on: "
            "it belongs to the state, so keep both; the next apply makes them one"
        )
        found.append(Diagnostic("warning", "journal", message))
    return found


def make_plan(
    workspace: Workspace,
    desired: Desired,
    state: State,
    chosen: Selection,
    progress: Progress,
    api: DefendApi | None = None,
    under_way: Collection[str] = (),
) -> tuple[Plan, Support]:
    """Read what is live, build the plan and have the policy judge it.

    Without `api`, one is opened if there is anything to read.
    """
    from defendctl.api.dialects import DIALECTS

    desired = with_uploads(desired, state)
    elsewhere = declared_elsewhere(workspace, desired, state, chosen.files)
    past = settle(desired.renamed, desired.imports, desired.workflows, state, elsewhere)
    state = past.state
    scope = in_scope(desired, state, chosen)
    moves = tuple(move for move in past.moves if move.new in scope)
    check_past(workspace, chosen, past, moves)
    ids = to_read(desired.workflows, state, scope, past)
    if chosen.refresh:
        reading = read_live(workspace, ids, state, chosen.parallelism, progress, api)
        refuse_if_all_missing(reading.live, state, chosen, scope - desired.workflows.keys())
    else:
        reading = _unread(workspace, ids, state)
    support = DIALECTS[reading.generation].support
    world = World(
        desired.workflows,
        reading.live,
        state,
        support,
        workspace.host(),
        scope,
        chosen.options,
        moves,
        past.taken,
        past.held,
        desired.files,
        under_way,
    )
    made = build_plan(world)
    canary = _of_the_canary(state, under_way)
    found = (*desired.diagnostics, *reading.diagnostics, *made.diagnostics, *canary)
    made = replace(
        made,
        diagnostics=found,
        refreshed=chosen.refresh,
        places=desired.places,
        environment=workspace.project.environment,
    )
    made = _with_events(workspace, made, desired, chosen, progress)
    whole = not (chosen.files or chosen.target or chosen.selector)
    return judged(made, desired, workspace.settings.today, whole=whole), support


def _of_the_canary(state: State, under_way: Collection[str]) -> list[Diagnostic]:
    """No plan has it among its changes, and nobody else would say that there may be one more workflow."""
    intent = state.unresolved.get(CANARY)
    if intent is None or CANARY in under_way:
        return []
    return [Diagnostic("warning", "unknown-canary", f"{CANARY}: {unknown_outcome(CANARY, intent)}")]


def _with_events(
    workspace: Workspace, made: Plan, desired: Desired, chosen: Selection, progress: Progress
) -> Plan:
    """Replayed, because that was asked for or because a rule of the policy bounds the effect. What is asked
    for is shown; a rule is judged on the policy's own sample, whatever else is shown."""
    bounded = to_replay(desired.policy.rules, made, desired.labels)
    if not (chosen.replay or bounded):
        return made
    sample = desired.policy.sample
    shown = replace(sample, last=chosen.replay) if chosen.replay else sample
    return replayed(workspace, made, shown, sample if bounded else shown, chosen.parallelism, progress)


def drift(workspace: Workspace, chosen: Selection, progress: Progress) -> list[Drifted]:
    """What was edited behind our back, of everything bound (or, with -f, of what these files declare)."""
    from defendctl.plan.drift import build_drift

    desired = workspace.desired(chosen.files or None)
    state = workspace.read_state().state
    workspace.check_host(state)
    elsewhere = declared_elsewhere(workspace, desired, state, chosen.files)
    state = settle(desired.renamed, {}, desired.workflows, state, elsewhere).state
    inside = set(desired.workflows) if chosen.files else None
    if chosen.selector:
        inside = chosen_by_labels(desired, chosen.selector)
        warn_unresolved(workspace, state.unresolved.keys() & inside)
    else:
        warn_unresolved(workspace, state.unresolved)
    ids = {
        address: binding.workflow_id
        for address, binding in sorted(state.managed.items())
        if inside is None or address in inside
    }
    reading = read_live(workspace, ids, state, chosen.parallelism, progress)
    refuse_if_all_missing(reading.live, state, chosen)
    for diagnostic in reading.diagnostics:
        workspace.settings.warn(diagnostic.message)
    return build_drift(with_uploads(desired, state).workflows, reading.live, state.bindings)


def read_live(
    workspace: Workspace,
    ids: Mapping[str, str],
    state: State,
    parallelism: int,
    progress: Progress,
    api: DefendApi | None = None,
) -> Reading:
    """GET each id. With nothing to read, neither key nor network is needed."""
    pinned = workspace.project.generation
    if not ids:
        return Reading({}, generation(pinned, set(), state.generation))
    from defendctl.engine.refresh import refresh

    with nullcontext(api) if api else workspace.api() as remote:
        progress.start("Reading", len(ids))
        live = refresh(remote, ids, parallelism, progress.step)
    seen = evidence(live.values())
    found = (*disagreement(pinned, seen), *_strange_ids(ids, live, state))
    return Reading(live, generation(pinned, seen, state.generation), found)


def _unread(workspace: Workspace, ids: Mapping[str, str], state: State) -> Reading:
    """As if every answer held nothing: then a plan compares with what was last applied."""
    live: Live = {address: Observed(workflow_id, {}) for address, workflow_id in ids.items()}
    return Reading(live, generation(workspace.project.generation, set(), state.generation))


def in_scope(desired: Desired, state: State, chosen: Selection) -> set[str]:
    """The addresses of this run. Raises Usage for an unknown one, DefendctlError if nothing is declared."""
    declared = set(desired.workflows)
    known = (
        declared if chosen.files else declared | state.managed.keys() | (state.unresolved.keys() - {CANARY})
    )
    _check_named("--target", chosen.target, known)
    _check_named("--replace", chosen.replace, declared)
    named = _named(desired, chosen)
    if named is not None:
        outside = sorted(set(chosen.replace) - named)
        if outside:
            how = "--target names" if chosen.target else "-l selects"
            raise Usage(f"--replace {outside[0]} is outside of what {how}")
        return named
    if not declared and state.managed:
        raise DefendctlError(
            f"no workflow is declared, but {len(state.managed)} are bound: nobody means to retire them all",
            "check `manifests` in defendctl.yaml; to retire one, name it with --target ADDRESS",
        )
    return known


def _named(desired: Desired, chosen: Selection) -> set[str] | None:
    """The addresses that were chosen one by one or by their labels; None where all are meant."""
    if chosen.target and chosen.selector:
        raise Usage("--target and -l both say which workflows are meant: leave one of them out")
    if chosen.selector:
        return chosen_by_labels(desired, chosen.selector)
    return set(chosen.target) or None


def _check_named(option: str, named: Sequence[str], known: set[str]) -> None:
    for address in named:
        if address not in known:
            right = suggest(address, sorted(known)) or _some_of(sorted(known))
            name = quoted(address).strip("`")  # a saved plan may say it too
            raise Usage(f"{option} '{name}': there is no such address here.{right}")


def _some_of(known: list[str]) -> str:
    more = ", ..." if len(known) > 5 else ""
    return f" There are: {', '.join(known[:5])}{more}" if known else " None is declared."


def refuse_if_all_missing(live: Live, state: State, chosen: Selection, retired: Collection[str] = ()) -> None:
    """Every id that was read unknown to the API: that is the wrong key or host, not so many deletions.

    One alone tells nothing, unless nothing else stays bound; what is `retired` was not read.
    """
    read = live.keys() & state.bindings.keys()
    missing = {address for address in read if live[address] is None}
    telling = len(read) > 1 or read == state.managed.keys() - set(retired)
    if missing and missing == read and telling and not missing <= set(chosen.replace):
        count = "the only bound id" if len(missing) == 1 else f"all {len(missing)} bound ids that were read"
        raise ApiError(
            f"the API answers 404 for {count}: is this the right key and the right host?",
            f"`{command('show ADDRESS')}` names the id; "
            "--replace ADDRESS makes a new one if it is really gone",
        )


def _strange_ids(ids: Mapping[str, str], live: Live, state: State) -> list[Diagnostic]:
    """An answer about another workflow: an error if that one is ours too."""
    found = []
    known = state.known_ids()
    for address, answer in live.items():
        if answer is None or answer.workflow_id == ids[address]:
            continue
        if answer.workflow_id in known:
            raise ApiError(f"{address}: the API answered for {known[answer.workflow_id]} instead")
        message = f"{address}: {another_id(ids[address], answer.workflow_id)}"
        found.append(Diagnostic("warning", "other-id", message))
    return found
