"""The overlays of one environment → one value, which is laid over each workflow that it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from defendctl.diagnostics import Diagnostic, Span, suggest
from defendctl.manifest.layers import REQUIRED, document, lay, moved, paths
from defendctl.project.entries import list_files
from defendctl.schema.checks import is_manifest, something_else, without_extensions
from defendctl.yamltext.loader import load
from defendctl.yamltext.node import Document, span_of
from defendctl.yamltext.quote import quoted
from defendctl.yamltext.report import Report
from defendctl.yamltext.source import shown

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from defendctl.policy.findings import Waiver
    from defendctl.project.entries import Listing
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

    @property
    def span(self) -> Span:
        return span_of(self.file, self.key)


@dataclass(frozen=True, slots=True)
class Overlays:
    """What the overlays of one environment say. Two of them may not set the same value."""

    patches: Mapping[str, Sequence[Patch]]
    """Address → those about it."""
    named: Mapping[str, Mapping[str, Span]]
    """Address → each path that one names, and where; null names what it takes away."""
    waivers: Sequence[Waiver]
    diagnostics: Sequence[Diagnostic]

    def leave_out(self, address: str) -> bool:
        return any(patch.body.data is None for patch in self.patches.get(address, ()))


def list_overlays(project: Project, cwd: Path) -> Listing:
    """The files that lie over the manifests in the environment of this project."""
    named = zip(project.overlays, project.overlay_spans, strict=True)
    return list_files(project, cwd, "overlay", named)


def list_other_overlays(project: Project, cwd: Path) -> Listing:
    """What belongs to another environment is no manifest either; what is wrong with it is told there."""
    nowhere = Span("")
    return list_files(project, cwd, "overlay", ((entry, nowhere) for entry in project.other_overlays))


def read_overlays(files: Iterable[Path], cwd: Path, today: datetime.date | None) -> Overlays:
    patches: dict[str, list[Patch]] = {}
    named: dict[str, dict[str, Span]] = {}
    waivers: list[Waiver] = []
    problems: list[Diagnostic] = []
    for file in files:
        name = shown(file, cwd)
        documents, loaded = load(file, name)
        report = Report(name, loaded)
        with report.stopping():
            for one in documents:
                waivers.extend(_checked(one, today, report))
                for address, patch in _patches(one):
                    if _is_free(address, patch, named.setdefault(address, {}), report):
                        patches.setdefault(address, []).append(patch)
        problems += [*loaded, *report.diagnostics]
    in_order = {address: sorted(some, key=_maps_metrics) for address, some in patches.items()}
    return Overlays(in_order, named, waivers, problems)


def _checked(one: Document, today: datetime.date | None, report: Report) -> Iterator[Waiver]:
    """The waivers of an overlay; in the report what is wrong with either."""
    from defendctl.manifest.waivers import waivers
    from defendctl.schema import models_manifest
    from defendctl.schema.problems import check

    if not is_manifest(one.data):
        report.error("not-an-overlay", f"{_AN_OVERLAY}, found {something_else(one.data)}.", one.span(()))
        return
    check(models_manifest.Overlay, without_extensions(one.data), (), one, report)
    yield from waivers(one, today, report)


def _patches(one: Document) -> Iterator[tuple[str, Patch]]:
    if is_manifest(one.data) and isinstance(one.data.get("workflows"), dict):
        workflows = one.root.items["workflows"]
        for address, body in workflows.items.items():
            yield address, Patch(one.file, workflows.keys[address], body)


def _is_free(address: str, patch: Patch, named: dict[str, Span], report: Report) -> bool:
    """Whether no overlay has said any of it before; from now on one has."""
    whole = next(iter(named.values()), None)
    free = True
    for path, place in paths(patch.body):
        first = named.get(path) or named.get("") or (None if path else whole)
        if first:
            what = f"{quoted(path)} of {quoted(address)}" if path else quoted(address)
            message = (
                f"Another overlay sets {what} already, in {first.file}:{first.line}; two overlays of one "
                "environment may not set the same value."
            )
            report.error("conflicting-overlays", message, span_of(patch.file, place))
            free = False
    named |= {path: span_of(patch.file, place) for path, place in paths(patch.body) if path not in named}
    return free


def _maps_metrics(patch: Patch) -> bool:
    """A mapping is laid over a list, so that the order of the files is all the same."""
    body = patch.body.data
    return isinstance(body, dict) and isinstance(body.get("metrics"), dict)


def lay_over(one: Document, address: str, overlays: Overlays, report: Report) -> Document | None:
    """The document in which this address stands as it is here; None where it is left out."""
    patches = overlays.patches.get(address)
    if not patches:
        return one
    if overlays.leave_out(address):
        return None
    workflows = one.root.items["workflows"]
    return _laid(one.file, address, workflows.keys[address], workflows.items[address], patches, report)


def only_here(
    overlays: Overlays, standing: Collection[str], declared: Collection[str]
) -> Iterator[tuple[str, Sequence[Patch], str]]:
    """Each address that stands in no manifest, and what it lacks to be whole, in a sentence, or nothing."""
    left = _SUGGESTIONS
    for address in sorted(overlays.patches.keys() - standing):
        patches = overlays.patches[address]
        missing = [key for key in REQUIRED if key not in _keys(patches)]
        near = suggest(address, declared) if missing and left > 0 else ""
        left -= bool(missing)
        yield address, patches, _unknown(address, missing, patches[0]) + near if missing else ""


def stack(address: str, patches: Sequence[Patch], report: Report) -> Document:
    """The document in which an address stands that no manifest declares."""
    first, *rest = patches
    return _laid(first.file, address, first.key, first.body, rest, report)


def _laid(
    file: str, address: str, key: Place, body: Node, patches: Sequence[Patch], report: Report
) -> Document:
    others = tuple(patch.file for patch in patches)

    def tell(code: str, message: str, place: Place) -> None:
        report.error(code, message, span_of(file, place, others))

    for number, patch in enumerate(patches, 1):
        body = lay(body, moved(patch.body, number), tell, overlay=True)
    return document(file, address, key, body, others)


def _keys(patches: Sequence[Patch]) -> set[str]:
    return {key for patch in patches if isinstance(patch.body.data, dict) for key in patch.body.data}


def _unknown(address: str, missing: list[str], patch: Patch) -> str:
    said = f"No manifest declares {quoted(address)}"
    if patch.body.data is None:
        return f"{said}, so there is nothing to leave out."
    return f"{said}, and this is not a whole workflow: it lacks {', '.join(f'`{key}`' for key in missing)}."
