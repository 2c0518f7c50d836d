"""init: a project that plans, in one command. What exists is named and left alone."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from defendctl.command import command
from defendctl.diagnostics import errors
from defendctl.durable import FOLDER, make_folder, write_whole
from defendctl.operations.beginning import (
    pin,
    refuse_forgotten,
    refuse_lost,
    refuse_missing,
    refuse_second,
)
from defendctl.operations.unclaimed import find_unclaimed, refuse_unclaimed
from defendctl.operations.workspace import open_workspace
from defendctl.project.files import holds_manifests
from defendctl.project.project import FILE_NAME, Project
from defendctl.schema.editor import manifest_schema, to_text
from defendctl.state.open import open_local

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from defendctl.operations.workspace import Settings, Workspace

STATE: Final = "defendctl.state.json"
IGNORED: Final = (f"{FOLDER}/", ".defendctl-*.tmp")
AS_IT_IS: Final = ("*.state.json -text -merge", "*.state.json.journal -text -merge")
"""git is to change no line end in them, and to write no marks of a conflict."""

PROJECT: Final = """\
# What defendctl does with this repository. Every key but `version` has a default.
version: 1

# Files, folders (read recursively) or globs that hold the workflows.
manifests: [workflows]

api:
  # The key comes from the environment variable DEEPRAILS_API_KEY, never from a file.
  base_url: https://api.deeprails.com
  # Which form of the API is written: auto, or pinned to one of
  # 2025-10-07, 2025-10-22, 2025-11-10, 2025-12-07.
  generation: auto

state:
  # Which workflow id belongs to which address. Commit it: it holds no secret.
  path: {state}
  # With this line a missing state is an error, and never taken for an empty one.
  lineage: {lineage}

# Names of your organization's own guardrail metrics, if it has any.
custom_metrics: []
"""

MANIFEST: Final = """\
# yaml-language-server: $schema=../schemas/manifest.schema.json
version: 1
workflows:
  support-bot:                      # the address: how everything here calls this workflow
    name: Support bot
    description: Answers billing questions
    type: custom                    # a threshold for each metric; `automatic` takes levels
    metrics:
      completeness: 0.8             # 0.0 to 1.0; an output that scores below it fails
      instruction_adherence: 0.75
    improvement_action: fixit       # fixit | regenerate | none
    max_retries: 5                  # improvement attempts before an output counts as failed
"""


@dataclass(slots=True)
class Initialized:
    """File names, relative to the root: what was written, and what was there and left."""

    root: Path
    written: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    anew: bool = False
    """Whether a project that was there has a new state."""

    def put(self, name: str, text: str) -> None:
        path = self.root / name
        if path.exists() or path.is_symlink():
            self.left.append(name)
            return
        make_folder(path.parent, self.root)
        write_whole(path, text.encode())
        self.written.append(name)


def init(root: Path, settings: Settings) -> Initialized:
    """Raises DefendctlError or OSError. The state goes first: a project file without one is an error.

    Raises Precondition where a state was lost, unless `settings.new_state` says that another begins.
    """
    done = Initialized(root)
    done.warnings += _below_another(root)
    if (root / FILE_NAME).exists():
        _existing_project(done, replace(settings, config=root / FILE_NAME))
    else:
        lineage = _state(done, settings)
        done.put(FILE_NAME, PROJECT.format(state=STATE, lineage=lineage))
    if holds_manifests(root / "workflows"):
        done.left.append("workflows")
    else:
        done.put("workflows/support-bot.yaml", MANIFEST)
    done.put("schemas/manifest.schema.json", to_text(manifest_schema()))
    _add_lines(done, ".gitignore", IGNORED)
    _add_lines(done, ".gitattributes", AS_IT_IS)
    return done


def _below_another(root: Path) -> Iterator[str]:
    """A project may lie in another one, but seldom is that meant."""
    above = next((file for folder in root.parents if (file := folder / FILE_NAME).is_file()), None)
    if above and not (root / FILE_NAME).exists():
        yield (
            f"{root} lies inside the project of {above}: commands that run here now read {root / FILE_NAME} "
            "and use a state of their own; if you did not mean that, remove what this run wrote"
        )


def init_environment(settings: Settings) -> Initialized:
    """Begin the state of the environment that is named, and pin its lineage. Raises as `init`."""
    workspace = open_workspace(settings)
    workspace.require_sound()
    done = Initialized(workspace.project.root)
    _begin(done, workspace)
    return done


def _state(done: Initialized, settings: Settings) -> str:
    """The empty state, or the lineage of the one that is there."""
    store = open_local(done.root / STATE, done.root / FOLDER, None)
    if not (store.read().exists or settings.new_state):
        refuse_lost(store)
        project = Project(done.root, None, done.root / STATE)
        refuse_unclaimed(find_unclaimed([project], project, None))
    with store.session(done.warnings.append) as session:
        (done.left if session.exists else done.written).append(STATE)
        if not session.exists:
            session.begin()
    return str(session.state.lineage)


def _existing_project(done: Initialized, settings: Settings) -> None:
    """Never an empty state beside a project that may have lost its own, unless that is said."""
    done.left.append(FILE_NAME)
    workspace = open_workspace(settings, choose=False)
    if errors(workspace.problems):
        return
    for one in workspace.environments:
        path = one.store.where
        if one.store.exists():
            done.left.append(_shown(one, done.root))
        elif one.project.environment is None and settings.new_state:
            _begin(done, one)
            done.anew = True
        elif one.project.environment is None:
            refuse_missing(one)
            done.warnings.append(f"there is no state at {path}; `{command('init --new-state')}` begins one")


def _shown(workspace: Workspace, root: Path) -> str:
    where = workspace.store.where
    return where if workspace.place else os.path.relpath(where, root)


def _begin(done: Initialized, workspace: Workspace) -> None:
    """Raises Precondition, Usage where the state holds something and --new-state is said."""
    name = _shown(workspace, done.root)
    if workspace.place:
        workspace.store.backend.probe()
    with workspace.store.session(workspace.settings.warn) as session:
        refuse_second(workspace, session)
        (done.left if session.exists else done.written).append(name)
        if not session.exists:
            if not workspace.settings.new_state:
                refuse_forgotten(workspace)
            session.begin()
        if workspace.settings.own_state and pin(workspace, str(session.state.lineage)):
            done.written.append(f"{FILE_NAME} (its lineage)")
            done.left = [name for name in done.left if name != FILE_NAME]


def _add_lines(done: Initialized, name: str, lines: Sequence[str]) -> None:
    path = done.root / name
    there = path.read_bytes() if path.exists() else b""
    with_ours = with_lines(there, lines)
    if with_ours == there:
        done.left.append(name)
        return
    write_whole(path, with_ours)
    done.written.append(name)


def with_lines(content: bytes, lines: Iterable[str]) -> bytes:
    """The content with those of the lines at its end that it lacks, byte for byte as it was but for them."""
    there = {line.strip() for line in content.splitlines()}
    missing = [line.encode() for line in lines if line.encode() not in there]
    end = b"\r\n" if b"\r\n" in content else b"\n"
    torn = end if missing and content and not content.endswith(b"\n") else b""
    return content + torn + b"".join(line + end for line in missing)
