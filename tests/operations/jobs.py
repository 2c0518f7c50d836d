"""Commands that write files of the project, each with the project just before it."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.conftest import Project, custom

if TYPE_CHECKING:
    from collections.abc import Callable

MANIFEST = """\
# ours
version: 1
workflows:
  {address}:
    metrics: {{completeness: 0.80}}  # kept
    type: custom
    improvement_action: fixit
"""
_DRAWN = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_UNLIKE = re.compile(r"state\.json|\.defendctl/|\.lock")
"""The state has harnesses of its own."""


def prepare_init(project: Project) -> None:
    shutil.rmtree(project.root / "workflows")
    (project.root / ".gitignore").write_bytes("# caf\u00e9\r\n*.log".encode("latin-1"))


def prepare_plan(project: Project) -> None:
    project.settings()
    project.declare({"a": custom()})
    project.ok("plan", "--out", "p.json", "--report", "markdown:p.md", "--report", "github:p.txt")
    project.declare({"a": custom(), "b": custom()})


def prepare_schema(project: Project) -> None:
    project.settings()
    (project.root / "schema.json").write_text("")


def prepare_fmt(project: Project) -> None:
    project.settings()
    for name in ("a", "b", "deep/c", "deep/d"):
        path = project.root / "workflows" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(MANIFEST.format(address=path.stem))


def prepare_drift(project: Project) -> None:
    prepare_fmt(project)
    project.ok("apply", "--yes")
    for address in "abcd":
        project.server.edit(project.bound(address), description="by hand", metrics={"completeness": 0.7})


def prepare_import(project: Project) -> None:
    project.ok("init")
    ids = {name: project.server.add(name=name, threshold_type="custom") for name in "abc"}
    (project.root / "ids.json").write_text(json.dumps(ids))


@dataclass(frozen=True)
class Job:
    prepare: Callable[[Project], None]
    command: tuple[str, ...]
    code: int = 0


REPORTS = ("--report", "markdown:p.md", "--report", "github:p.txt")
JOBS = {
    "init": Job(prepare_init, ("init",)),
    "plan --out": Job(prepare_plan, ("plan", "--out", "p.json", *REPORTS)),
    "schema --output": Job(prepare_schema, ("schema", "plan", "--output", "schema.json")),
    "fmt": Job(prepare_fmt, ("fmt",)),
    "drift --write": Job(prepare_drift, ("drift", "--write")),
    "import --write": Job(prepare_import, ("import", "--from", "ids.json", "--write", "workflows")),
}


def content(project: Project) -> dict[str, bytes]:
    """All but what is the state's; what is drawn anew each time is alike."""
    return {k: _DRAWN.sub(b"drawn", v) for k, v in project.files().items() if not _UNLIKE.search(k)}


def litter(project: Project) -> list[str]:
    """Copies of the state go their own way: the next session sweeps their folder."""
    every = [name for name in project.files() if name.endswith((".tmp", ".journal"))]
    return [name for name in every if not name.startswith(".defendctl/backups")]
