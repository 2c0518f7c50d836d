"""A project and its manifests → what is desired: files → documents → declarations → Desired.

Each is a value that is made from the one before; what is wrong goes along in each.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

from defendctl.command import command
from defendctl.diagnostics import Span, in_order
from defendctl.manifest.contents import Contents
from defendctl.manifest.desired import Desired
from defendctl.manifest.lint import lint, same_names
from defendctl.manifest.overlays import list_other_overlays, list_overlays, only_here, read_overlays, stack
from defendctl.manifest.places import Places
from defendctl.manifest.renames import across
from defendctl.project.entries import Entries, Listing, holds_only, own_file, unique
from defendctl.project.policies import list_policies, read_policy
from defendctl.project.project import DEFAULT_MANIFESTS, Project
from defendctl.project.suite_files import list_labels, list_suites
from defendctl.schema.checks import known_metrics
from defendctl.yamltext.loader import load
from defendctl.yamltext.quote import quoted
from defendctl.yamltext.report import LIMIT, Report
from defendctl.yamltext.source import shown

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from defendctl.diagnostics import Diagnostic
    from defendctl.manifest.declared import Declared
    from defendctl.manifest.overlays import Overlays
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
    filling: bool = False,
) -> Desired:
    """The configured manifests, or exactly `paths`. Every problem of every file is in the diagnostics.

    With `today`, a waiver that has expired is one of them. With `keep`, the documents are kept.
    With `filling`, a folder that holds no manifest yet is none.
    """
    asked = _Asked(project, paths, cwd.absolute(), today, linted, keep, filling)
    files = _list(asked)
    overlays = read_overlays(files.overlays.files, asked.cwd, today)
    documents = (
        _read(file, asked.cwd) for file in files.manifests
    )  # one after the other, for they are large
    declared = _declare(asked, files, documents, overlays)
    return _desire(asked, files, declared, overlays)


def manifest_files(project: Project, paths: Sequence[Path] | None, cwd: Path) -> list[Path]:
    """What `resolve` reads as manifests."""
    return _list(_Asked(project, paths, cwd.absolute())).manifests


def overlay_files(project: Project, cwd: Path) -> list[Path]:
    """What lies over the manifests in the environment of this project."""
    return list_overlays(project, cwd.absolute()).files


@dataclass(frozen=True, slots=True)
class _Asked:
    """What `resolve` is asked for."""

    project: Project
    paths: Sequence[Path] | None
    cwd: Path
    today: datetime.date | None = None
    linted: bool = False
    keep: bool = False
    filling: bool = False

    def shown(self, path: Path) -> str:
        return shown(path, self.cwd)


@dataclass(frozen=True, slots=True)
class _Files:
    """What is read."""

    manifests: list[Path]
    complete: bool
    """Whether those are all that the project has, and not some that were named."""
    overlays: Listing
    policies: Listing
    others: frozenset[str]
    """The real path of each file of ours that is no manifest."""
    diagnostics: list[Diagnostic]


def _list(asked: _Asked) -> _Files:
    project, cwd = asked.project, asked.cwd
    overlays, policies = list_overlays(project, cwd), list_policies(project, cwd)
    laid = overlays.real_files | list_other_overlays(project, cwd).real_files
    named = list_suites(project, cwd).real_files | list_labels(project, cwd).real_files
    others = own_file(project) | laid | policies.real_files | named
    entries = Entries(project.root, cwd, "manifest", others)
    paths = _without_overlays(asked, laid) if asked.linted else asked.paths
    manifests = unique(_configured(asked, entries) if paths is None else entries.given(paths))
    found = [*entries.diagnostics, *policies.diagnostics, *overlays.diagnostics]
    return _Files(manifests, paths is None, overlays, policies, frozenset(others), found)


def _without_overlays(asked: _Asked, overlays: set[str]) -> Sequence[Path] | None:
    """Who checks the files of a commit names overlays too; one stands for all that it is laid over."""
    return [path for path in asked.paths or () if not holds_only(asked.cwd / path, overlays)] or None


def _configured(asked: _Asked, entries: Entries) -> Iterator[Path]:
    """The files of the entries in the project file, or of the default folder."""
    project = asked.project
    if project.file is None and not (project.root / DEFAULT_MANIFESTS[0]).exists():
        message = f"There is no defendctl.yaml and no folder `workflows` here: run `{command('init')}`."
        entries.error("not-found", message, Span(entries.shown(project.root)))
        return
    for index, entry in enumerate(project.manifests):
        written = index < len(project.spans)
        span = project.spans[index] if written else Span(entries.shown(project.root / entry))
        may_be_empty = asked.filling or not written  # else only the default may be
        yield from entries.entry(entry, span, may_be_empty=may_be_empty, then=_first_manifest())


def _first_manifest() -> str:
    return f" Write one, or take over what is live: `{command('import ADDRESS WORKFLOW_ID')}` prints one."


@dataclass(frozen=True, slots=True)
class _Documents:
    """What stands in one file."""

    file: str
    documents: list[Document]
    diagnostics: list[Diagnostic]


def _read(file: Path, cwd: Path) -> _Documents:
    name = shown(file, cwd)
    return _Documents(name, *load(file, name))


@dataclass(frozen=True, slots=True)
class _Entry:
    """One workflow; the document in which it stands is much larger, and kept only where it is asked for."""

    declared: Declared
    document: Document | None
    lints: Sequence[Diagnostic]


@dataclass(frozen=True, slots=True)
class _Declarations:
    """What is declared, in the order of the files; an address may stand in two of them."""

    entries: Sequence[_Entry] = ()
    waivers: Sequence[Waiver] = ()
    standing: frozenset[str] = frozenset()
    """Each address that stands in a manifest, right or wrong, left out or not."""
    diagnostics: Sequence[Diagnostic] = ()


def _declare(
    asked: _Asked, files: _Files, documents: Iterable[_Documents], overlays: Overlays
) -> _Declarations:
    in_manifests = _join([_declared_in(one, asked, overlays) for one in documents])
    if not files.complete:
        return in_manifests
    return _join([in_manifests, *_only_in_overlays(asked, overlays, in_manifests)])


def _declared_in(read: _Documents, asked: _Asked, overlays: Overlays) -> _Declarations:
    from defendctl.manifest.validate import addresses_in, validate

    report = Report(read.file, read.diagnostics)
    entries: list[_Entry] = []
    given: list[Waiver] = []
    with report.stopping():
        for document in read.documents:
            pairs = validate(document, asked.project.custom_metrics, report, overlays)
            entries.extend(_enter(whole, one, asked, read.file) for whole, one in pairs)
            given.extend(_waivers_in(document, asked.today, report))
    standing = frozenset(chain.from_iterable(map(addresses_in, read.documents)))
    return _Declarations(entries, given, standing, [*read.diagnostics, *report.diagnostics])


def _waivers_in(document: Document, today: datetime.date | None, report: Report) -> Iterable[Waiver]:
    if not (isinstance(document.data, dict) and document.data.get("waivers")):
        return ()
    from defendctl.manifest.waivers import waivers

    return waivers(document, today, report)


def _only_in_overlays(asked: _Asked, overlays: Overlays, others: _Declarations) -> Iterator[_Declarations]:
    """What no manifest declares, and this environment does."""
    from defendctl.manifest.declared import declared

    metrics = known_metrics(asked.project.custom_metrics)
    known = {entry.declared.address for entry in others.entries}
    for address, patches, lacking in only_here(overlays, others.standing, known):
        report = Report(patches[0].file)
        entries: list[_Entry] = []
        with report.stopping():
            if lacking:
                report.error("unknown-address", lacking, patches[0].span)
            else:
                whole = stack(address, patches, report)
                entries.append(_enter(whole, declared(address, whole, metrics, report), asked))
        yield _Declarations(entries, diagnostics=report.diagnostics)


def _enter(document: Document, one: Declared, asked: _Asked, manifest: str | None = None) -> _Entry:
    shared = manifest if asked.project.environment else None
    lints = tuple(lint(document, one, asked.project.generation, shared)) if asked.linted else ()
    return _Entry(one, document if asked.keep else None, lints)


def _join(parts: Sequence[_Declarations]) -> _Declarations:
    return _Declarations(
        [one for part in parts for one in part.entries],
        [one for part in parts for one in part.waivers],
        frozenset[str]().union(*(part.standing for part in parts)),
        [one for part in parts for one in part.diagnostics],
    )


def _desire(asked: _Asked, files: _Files, declared: _Declarations, overlays: Overlays) -> Desired:
    kept, repeated = _keep_first([entry.declared for entry in declared.entries])
    labels = {address: one.labels for address, one in kept.items() if one.labels}
    left_out = frozenset(filter(overlays.leave_out, declared.standing))
    waivers = _merge_waivers(declared.waivers, overlays.waivers)
    policy, of_policy = read_policy(asked.project, files.policies.files, asked.cwd)
    contents = Contents(asked.project)
    workflows = {address: contents.in_place(one.workflow, one.files) for address, one in kept.items()}
    problems = [
        *(*files.diagnostics, *of_policy, *overlays.diagnostics, *declared.diagnostics),
        *(*repeated, *_find_contradictions(kept)),
        *_find_idle_rules(policy, labels, kept if files.complete else ()),
        *_find_unprovable_rules(policy),
        *_warn_of_waivers(waivers, policy, {*kept, *left_out} if files.complete else None, asked.today),
        *contents.diagnostics,
    ]
    return Desired(
        workflows={address: workflow for address, workflow in workflows.items() if workflow},
        spans={address: one.span for address, one in kept.items()},
        diagnostics=in_order(dict.fromkeys(problems)),
        lints=_lints(declared.entries, kept) if asked.linted else [],
        labels=labels,
        run_modes={address: one.run_mode for address, one in kept.items() if one.run_mode},
        renamed={address: one.renamed_from for address, one in kept.items() if one.renamed_from},
        imports={address: one.imports for address, one in kept.items() if one.imports},
        waivers=waivers,
        policy=policy,
        places=Places({address: one.placed for address, one in kept.items()}),
        documents=_documents(declared.entries),
        files=contents.files,
        left_out=left_out,
        overlaid=overlays.named,
        sources=_sources(asked.project, files, contents),
    )


def _keep_first(declared: Sequence[Declared]) -> tuple[dict[str, Declared], list[Diagnostic]]:
    """By address, in its order; an error where one stands again."""
    kept: dict[str, Declared] = {}
    report = Report(declared[0].span.file if declared else "")
    with report.stopping():
        for one in declared:
            first = kept.setdefault(one.address, one)
            if first is not one:
                place = f"{first.span.file}:{first.span.line}"
                message = f"The address {quoted(one.address)} is declared already, in {place}."
                report.error("duplicate-address", message, one.span)
    return dict(sorted(kept.items())), report.diagnostics


def _documents(entries: Sequence[_Entry]) -> dict[str, Document]:
    """The first of each address, of those that were kept."""
    return {entry.declared.address: entry.document for entry in reversed(entries) if entry.document}


def _lints(entries: Iterable[_Entry], kept: Mapping[str, Declared]) -> list[Diagnostic]:
    return [*chain.from_iterable(entry.lints for entry in entries), *same_names(kept.values())]


def _find_contradictions(kept: Mapping[str, Declared]) -> list[Diagnostic]:
    report = Report("")
    with report.stopping():
        across(kept, report)
    return report.diagnostics


def _merge_waivers(in_manifests: Iterable[Waiver], in_overlays: Sequence[Waiver]) -> tuple[Waiver, ...]:
    """One of the manifests gives way to one of the overlays about the same."""
    about = {(one.address, one.rule, one.field) for one in in_overlays}
    kept = (one for one in in_manifests if (one.address, one.rule, one.field) not in about)
    return (*kept, *in_overlays)


def _find_idle_rules(
    policy: Policy, labels: Mapping[str, Mapping[str, str]], addresses: Collection[str]
) -> Iterator[Diagnostic]:
    from defendctl.project.rule_checks import idle_rules

    return idle_rules(policy.rules, labels, addresses)


def _find_unprovable_rules(policy: Policy) -> Iterator[Diagnostic]:
    from defendctl.project.rule_checks import unprovable_rules

    return unprovable_rules(policy)


def _warn_of_waivers(
    waivers: Sequence[Waiver], policy: Policy, addresses: Collection[str] | None, today: datetime.date | None
) -> Iterator[Diagnostic]:
    """Of those that let nothing pass, or soon will not. `addresses` is None if not all were read."""
    if not waivers:
        return
    from defendctl.manifest.waivers import expiring_waivers, idle_waivers

    yield from islice(idle_waivers(waivers, addresses, {rule.id for rule in policy.rules}), LIMIT)
    if today:
        yield from islice(expiring_waivers(waivers, today), LIMIT)


def _sources(project: Project, files: _Files, contents: Contents) -> frozenset[str]:
    """The manifests, and all that is read beside them."""
    uploads = (project.root / file.path for file in contents.files.values())
    return files.others.union(map(os.path.realpath, (*files.manifests, *uploads)))
