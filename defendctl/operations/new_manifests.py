"""New manifests on disk: whole under temporary names first, then under their own."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from defendctl.diagnostics import Usage
from defendctl.durable import draft, make_folder
from defendctl.project.files import has_ending, would_read
from defendctl.render.yaml import manifests
from defendctl.yamltext.source import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from defendctl.diagnostics import Span
    from defendctl.model import Fields
    from defendctl.operations.adopt import Undeclared
    from defendctl.operations.workspace import Workspace
    from defendctl.yamltext.report import Report


SCHEMA = Path("schemas") / "manifest.schema.json"


class Written:
    """`to` is a folder, for a file each; with the ending of a manifest it is the one file for all."""

    def __init__(self, workspace: Workspace, to: Path) -> None:
        """Raises Usage for a place that no manifest is read from."""
        self._workspace = workspace
        self._to = Path(os.path.normpath(workspace.cwd / to))
        self._single = has_ending(self._to.name)
        self._folder = self._to.parent if self._single else self._to
        if not any(
            would_read(workspace.project.root, entry, self._file("a")) for entry in _entries(workspace)
        ):
            raise Usage(
                f"--write {to}: nothing there is read, so the next plan would retire what is imported",
                f"choose a place under {', '.join(_entries(workspace))}, or add it to `manifests`",
            )

    def warn(self) -> None:
        """Of what is now declared elsewhere too."""
        project = self._workspace.project
        alone = any(would_read(project.root, entry, self._file("a")) for entry in project.overlays)
        if project.environment and not alone:
            self._workspace.settings.warn(
                f"{self._shown(self._to)} is read in every environment, so the next plan of another would "
                f"create these too; what the overlays of {project.environment} hold is not"
            )

    def check(self, found: Sequence[Undeclared], spans: Mapping[str, Span], report: Report) -> None:
        """Reports what is in the way."""
        if self._folder.exists() and not self._folder.is_dir():
            report.error(
                "in-the-way", f"{self._shown(self._folder)} is not a folder.", next(iter(spans.values()))
            )
            return
        seen = set()
        for one in found:
            file = self._file(one.address)
            if file not in seen and os.path.lexists(file):
                report.error("in-the-way", f"{self._shown(file)} exists already.", spans[one.address])
            seen.add(file)

    @contextmanager
    def ready(self, found: Sequence[Undeclared]) -> Iterator[Callable[[], list[Path]]]:
        """Everything is on disk when it yields; what it yields gives the files their names."""
        contents = self._contents(found)
        if contents:
            make_folder(self._folder, self._workspace.project.root)
        with draft(contents) as waiting:

            def move() -> list[Path]:
                for each in waiting:
                    each.put()
                return [each.path for each in waiting]

            yield move

    def _contents(self, found: Sequence[Undeclared]) -> dict[Path, bytes]:
        schema = self._workspace.project.root / SCHEMA
        line = Path(os.path.relpath(schema, self._folder)).as_posix() if schema.is_file() else None
        groups: dict[Path, list[tuple[str, Fields]]] = {}
        for one in sorted(found, key=lambda one: one.address):
            groups.setdefault(self._file(one.address), []).append((one.address, one.fields))
        return {file: manifests(entries, line).encode() for file, entries in groups.items()}

    def _file(self, address: str) -> Path:
        return self._to if self._single else self._to / f"{address}.yaml"

    def _shown(self, path: Path) -> str:
        return shown(path, self._workspace.cwd)


def _entries(workspace: Workspace) -> tuple[str, ...]:
    """An overlay may hold whole workflows, which are there in its environment alone."""
    return (*workspace.project.manifests, *workspace.project.overlays)
