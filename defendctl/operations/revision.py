"""The commit from which a run applies: what the state remembers of it, and whether it is older than that.

A checkout of yesterday, on a laptop or in a job that is run again, would put back what was changed since,
and make anew what was made since. git says how two commits are related; where it cannot, their times do.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from defendctl import git
from defendctl.diagnostics import Diagnostic, Precondition
from defendctl.model import Revision
from defendctl.project.files import has_ending, is_glob
from defendctl.state.owner import ci_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.manifest.desired import Desired
    from defendctl.model import State
    from defendctl.operations.workspace import Workspace
    from defendctl.project.project import Project

OLDER: Final = "older-checkout"
DIVERGED: Final = "diverged-checkout"
UNKNOWN: Final = "unknown-checkout"
WHOLE_HISTORY: Final = (
    "check out the whole history: `fetch-depth: 0` of actions/checkout, `GIT_DEPTH: 0` of GitLab"
)


def revision(workspace: Workspace, desired: Desired) -> Revision | None:
    """That of HEAD, if every file that the run read is tracked and as it is there; else nobody could say."""
    root = workspace.project.root
    if workspace.settings.sandbox or not git.is_work_tree(root):
        return None
    try:
        if git.untracked_or_changed(Path(file) for file in desired.sources):
            return None
        head = git.head(root)
    except git.NoAnswer:
        return None
    ref = os.environ.get("GITHUB_REF_NAME") or os.environ.get("CI_COMMIT_REF_NAME") or head.ref
    return Revision(head.commit, head.time, ref, ci_run(os.environ))


def refuse_older(workspace: Workspace, desired: Desired, state: State) -> None:
    """Raises Precondition where this checkout is older than the one last applied; warns if nobody knows."""
    found = check_checkout(workspace, desired, state)
    if found is None or (found.code == OLDER and workspace.settings.older_checkout):
        return
    if found.code == OLDER:
        raise Precondition(
            found.message, "check out the newest commit; --older-checkout applies this one all the same"
        )
    workspace.settings.warn(found.message)


def check_checkout(workspace: Workspace, desired: Desired, state: State) -> Diagnostic | None:
    """A warning where HEAD does not come after the commit that was last applied."""
    if workspace.settings.sandbox or state.attempted is None:
        return None
    code, message = _compared(workspace, desired, state.attempted) or (None, "")
    return Diagnostic("warning", code, message) if code else None


def _compared(workspace: Workspace, desired: Desired, last: Revision) -> tuple[str, str] | None:
    root = workspace.project.root
    try:
        head = git.head(root)
        if head.commit == last.commit:
            return None
        return _related(root, workspace, desired, head, last)
    except git.NoAnswer as error:
        return UNKNOWN, _untold(error.message, last)


def _related(
    root: Path, workspace: Workspace, desired: Desired, head: git.Head, last: Revision
) -> tuple[str, str] | None:
    known, shallow = git.knows(root, last.commit), git.is_shallow(root)
    if known and git.is_ancestor(root, last.commit, head.commit):
        return None
    if known and not _differs(root, workspace.project, desired, head, last):
        return None
    if known and git.is_ancestor(root, head.commit, last.commit):
        return OLDER, _older(head, last)
    if known and not shallow:
        return DIVERGED, _diverged(head, last)
    if head.time < last.time:
        return OLDER, _older(head, last)
    why = "this clone is shallow" if shallow else "this repository does not have that commit"
    return UNKNOWN, _untold(why, last)


def _differs(root: Path, project: Project, desired: Desired, head: git.Head, last: Revision) -> bool:
    """Whether something differs between the two commits that this run reads, or would have read there."""
    folders = [os.path.realpath(folder) + os.sep for folder in _folders(project)]
    for path in git.changed_between(root, last.commit, head.commit):
        real = os.path.realpath(path)
        listed = has_ending(real) and real.startswith(tuple(folders))
        if real in desired.sources or listed:
            return True
    return False


def _folders(project: Project) -> Iterator[Path]:
    """Those in which the entries of the project file look for files."""
    for entry in (*project.manifests, *project.overlays, *project.tests, *project.labels, *project.includes):
        parts = Path(entry).parts
        plain = next((i for i, part in enumerate(parts) if is_glob(part)), len(parts))
        yield project.root.joinpath(*parts[:plain])


def _older(head: git.Head, last: Revision) -> str:
    return f"this checkout ({head.commit[:12]}) is older than the one last applied, {_told(last)}"


def _diverged(head: git.Head, last: Revision) -> str:
    return (
        f"this checkout ({head.commit[:12]}) and the one last applied have diverged, {_told(last)}: "
        "what was applied there may be taken back here"
    )


def _untold(why: str, last: Revision) -> str:
    return f"nobody can say whether this checkout is older than the one last applied ({why}); {WHOLE_HISTORY}"


def _told(last: Revision) -> str:
    when = datetime.fromtimestamp(last.time, UTC).strftime("%Y-%m-%d %H:%M UTC")
    ref = f" on {last.ref}" if last.ref else ""
    run = f", by {last.run}" if last.run else ""
    return f"{last.commit[:12]}{ref} of {when}{run}"
