"""Renames and imports of a manifest, seen beside what else was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.diagnostics import DefendctlError, Usage

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from defendctl.manifest.resolve import Desired
    from defendctl.model import State
    from defendctl.operations.plan import Selection
    from defendctl.operations.workspace import Workspace
    from defendctl.plan.changes import Move
    from defendctl.plan.past import Past


def check_past(workspace: Workspace, chosen: Selection, past: Past, moves: tuple[Move, ...]) -> None:
    """Raises Usage or DefendctlError for what contradicts itself."""
    for address in chosen.replace:
        if address in past.taken:
            workflow_id = past.taken[address].binding.workflow_id
            raise Usage(
                f"--replace {address}: its manifest imports {workflow_id}, and a new one is asked for too",
                "take `import` out of the manifest, or leave --replace out",
            )
    if chosen.files and moves:
        _check_other_files(workspace, moves)


def declared_elsewhere(
    workspace: Workspace, desired: Desired, state: State, files: Sequence[Path]
) -> Collection[str]:
    """What is declared and no part of this run: a rename from it was not taken back."""
    if not (files and state.former):
        return desired.left_out
    from defendctl.manifest.resolve import resolve

    return {*resolve(workspace.project, None, workspace.cwd).spans, *desired.left_out}


def _check_other_files(workspace: Workspace, moves: tuple[Move, ...]) -> None:
    """With -f an old address may be declared in a file that is not read: its binding must stay there."""
    from defendctl.manifest.resolve import resolve

    others = resolve(workspace.project, None, workspace.cwd).spans
    taken = [f"{move.old} ({others[move.old].file})" for move in moves if move.old in others]
    if taken:
        raise DefendctlError(
            f"nothing can be renamed from what is still declared: {', '.join(taken)}",
            "take it out there, or take `renamed_from` out here",
        )
