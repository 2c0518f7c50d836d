"""The overlays of one environment, read once, then laid over each workflow that they name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from defendctl.diagnostics import Diagnostic, Span, suggest
from defendctl.manifest.layers import REQUIRED, document, lay, moved, paths
from defendctl.project.entries import Entries, unique
from defendctl.schema.checks import is_manifest, something_else, without_extensions
from defendctl.yamltext.loader import load
from defendctl.yamltext.node import Document, span_of
from defendctl.yamltext.quote import quoted
from defendctl.yamltext.report import Report

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from defendctl.policy.findings import Waiver
    from defendctl.project.project import Project
    from defendctl.yamltext.node import Node, Place

_AN_OVERLAY = (
    "An overlay holds `version: 1` and `workflows:` with a mapping of addresses to parts of workflows"
)
_SUGGESTIONS = 50
"""Each looks at all the addresses there are."""


@dataclass(frozen=True, slots=True)
class Patch:
    """What one overlay says of one address; `body` holds null where it leaves the workflow out."""

    file: str
    key: Place
    body: Node


class Overlays:
    """One reading of them; gathers what is wrong. Two of them may not name the same value."""

    def __init__(self, project: Project, cwd: Path) -> None:
        self._entries = Entries(project.root, cwd, "overlay", ())
        entries = zip(project.overlays, project.overlay_spans, strict=True)
        self.files = unique(chain.from_iterable(self._entries.entry(*entry) for entry in entries))
        self.real_files = {os.path.realpath(file) for file in self.files} | _of_others(project, cwd)
        self.waivers: list[Waiver] = []
        self.left_out: set[str] = set()
        self._patches: dict[str, list[Patch]] = {}
        self.named: dict[str, dict[str, Span]] = {}
        self._laid: set[str] = set()
        self._found: list[Diagnostic] = []

    @property
    def diagnostics(self) -> list[Diagnostic]:
        return [*self._entries.diagnostics, *self._found]

    def read(self, today: datetime.date | None) -> None:
        for file in self.files:
            name = self._entries.shown(file)
            documents, loaded = load(file, name)
            report = Report(name, loaded)
            with report.stopping():
                for one in documents:
                    self._take(one, today, report)
            self._found += [*loaded, *report.diagnostics]
        for patches in self._patches.values():  # so that the order of the files is all the same
            patches.sort(key=lambda patch: isinstance(_metrics(patch.body), dict))

    def _take(self, one: Document, today: datetime.date | None, report: Report) -> None:
        from defendctl.manifest.waivers import waivers
        from defendctl.schema import models_manifest
        from defendctl.schema.problems import check

        if not is_manifest(one.data):
            report.error("not-an-overlay", f"{_AN_OVERLAY}, found {something_else(one.data)}.", one.span(()))
            return
        check(models_manifest.Overlay, without_extensions(one.data), (), one, report)
        self.waivers += waivers(one, today, report)
        workflows = one.root.items.get("workflows", one.root)
        for address, body in workflows.items.items() if _holds_parts(one) else ():
            patch = Patch(one.file, workflows.keys[address], body)
            if self._is_free(address, patch, report):
                self._patches.setdefault(address, []).append(patch)

    def _is_free(self, address: str, patch: Patch, report: Report) -> bool:
        """Whether no overlay has said any of it before."""
        named = self.named.setdefault(address, {})
        whole = next(iter(named.values()), None)
        free = True
        for path, place in paths(patch.body):
            first = named.get(path) or named.get("") or (None if path else whole)
            if first:
                what = f"{quoted(path)} of {quoted(address)}" if path else quoted(address)
                message = (
                    f"An overlay speaks of {what} already, in {first.file}:{first.line}; two overlays of one "
                    "environment may not name the same value."
                )
                report.error("conflicting-overlays", message, span_of(patch.file, place))
                free = False
        named |= {path: span_of(patch.file, place) for path, place in paths(patch.body) if path not in named}
        return free

    def over(self, one: Document, address: str, report: Report) -> Document | None:
        """The document in which this address stands as it is here; None where it is left out."""
        patches = self._patches.get(address)
        if not patches:
            return one
        self._laid.add(address)
        if any(patch.body.data is None for patch in patches):
            self.left_out.add(address)
            return None
        workflows = one.root.items["workflows"]
        body = workflows.items[address]
        return _laid(one.file, address, workflows.keys[address], body, patches, report)

    def only_here(self, declared: Collection[str]) -> Iterator[tuple[str, Document, Report]]:
        """Each address that no manifest declares and that is whole; an error for the others."""
        left = _SUGGESTIONS
        for address in sorted(self._patches.keys() - self._laid):
            first, *rest = self._patches[address]
            report = Report(first.file)
            missing = [key for key in REQUIRED if key not in _keys([first, *rest])]
            if missing:
                near, left = suggest(address, declared) if left > 0 else "", left - 1
                report.error("unknown-address", _unknown(address, missing, first) + near, _span(first))
            else:
                yield address, _laid(first.file, address, first.key, first.body, rest, report), report
            self._found += report.diagnostics


def _of_others(project: Project, cwd: Path) -> set[str]:
    """What belongs to another environment is no manifest either; what is wrong with it is told there."""
    entries = Entries(project.root, cwd, "overlay", ())
    spot = Span("")
    others = (file for entry in project.other_overlays for file in entries.entry(entry, spot))
    return {os.path.realpath(file) for file in others}


def _laid(file: str, address: str, key: Place, body: Node, patches: list[Patch], report: Report) -> Document:
    others = tuple(patch.file for patch in patches)

    def tell(code: str, message: str, place: Place) -> None:
        report.error(code, message, span_of(file, place, others))

    for number, patch in enumerate(patches, 1):
        body = lay(body, moved(patch.body, number), tell, overlay=True)
    return document(file, address, key, body, others)


def _holds_parts(one: Document) -> bool:
    return isinstance(one.data.get("workflows"), dict)


def _metrics(body: Node) -> object:
    return body.data.get("metrics") if isinstance(body.data, dict) else None


def _keys(patches: list[Patch]) -> set[str]:
    return {key for patch in patches if isinstance(patch.body.data, dict) for key in patch.body.data}


def _span(patch: Patch) -> Span:
    return span_of(patch.file, patch.key)


def _unknown(address: str, missing: list[str], patch: Patch) -> str:
    said = f"No manifest declares {quoted(address)}"
    if patch.body.data is None:
        return f"{said}, so there is nothing to leave out."
    return f"{said}, and it is no whole workflow: it lacks {', '.join(f'`{key}`' for key in missing)}."
