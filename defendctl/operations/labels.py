"""The labels of a project, checked against what is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.diagnostics import DefendctlError, Diagnostic, Invalid, errors, suggest
from defendctl.project.label_files import read_labels
from defendctl.yamltext.quote import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from defendctl.manifest.desired import Desired
    from defendctl.operations.workspace import Workspace
    from defendctl.project.label_files import Labels
    from defendctl.replay.labels import LabelBlock


def labels_of(workspace: Workspace, desired: Desired | None) -> Labels:
    """All labels of the project; what two files disagree about is said as a warning. Without `desired`, of
    all manifests, no address is unknown.

    Raises Invalid with every problem of every label file, and DefendctlError where there is none."""
    if not workspace.project.labels:
        raise DefendctlError(
            "there are no labels", "name their files under `labels:` of defendctl.yaml, as under `manifests:`"
        )
    read = read_labels(workspace.project, workspace.cwd)
    found = [*read.diagnostics, *(unknown_addresses(read.blocks, desired) if desired else ())]
    if errors(found):
        raise Invalid(found)
    if found:
        some = "1 label" if len(found) == 1 else f"{len(found):,} labels"
        workspace.settings.warn(f"the label files disagree about {some}, which count as unsure: see validate")
    return read


def label_problems(workspace: Workspace, desired: Desired) -> list[Diagnostic]:
    """What is wrong with the label files."""
    read = read_labels(workspace.project, workspace.cwd)
    sound = not errors(desired.diagnostics)  # else an address may be missing because its manifest is wrong
    return [*read.diagnostics, *(unknown_addresses(read.blocks, desired) if sound else ())]


def unknown_addresses(blocks: Iterable[LabelBlock], desired: Desired) -> Iterator[Diagnostic]:
    """One for each block of a workflow that nothing declares, here or in another environment."""
    for block in blocks:
        if block.address not in desired.workflows and block.address not in desired.left_out:
            near = suggest(block.address, desired.workflows)
            message = f"No workflow has the address {quoted(block.address)}.{near}"
            yield Diagnostic("error", "unknown-address", message, block.span)
