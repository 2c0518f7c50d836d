"""A project and its manifests → what is desired."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING

from defendctl.command import command
from defendctl.diagnostics import Diagnostic, Span, in_order
from defendctl.manifest.contents import Contents
from defendctl.manifest.desired import Desired
from defendctl.manifest.lint import lint, same_names
from defendctl.manifest.overlays import Overlays
from defendctl.manifest.places import Places
from defendctl.manifest.renames import across
from defendctl.manifest.suites import suite_files
from defendctl.project.entries import Entries, holds_only, unique
from defendctl.project.policies import Policies
from defendctl.project.project import DEFAULT_MANIFESTS, Project
from defendctl.schema.checks import known_metrics
from defendctl.yamltext.loader import load
from defendctl.yamltext.quote import quoted
from defendctl.yamltext.report import LIMIT, Report

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from defendctl.manifest.declared import Declared
    from defendctl.policy.findings import Waiver
    from defendctl.policy.rules import Policy
    from defendctl.yamltext.node import Document


def resolve(
    project: Project,
    paths: Sequence[Path] | None,
    cwd: Path,
    today: datetime.date | None = None,
    *,
    linted: bool = False,
    keep: bool = False,
) -> Desired:
    """The configured manifests, or exactly `paths`. Every problem of every file is in the diagnostics.

    With `today`, a waiver that has expired is one of them. With `keep`, the documents are kept.
    """
    run = _Run(project, cwd.absolute(), today, linted, keep)
    if linted and paths is not None:
        paths = run.without_overlays(paths) or None
    files = run.files(paths)
    declared = [one for file in files for one in run.declared(file)]
    if paths is None:
        declared += run.only_in_overlays({one.address for one in declared})
    kept = sorted(run.once(declared).items())
    run.check_past(dict(kept))
    if linted:
        run.lints += same_names(one for _, one in kept)
    policy = run.policies.read()
    run.add_waivers()
    labels = {address: one.labels for address, one in kept if one.labels}
    run.check_idle(policy, labels, dict(kept) if paths is None else None)
    contents = Contents(project)
    workflows = {address: contents.in_place(one.workflow, one.files) for address, one in kept}
    return Desired(
        workflows={address: workflow for address, workflow in workflows.items() if workflow},
        spans={address: one.span for address, one in kept},
        diagnostics=in_order(dict.fromkeys([*run.diagnostics, *contents.diagnostics])),
        lints=run.lints,
        labels=labels,
        renamed={address: one.renamed_from for address, one in kept if one.renamed_from},
        imports={address: one.imports for address, one in kept if one.imports},
        waivers=tuple(run.waivers),
        policy=policy,
        places=Places({address: one.placed for address, one in kept}),
        documents=run.documents,
        files=contents.files,
        left_out=run.left_out,
        overlaid=run.overlaid,
        sources=run.sources(files, contents),
    )


def manifest_files(project: Project, paths: Sequence[Path] | None, cwd: Path) -> list[Path]:
    """What `resolve` reads as manifests."""
    return _Run(project, cwd.absolute(), None, False).files(paths)


def overlay_files(project: Project, cwd: Path) -> list[Path]:
    """What lies over the manifests in the environment of this project."""
    overlays = _overlays(project, cwd.absolute(), None)
    return overlays.files if overlays else []


class _Run:
    """One reading of the manifests; gathers what is wrong."""

    def __init__(
        self, project: Project, cwd: Path, today: datetime.date | None, linted: bool, keep: bool = False
    ) -> None:
        self.policies = Policies(project, cwd)
        self._overlays = _overlays(project, cwd, today)
        own = {os.path.realpath(project.file)} if project.file else set()
        overlays = self._overlays.real_files if self._overlays else set()
        self._others = own | overlays | self.policies.real_files | _tests(project, cwd)
        self._entries = Entries(project.root, cwd, "manifest", self._others)
        self.documents: dict[str, Document] = {}
        self._keep = keep
        self._cwd = cwd
        self.lints: list[Diagnostic] = []
        self._linted = linted
        self._project = project
        self._today = today
        self._found: list[Diagnostic] = []
        self.waivers: list[Waiver] = []

    @property
    def diagnostics(self) -> list[Diagnostic]:
        overlaid = self._overlays.diagnostics if self._overlays else ()
        return [*self._entries.diagnostics, *self.policies.diagnostics, *overlaid, *self._found]

    @property
    def left_out(self) -> frozenset[str]:
        return frozenset(self._overlays.left_out) if self._overlays else frozenset()

    @property
    def overlaid(self) -> Mapping[str, Mapping[str, Span]]:
        return self._overlays.named if self._overlays else {}

    def without_overlays(self, paths: Sequence[Path]) -> list[Path]:
        """Who checks the files of a commit names overlays too; one stands for all that it is laid over."""
        overlays = self._overlays.real_files if self._overlays else set()
        return [path for path in paths if not holds_only(self._cwd / path, overlays)]

    def files(self, paths: Sequence[Path] | None) -> list[Path]:
        return unique(self._configured() if paths is None else self._entries.given(paths))

    def sources(self, files: Sequence[Path], contents: Contents) -> frozenset[str]:
        """The manifests, and all that is read beside them."""
        uploads = (self._project.root / file.path for file in contents.files.values())
        return frozenset(self._others).union(map(os.path.realpath, (*files, *uploads)))

    def _configured(self) -> Iterator[Path]:
        """The files of the entries in the project file, or of the default folder."""
        root = self._project.root
        if self._project.file is None and not (root / DEFAULT_MANIFESTS[0]).exists():
            message = f"There is no defendctl.yaml and no folder `workflows` here: run `{command('init')}`."
            self._entries.error("not-found", message, Span(self._entries.shown(root)))
            return
        alone = self._project.manifests == DEFAULT_MANIFESTS  # then nothing at all is declared, which is told
        for index, entry in enumerate(self._project.manifests):
            yield from self._entries.entry(entry, self._entry_span(index, entry), may_be_empty=alone)

    def _entry_span(self, index: int, entry: str) -> Span:
        spans = self._project.spans
        return spans[index] if index < len(spans) else Span(self._entries.shown(self._project.root / entry))

    def declared(self, file: Path) -> Iterator[Declared]:
        from defendctl.manifest.validate import validate
        from defendctl.manifest.waivers import waivers

        name = self._entries.shown(file)
        documents, loaded = load(file, name)
        report = Report(name, loaded)
        with report.stopping():
            for document in documents:
                for whole, one in validate(document, self._project.custom_metrics, report, self._overlays):
                    yield one
                    self._look(whole, one)
                self.waivers += waivers(document, self._today, report)
        self._found += [*loaded, *report.diagnostics]

    def only_in_overlays(self, known: Collection[str]) -> Iterator[Declared]:
        """What no manifest declares, and this environment does."""
        from defendctl.manifest.declared import declared

        metrics = known_metrics(self._project.custom_metrics)
        for address, whole, report in self._overlays.only_here(known) if self._overlays else ():
            with report.stopping():
                one = declared(address, whole, metrics, report)
                yield one
                self._look(whole, one)

    def _look(self, document: Document, one: Declared) -> None:
        if self._linted:
            self.lints += lint(document, one)
        if self._keep:
            self.documents.setdefault(one.address, document)

    def once(self, declared: list[Declared]) -> dict[str, Declared]:
        """The first of each address; an error where it stands again."""
        kept: dict[str, Declared] = {}
        report = Report(declared[0].span.file if declared else "")
        with report.stopping():
            for one in declared:
                first = kept.setdefault(one.address, one)
                if first is not one:
                    place = f"{first.span.file}:{first.span.line}"
                    message = f"The address {quoted(one.address)} is declared already, in {place}."
                    report.error("duplicate-address", message, one.span)
        self._found += report.diagnostics
        return kept

    def add_waivers(self) -> None:
        """Those of the overlays; one of the manifests about the same gives way."""
        given = self._overlays.waivers if self._overlays else []
        about = {(one.address, one.rule, one.field) for one in given}
        kept = (one for one in self.waivers if (one.address, one.rule, one.field) not in about)
        self.waivers = [*kept, *given]

    def check_past(self, kept: dict[str, Declared]) -> None:
        report = Report("")
        with report.stopping():
            across(kept, report)
        self._found += report.diagnostics

    def check_idle(
        self, policy: Policy, labels: dict[str, Mapping[str, str]], addresses: Collection[str] | None
    ) -> None:
        """Warn of rules and waivers that are about nothing. `addresses` is None if not all were read."""
        from defendctl.manifest.waivers import expiring_waivers, idle_waivers
        from defendctl.project.rule_checks import idle_rules

        known = addresses
        if self._overlays:  # what is left out here is declared all the same
            known = None if addresses is None else {*addresses, *self._overlays.left_out}
        self._found += idle_rules(policy.rules, labels, addresses or ())
        idle = idle_waivers(self.waivers, known, {rule.id for rule in policy.rules})
        self._found += islice(idle, LIMIT)
        if self._today:
            self._found += islice(expiring_waivers(self.waivers, self._today), LIMIT)


def _overlays(project: Project, cwd: Path, today: datetime.date | None) -> Overlays | None:
    if not (project.overlays or project.other_overlays):
        return None
    overlays = Overlays(project, cwd)
    overlays.read(today)
    return overlays


def _tests(project: Project, cwd: Path) -> set[str]:
    """What a folder of manifests may hold besides them."""
    if not project.tests:
        return set()
    return {os.path.realpath(file) for file in suite_files(project, cwd)[0]}
