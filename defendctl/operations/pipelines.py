"""init --ci: the files by which a forge runs this tool, and what a person has to set up there."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from defendctl import __version__, git
from defendctl.command import beginning, command
from defendctl.diagnostics import DefendctlError, Precondition, Usage
from defendctl.documentation import page_url
from defendctl.durable import make_folder, write_whole
from defendctl.operations.workspace import open_workspace
from defendctl.pipelines.actions import workflows
from defendctl.pipelines.jobs import gitlab_jobs
from defendctl.pipelines.mark import fate_of, marked
from defendctl.pipelines.wanted import PipelineFile, Pipelines, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from defendctl.operations.workspace import Settings, Workspace
    from defendctl.pipelines.wanted import JobsWanted

_BARE: Final = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_./-]*")
"""What needs quotes neither in YAML nor in a shell."""


def init_pipelines(settings: Settings, asked: JobsWanted, *, check: bool) -> Pipelines:
    """Write the files, or (`check`) only compare them. `asked` holds what the command line says.

    Where one file would be lost, none is written. Raises Precondition where a state is in a file, and
    DefendctlError where somebody changed what would be written over.
    """
    workspace = open_workspace(settings, choose=False)
    workspace.require_sound()
    root = workspace.project.root
    if workspace.project.file is None:
        hint = f"run `{command('init')}`"
        raise DefendctlError("there is no defendctl.yaml, which says what is applied", hint)
    top = _top(root)
    wanted = _of_project(workspace.environments, asked, root.relative_to(top).as_posix())
    said = _command(wanted)
    texts = workflows(wanted) if wanted.forge == "github" else gitlab_jobs(wanted)
    whole = {name: marked(said, text) for name, text in texts.items()}
    files = tuple(_fate(top, name, text) for name, text in whole.items())
    if not check:
        _refuse_foreign(files)
        files = tuple(_put(top, made, whole[made.name]) for made in files)
    steps = tuple(_steps(wanted, workspace.environments, top))
    return Pipelines(wanted.forge, said, files, steps)


def _top(root: Path) -> Path:
    """Of the repository; without one, the project's own folder."""
    try:
        return git.top_of(root.resolve()) if git.is_work_tree(root) else root
    except git.NoAnswer:
        return root


def _of_project(environments: Sequence[Workspace], asked: JobsWanted, below: str) -> JobsWanted:
    for value, what in ((below, "the folder of the project"), (asked.branch, "--branch")):
        if not _BARE.fullmatch(value):
            raise Usage(f"{what}: {value!r} holds characters that would need quotes in a job")
    _refuse_files(environments)
    return replace(
        asked,
        stages=tuple(Stage(one.project.environment, one.project.key_variable) for one in environments),
        folder="" if below == "." else below,
        in_git=any(one.project.place and one.project.place.scheme == "git" for one in environments),
    )


def _refuse_files(environments: Sequence[Workspace]) -> None:
    """A job's files are gone once it ends, and with them the ids of what it made."""
    local = [one.project.environment for one in environments if one.project.place is None]
    if local:
        which = f" of {' and '.join(filter(None, local))}" if local[0] else ""
        url = f"git+origin?key={local[0] or 'guardrails'}"
        move = (
            command("state migrate --to {} --env {}", url, local[0])
            if local[0]
            else command("state migrate --to {}", url)
        )
        raise Precondition(
            f"the state{which} is a file, and what a job writes into its checkout is lost when it ends",
            f"move it to where every job finds it: `{move}`; the other places: {page_url('state')}",
        )


def _command(wanted: JobsWanted) -> str:
    words = [
        f"defendctl init --ci {wanted.forge}",
        "--trusting" if wanted.trusting else "",
        "" if wanted.queue else "--no-queue",
        f"--pin {wanted.pin}" if wanted.pin else "",
        f"--branch {wanted.branch}" if wanted.branch != "main" else "",
    ]
    return " ".join(filter(None, words))


def _fate(top: Path, name: str, text: str) -> PipelineFile:
    path = top / name
    if path.is_symlink() or (path.exists() and not path.is_file()):
        return PipelineFile(name, "foreign")
    if not path.exists():
        return PipelineFile(name, "missing")
    return PipelineFile(name, fate_of(path.read_text(encoding="utf-8", errors="replace"), text))


def _refuse_foreign(files: Sequence[PipelineFile]) -> None:
    foreign = [made.name for made in files if made.fate == "foreign"]
    if foreign:
        raise DefendctlError(
            f"{', '.join(foreign)}: changed since it was written, or not of this command; nothing is written",
            "move it out of the way, run this again, and carry over what you changed",
        )


def _put(top: Path, made: PipelineFile, text: str) -> PipelineFile:
    if made.fate in ("equal", "kept"):
        return made
    path = top / made.name
    make_folder(path.parent, top)
    write_whole(path, text.encode())
    return replace(made, fate="written")


def _steps(wanted: JobsWanted, environments: Sequence[Workspace], top: Path) -> Iterator[str]:
    if not (wanted.pin or (top / wanted.lock).exists()):
        yield (
            f"Write {wanted.lock}, by which jobs install: echo 'defendctl=={__version__}' | "
            f"uv pip compile --universal --generate-hashes --output-file {wanted.lock} -"
        )
    for one in environments:
        if one.project.lineage is None:
            yield f"Begin the state once, and commit its lineage: {beginning(one.project.environment)}"
    yield from _on_github(wanted) if wanted.forge == "github" else _on_gitlab(wanted)


def _on_github(wanted: JobsWanted) -> Iterator[str]:
    held = ", ".join(f"{stage.job} with the secret {stage.key_variable}" for stage in wanted.stages)
    each = "each " if len(wanted.stages) > 1 else ""
    yield f"Settings > Environments (of GitHub): make {held}, {each}for the branch {wanted.branch} alone."
    if wanted.trusting:
        keys = ", ".join(wanted.keys)
        yield f"Settings > Secrets > Actions: {keys}. Whoever may push a branch can have it printed."
    yield (
        f"Settings > Rules: for {wanted.branch} require a pull request and the check "
        f"`guardrails{wanted.dash} plan`; let owners review .github/, defendctl.yaml, policies and overlays."
    )


def _on_gitlab(wanted: JobsWanted) -> Iterator[str]:
    [name] = gitlab_jobs(wanted)
    yield f"Include it in .gitlab-ci.yml: include: [{{local: {name}}}]"
    if wanted.trusting:
        keys = ", ".join((*wanted.keys, "DEFENDCTL_GITLAB_TOKEN (of the project, Developer, scope api)"))
        yield f"Settings > CI/CD > Variables: {keys}. Whoever may push a branch can have them printed."
    else:
        held = ", ".join(f"{stage.key_variable} for {stage.job}" for stage in wanted.stages)
        yield f"Settings > CI/CD > Variables, masked, protected and of one environment each: {held}."
    if wanted.in_git:
        yield "Settings > CI/CD > Job token permissions: allow Git push requests to the repository."
    yield "Build > Pipeline schedules: one each morning, which looks for drift."
