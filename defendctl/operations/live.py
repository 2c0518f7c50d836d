"""Read what is live, and refuse to plan where nothing answers."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from defendctl.command import command
from defendctl.diagnostics import ApiError, Diagnostic
from defendctl.engine.generation import disagreement, evidence, generation
from defendctl.model import Observed
from defendctl.plan.identity import another_id

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from defendctl.api.client import DefendApi
    from defendctl.model import State
    from defendctl.operations.progress import Progress
    from defendctl.operations.selection import Selection
    from defendctl.operations.workspace import Workspace
    from defendctl.plan.build import Live


@dataclass(frozen=True, slots=True)
class Reading:
    """What is live of the addresses in scope, and what the answers tell of the API."""

    live: Live = field(default_factory=dict)
    generation: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()


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


def unread(workspace: Workspace, ids: Mapping[str, str], state: State) -> Reading:
    """As if every answer held nothing: then a plan compares with what was last applied."""
    live: Live = {address: Observed(workflow_id, {}) for address, workflow_id in ids.items()}
    return Reading(live, generation(workspace.project.generation, set(), state.generation))


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
