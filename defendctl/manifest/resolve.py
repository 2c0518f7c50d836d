"""A project and its manifests → what is desired."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from defendctl.diagnostics import Diagnostic, Span, in_order
from defendctl.manifest.files import Refused, expand, files_under, is_glob
from defendctl.manifest.lint import lint, same_names
from defendctl.manifest.loader import load
from defendctl.manifest.project import DEFAULT_MANIFESTS, Project
from defendctl.manifest.report import Report
from defendctl.manifest.words import short, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from defendctl.manifest.loader import Document
    from defendctl.manifest.validate import Declared
    from defendctl.model import Workflow


@dataclass(frozen=True, slots=True)
class Desired:
    """What the manifests say, sorted by address. Do not use it while `diagnostics` holds an error."""

    workflows: dict[str, Workflow] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    lints: list[Diagnostic] = field(default_factory=list)
    """What is allowed and seldom meant; only where it was asked for."""


def resolve(project: Project, paths: Sequence[Path] | None, cwd: Path, *, linted: bool = False) -> Desired:
    """The configured manifests, or exactly `paths`. Every problem of every file is in the diagnostics."""
    run = _Run(project, cwd.absolute(), linted)
    files = dict.fromkeys(run.configured() if paths is None else run.given(paths))
    declared = [one for file in run.unique(files) for one in run.declared(file)]
    kept = sorted(run.once(declared).items())
    if linted:
        run.lints += same_names(one for _, one in kept)
    return Desired(
        workflows={address: one.workflow for address, one in kept if one.workflow},
        spans={address: one.span for address, one in kept},
        diagnostics=in_order(dict.fromkeys(run.diagnostics)),
        lints=run.lints,
    )


class _Run:
    """One reading of the manifests; gathers what is wrong."""

    def __init__(self, project: Project, cwd: Path, linted: bool) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.lints: list[Diagnostic] = []
        self._linted = linted
        self._project = project
        self._cwd = cwd
        self._project_file = os.path.realpath(project.file) if project.file else None

    def _error(self, code: str, message: str, span: Span) -> None:
        self.diagnostics.append(Diagnostic("error", code, message, span))

    def _shown(self, path: Path) -> str:
        return shown(path, self._cwd)

    def given(self, paths: Sequence[Path]) -> Iterator[Path]:
        """The files of the paths that a user named."""
        for path in paths:
            start = self._cwd / path
            if os.path.lexists(start):
                yield from self._read(start, None)
            else:
                self._error("not-found", "There is no such file or folder.", Span(self._shown(start)))

    def configured(self) -> Iterator[Path]:
        """The files of the entries in the project file, or of the default folder."""
        root = self._project.root
        if self._project.file is None and not (root / DEFAULT_MANIFESTS[0]).exists():
            message = "There is no defendctl.yaml and no folder `workflows` here: run `defendctl init`."
            self._error("not-found", message, Span(self._shown(root)))
            return
        for index, entry in enumerate(self._project.manifests):
            yield from self._entry(entry, self._entry_span(index, entry))

    def _entry_span(self, index: int, entry: str) -> Span:
        spans = self._project.spans
        return spans[index] if index < len(spans) else Span(self._shown(self._project.root / entry))

    def _entry(self, entry: str, span: Span) -> Iterator[Path]:
        root, start = self._project.root, self._project.root / entry
        inside = os.path.realpath(root) if _is_below(start, root) else None
        if is_glob(entry) and not os.path.lexists(start):
            matches = expand(root, entry, inside)
            if not matches:
                self._error("not-found", f"No manifest matches `{short(entry)}`.", span)
            for match in matches:
                yield from (file for file in self._read(match, inside) if not self._is_project_file(file))
        elif os.path.lexists(start):
            yield from self._read(start, inside)
        else:
            self._error("not-found", f"There is no file or folder `{short(entry)}`.", span)

    def _read(self, start: Path, inside: str | None) -> Iterator[Path]:
        is_folder = start.is_dir()
        for path in files_under(start, inside):
            if isinstance(path, Refused):
                self._error(path.code, path.message, Span(self._shown(path.path)))
            elif not (is_folder and self._is_project_file(path)):
                yield path

    def _is_project_file(self, path: Path) -> bool:
        return self._project_file is not None and os.path.realpath(path) == self._project_file

    def unique(self, files: Iterator[Path] | dict[Path, None]) -> list[Path]:
        """Each file once, by the name that sorts first, in the order of names."""
        real = {os.path.realpath(path): path for path in sorted(files, reverse=True)}
        return sorted(real.values())

    def declared(self, file: Path) -> Iterator[Declared]:
        from defendctl.manifest.validate import validate

        name = self._shown(file)
        documents, loaded = load(file, name)
        report = Report(name, loaded)
        with report.stopping():
            for document in documents:
                for one in validate(document, self._project.custom_metrics, report):
                    yield one
                    self._lint(document, one)
        self.diagnostics += [*loaded, *report.diagnostics]

    def _lint(self, document: Document, one: Declared) -> None:
        if self._linted:
            self.lints += lint(document, one)

    def once(self, declared: list[Declared]) -> dict[str, Declared]:
        """The first of each address; an error where it stands again."""
        kept: dict[str, Declared] = {}
        report = Report(declared[0].span.file if declared else "")
        with report.stopping():
            for one in declared:
                first = kept.setdefault(one.address, one)
                if first is not one:
                    place = f"{first.span.file}:{first.span.line}"
                    message = f"The address `{short(one.address)}` is declared already, in {place}."
                    report.error("duplicate-address", message, one.span)
        self.diagnostics += report.diagnostics
        return kept


def _is_below(path: Path, folder: Path) -> bool:
    """By name, before links are followed."""
    below = os.path.normpath(path) + os.sep
    return below.startswith(os.path.normpath(folder).rstrip(os.sep) + os.sep)
