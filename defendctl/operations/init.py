"""init: a project that plans, in one command. What exists is named and left alone."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from defendctl.diagnostics import errors
from defendctl.manifest.files import holds_manifests
from defendctl.manifest.project import FILE_NAME, load_project
from defendctl.manifest.schema import manifest_schema, to_text
from defendctl.state.store import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.model import State

STATE: Final = "defendctl.state.json"
IGNORED: Final = (".defendctl/", "*.state.json.*.tmp")

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

    def put(self, name: str, text: str) -> None:
        path = self.root / name
        if path.exists() or path.is_symlink():
            self.left.append(name)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.written.append(name)


def init(root: Path) -> Initialized:
    """Raises DefendctlError or OSError. The state goes first: a project file without one is an error."""
    done = Initialized(root)
    if (root / FILE_NAME).exists():
        _existing_project(done)
    else:
        lineage = _state(done)
        done.put(FILE_NAME, PROJECT.format(state=STATE, lineage=lineage))
    if holds_manifests(root / "workflows"):
        done.left.append("workflows")
    else:
        done.put("workflows/support-bot.yaml", MANIFEST)
    done.put("schemas/manifest.schema.json", to_text(manifest_schema()))
    _ignore(done)
    return done


def _state(done: Initialized) -> str:
    """The empty state, or the lineage of the one that is there."""
    store = LocalStore(done.root / STATE, done.root / ".defendctl", None)
    snapshot = store.read()
    if snapshot.exists:
        done.left.append(STATE)
        return str(snapshot.state.lineage)
    with store.session(done.warnings.append) as session:
        session.edit(_nothing)
    done.written.append(STATE)
    return str(session.state.lineage)


def _nothing(state: State) -> None:
    state.lineage = str(uuid.uuid4())


def _existing_project(done: Initialized) -> None:
    """Never an empty state beside a project that may have lost its own."""
    done.left.append(FILE_NAME)
    project, problems = load_project(done.root / FILE_NAME, done.root)
    if errors(problems):
        return
    for path in (one.state_path for one in project.environments.values() or [project]):
        if path.exists():
            done.left.append(os.path.relpath(path, done.root))
        elif not project.environments:
            done.warnings.append(
                f"there is no state at {path}; it is not made anew beside a project that exists"
            )


def _ignore(done: Initialized) -> None:
    path = done.root / ".gitignore"
    there = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    missing = [line for line in IGNORED if line not in there]
    if not missing:
        done.left.append(".gitignore")
        return
    text = "\n".join([*there, *missing]) + "\n"
    path.write_text(text, encoding="utf-8")
    done.written.append(".gitignore")
