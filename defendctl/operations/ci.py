"""What the `ci` commands share: the pipeline they run in, its environments, and what was reviewed."""

from __future__ import annotations

import stat
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from defendctl import git
from defendctl.ci.calls import NotTaken
from defendctl.ci.forge import NotAllowed, Title
from defendctl.ci.record import hashed
from defendctl.diagnostics import DefendctlError, Precondition, Usage
from defendctl.operations.reviewed import SeenPlan
from defendctl.operations.revision import DIVERGED, WHOLE_HISTORY, check_checkout
from defendctl.operations.workspace import in_environment
from defendctl.render.markdown.fit import COMMENT, shorten
from defendctl.render.markdown.markup import code, marker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from defendctl.ci.forge import Context, Forge, KeptRecord, Merged, Related
    from defendctl.manifest.desired import Desired
    from defendctl.model import Revision, State
    from defendctl.operations.workspace import Workspace

SHORTER: Final = 8_192
"""Bytes of a comment that a forge takes which refused the whole one."""
LONGEST_MARKER: Final = 256
REST: Final = "\n… the rest does not fit: it is in the summary of the run.\n"
FOOT: Final = 1_024
"""Bytes that a foot never has."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    forge: Forge
    context: Context
    warn: Callable[[str], None]

    def tell(self, what: str, send: Callable[[str], str | None], text: str) -> str | None:
        """Send it, and which commit and when; shorter where it is too long, not at all where that is not
        allowed. Returns its address.

        Raises ForgeError where nobody knows whether it arrived.
        """
        try:
            try:
                return send(text + foot(self.context))
            except NotTaken:
                return send(shorten(text, SHORTER, REST) + foot(self.context))
        except (NotAllowed, NotTaken) as error:
            self.warn(f"the {what} was not written: {error.message}")
            return None


def foot(context: Context) -> str:
    """The last line: of which commit this was said, when, and in which run."""
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    run = f", run {code(context.run)}" if context.run else ""
    return f"\nCommit {code(context.head or context.commit or 'unknown')}, {at}{run}\n"


def environments(workspace: Workspace, names: Sequence[str]) -> list[Workspace]:
    """Those that are named, in their order, or all. Raises Usage for one that there is not."""
    if names:
        return [in_environment(workspace, name) for name in names]
    return workspace.environments


def comment_marker(workspace: Workspace, kind: str = "ci") -> str:
    """By which a later run finds what this project wrote about this environment."""
    project = workspace.project
    return marker(kind, "-".join(part for part in (project.lineage, project.environment) if part))


def title(workspace: Workspace, head: str) -> Title:
    """Under which a record is kept; two projects of one repository have two."""
    project = workspace.project
    try:
        folder = quote(git.place_of(project.root)[1].rstrip(b"/"))
    except git.NoAnswer:
        folder = ""
    return Title(project.environment, head, folder)


def head_commit(workspace: Workspace, context: Context) -> str | None:
    """What is checked out: git says it, or else the forge."""
    try:
        return git.head(workspace.project.root).commit
    except git.NoAnswer:
        return context.commit


def with_commit(workspace: Workspace, context: Context) -> Context:
    """Where no forge tells of which commit this is, git does."""
    told = context.head or context.commit
    return context if told else replace(context, commit=head_commit(workspace, context))


def require_default_branch(pipeline: Pipeline) -> None:
    """Raises Precondition wherever else a workflow could be made to run."""
    context = pipeline.context
    if pipeline.forge.name == "none":
        return
    if context.is_request or context.fork:
        raise Precondition("nothing is applied from a pull or merge request", "merge it first")
    if context.branch is None or context.branch != context.default_branch:
        default = context.default_branch or "the default branch, which the forge does not name here"
        raise Precondition(
            f"nothing is applied from {context.branch or 'what is no branch'}",
            f"run this on {default}",
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """How the commit that is checked out is related to the one last applied."""

    superseded: Revision | None = None
    by_forge: bool = False
    """Whether only the forge could tell that it may be applied."""


def standing(
    workspace: Workspace, desired: Desired, state: State, pipeline: Pipeline, *, overridden: bool
) -> Standing:
    """Raises Precondition where the two have diverged or where nobody can tell, unless that is overridden."""
    found, last = check_checkout(workspace, desired, state), state.attempted
    head = head_commit(workspace, pipeline.context)
    if found is None or last is None:
        return Standing()
    related: Related = "diverged" if found.code == DIVERGED else _related(workspace, pipeline, last, head)
    if related == "ancestor":
        return Standing(superseded=last)
    if related in ("same", "descendant") or overridden:
        return Standing(by_forge=True)
    why = "have diverged" if related == "diverged" else "cannot be compared"
    raise Precondition(
        f"this checkout ({(head or 'unknown')[:12]}) and the commit last applied ({last.commit[:12]}) {why}",
        f"{WHOLE_HISTORY}; or look at the plan, and approve it by its digest",
    )


def _related(workspace: Workspace, pipeline: Pipeline, last: Revision, head: str | None) -> Related:
    root = workspace.project.root
    if head is None:
        return "unknown"
    try:
        if git.knows(root, last.commit) and git.is_ancestor(root, head, last.commit):
            return "ancestor"
    except git.NoAnswer:
        pass
    return pipeline.forge.compare(last.commit, head)


@dataclass(frozen=True, slots=True)
class Looked:
    """The requests in a range, and what was kept of those that were looked at."""

    merged: tuple[Merged, ...] = ()
    seen: tuple[SeenPlan, ...] = ()
    without: tuple[int, ...] = ()
    """Requests of which no review counts."""

    @property
    def newest(self) -> int | None:
        return self.merged[-1].number if self.merged else None

    def in_words(self) -> str:
        if not self.merged:
            return "no pull or merge request brought this commit"
        numbers = ", ".join(f"#{number}" for number in self.without)
        return (
            f"no review counts of {numbers}" if numbers else "each request was reviewed, and none shows this"
        )


def look(workspace: Workspace, state: State, pipeline: Pipeline, *, approved: bool = False) -> Looked:
    """What was reviewed of all that came since the last whole apply. Raises ForgeError, RangeTooLong."""
    head = head_commit(workspace, pipeline.context)
    if head is None:
        return Looked()
    first = state.completed.commit if state.completed else None
    merged = tuple(pipeline.forge.range(first, head))
    name, host = title(workspace, head), hashed(workspace.host())
    kept: dict[int, SeenPlan] = {}
    for one in merged:
        found = pipeline.forge.reviews(one, replace(name, head=one.head))
        if found is None or (found.record.lineage, found.record.host) != (state.lineage, host):
            continue
        if approved and not pipeline.forge.approved_after(one, found.at):
            continue
        kept[one.number] = _seen(found)
    without = tuple(one.number for one in merged if one.number not in kept)
    return Looked(merged, tuple(kept.values()), without)


def _seen(kept: KeptRecord) -> SeenPlan:
    record = kept.record
    prints = record.fingerprints
    return SeenPlan(record.serial, frozenset(prints or ()), record.digest if prints is None else None)


def read_comment(path: Path) -> str:
    """Raises DefendctlError for what is no text of bounded size."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # before opening: a pipe would hang
            raise DefendctlError(f"{path} is not a regular file")
        with path.open("rb") as file:
            text = file.read(COMMENT + 1).decode()
    except OSError as error:
        raise DefendctlError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DefendctlError(f"{path} is not UTF-8") from None
    if len(text) > COMMENT - LONGEST_MARKER:
        raise DefendctlError(f"{path} is longer than a comment may be")
    return text


def write_comment(pipeline: Pipeline, name: str, text: str) -> str | None:
    """Raises DefendctlError where there is nothing to write it under."""
    opening = marker("comment", name)
    if opening != f"<!-- defendctl:comment {name} -->\n":
        raise Usage("--marker takes letters, digits and single dashes, as it stands in a hidden line")
    if pipeline.context.number is None:
        raise DefendctlError("there is no pull or merge request that this run is for")
    return pipeline.forge.comment(opening, opening + text, pipeline.context.number)
