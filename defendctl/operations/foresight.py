"""What the manifests would say if files held something else, and what would be wrong in any environment."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from defendctl.diagnostics import errors
from defendctl.manifest.resolve import resolve
from defendctl.operations.workspace import in_none
from defendctl.yamltext.source import instead

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from defendctl.diagnostics import Diagnostic
    from defendctl.manifest.desired import Desired
    from defendctl.operations.workspace import Workspace
    from defendctl.project.project import Project

Position = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class NewFault:
    """An error that is not there yet, in which environment, and at which address as far as can be told."""

    environment: str | None
    address: str | None
    diagnostic: Diagnostic


def foresee(
    workspace: Workspace, paths: Sequence[Path] | None, contents: Mapping[str, bytes]
) -> tuple[Desired, list[NewFault]]:
    """The manifests as this run would read them with these `contents`, and what would be wrong in any run."""
    own, *others = _readings(workspace, paths)
    desired = _resolved(*own, workspace, contents)
    faults = _new_faults(*own, workspace, desired)
    for other in others if contents else ():
        faults += _new_faults(*other, workspace, _resolved(*other, workspace, contents))
    return desired, faults


def _readings(
    workspace: Workspace, paths: Sequence[Path] | None
) -> Iterator[tuple[Project, Sequence[Path] | None]]:
    own = workspace.project
    yield own, paths
    for other in in_none(workspace).environments:
        if paths or other.project.environment != own.environment:
            yield other.project, None


def _resolved(
    project: Project, paths: Sequence[Path] | None, workspace: Workspace, contents: Mapping[str, bytes]
) -> Desired:
    with instead(contents):
        return resolve(project, paths, workspace.cwd)


def _new_faults(
    project: Project, paths: Sequence[Path] | None, workspace: Workspace, after: Desired
) -> list[NewFault]:
    found = errors(after.diagnostics)
    if not found:
        return []
    before = Counter(map(_kind, errors(resolve(project, paths, workspace.cwd).diagnostics)))
    begins = sorted(_beginnings(after))
    new = (one for one in found if not _is_known(one, before))
    return [NewFault(project.environment, _address_at(one, begins), one) for one in new]


def _is_known(fault: Diagnostic, known: Counter[tuple[str, ...]]) -> bool:
    """Each that was there before stands for one that is there now, perhaps on another line."""
    known[_kind(fault)] -= 1
    return known[_kind(fault)] >= 0


def _kind(fault: Diagnostic) -> tuple[str, ...]:
    return fault.code, fault.message, fault.span.file if fault.span else ""


def _address_at(fault: Diagnostic, begins: Sequence[tuple[Position, str]]) -> str | None:
    """The last address that begins before it in its file."""
    index = bisect_right(begins, fault.position, key=lambda one: one[0])
    (file, *_), address = begins[index - 1] if index else (("",), None)
    return address if file == fault.position[0] else None


def _beginnings(desired: Desired) -> Iterator[tuple[Position, str]]:
    declared = desired.spans.items()
    overlaid = ((a, place) for a, named in desired.overlaid.items() for place in named.values())
    for address, place in chain(declared, overlaid):
        yield (place.file, place.line or 0, place.column or 0), address
