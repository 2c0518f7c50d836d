"""ci keep-state: the files of a state, committed and pushed to the branch that keeps them.

The last resort, for a state that can be nowhere else. Before an apply an empty commit shows that the branch
takes pushes; after it the files go on top of what was pushed meanwhile, unless another run wrote them too.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from defendctl import git
from defendctl.command import command
from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.git.branch import blob_at, commit_with, fetch_tip, push_to
from defendctl.operations.transfer import state_paths
from defendctl.operations.workspace import in_none

if TYPE_CHECKING:
    from defendctl.operations.workspace import Workspace

_TRIES: Final = 5
_BEGIN: Final = "An apply begins (defendctl)"
_KEEP: Final = "State of the guardrails (defendctl)"


def keep_state(workspace: Workspace, branch: str, *, begin: bool) -> str:
    """Says what was done. Raises Precondition where the branch does not take it or holds another state."""
    root, files = workspace.project.root, _files(workspace)
    try:
        for _ in range(_TRIES):
            tip = fetch_tip(root, branch)
            _refuse_another(workspace, files, tip, branch)
            made = commit_with(root, tip, [] if begin else files, _BEGIN if begin else _KEEP)
            if made is None:
                return f"{branch} has the state already"
            said = push_to(root, made, branch)
            if not said.code:
                return f"{branch} takes pushes" if begin else f"{branch} has the state now ({made[:12]})"
    except git.NoAnswer as error:
        raise DefendctlError(f"git: {error.message}", _kept(files, begin=begin)) from error
    raise Precondition(f"{branch} does not take this push: {said.reason}", _kept(files, begin=begin))


def _files(workspace: Workspace) -> list[str]:
    """From the top of the repository. Raises DefendctlError where the state is no file."""
    paths = state_paths(in_none(workspace))
    if not paths:
        raise DefendctlError("the state is not in a file: nothing is to be committed")
    top = git.top_of(workspace.project.root)
    return [os.path.relpath(os.path.realpath(workspace.cwd / path), top) for path in paths]


def _refuse_another(workspace: Workspace, files: list[str], tip: str, branch: str) -> None:
    """Raises Precondition where the branch holds another state than this run began with."""
    root = workspace.project.root
    for file in files:
        there = blob_at(root, tip, file)
        if there not in (blob_at(root, "HEAD", file), _here(workspace, file)):
            raise Precondition(
                f"{file} on {branch} was written by another run since this one checked it out",
                "keep the files of this run as an artefact, and in a new checkout bind what it created: "
                f"`{command('import ADDRESS WORKFLOW_ID')}`",
            )


def _here(workspace: Workspace, file: str) -> bytes | None:
    path = git.top_of(workspace.project.root) / file
    return path.read_bytes() if path.exists() else None


def _kept(files: list[str], *, begin: bool) -> str:
    if begin:
        return "nothing was applied; let this job push to that branch, or keep the state elsewhere"
    return f"keep these files as an artefact, for they hold ids that nothing else knows: {', '.join(files)}"
