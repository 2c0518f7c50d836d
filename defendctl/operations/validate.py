"""Everything that can be said of the files alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.diagnostics import Diagnostic, Usage, errors, in_order, suggest
from defendctl.exits import Exit
from defendctl.manifest.lint import LINTS, levelled
from defendctl.manifest.resolve import resolve
from defendctl.operations.stdin import reading_stdin
from defendctl.operations.unpinned import unpinned
from defendctl.project.state_path import in_the_way
from defendctl.yamltext.source import shown

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from defendctl.diagnostics import Severity
    from defendctl.manifest.desired import Desired
    from defendctl.operations.workspace import Workspace
    from defendctl.schema.models_project import LintLevel

CODE = "policy"


def validate(
    workspace: Workspace, paths: Sequence[Path], levels: Mapping[str, LintLevel] | None = None
) -> list[Diagnostic]:
    """Every problem of project file, policy and manifests, what the policy denies, what is seldom meant.

    Offline; of each environment, if none was chosen. `levels` go before those of the project file.
    Raises Usage for a code that there is not.
    """
    chosen = {**workspace.project.lint, **_known(levels or {})}
    with reading_stdin(paths, workspace.cwd):
        found = [one for each in workspace.environments for one in _validated(each, paths, chosen)]
    found += [one for each in workspace.environments if (one := in_the_way(each.project))]
    unpinned = (one for each in workspace.environments for one in _unpinned(each, chosen))
    return in_order(dict.fromkeys([*workspace.problems, *found, *unpinned]))


def _validated(
    workspace: Workspace, paths: Sequence[Path], levels: Mapping[str, LintLevel]
) -> Iterator[Diagnostic]:
    today = workspace.settings.today
    desired = resolve(workspace.project, list(paths) or None, workspace.cwd, today, linted=True)
    yield from (*desired.diagnostics, *levelled(desired.lints, levels), *of_manifests(desired, today))
    yield from () if paths else (*_of_the_suites(workspace), *_of_the_labels(workspace, desired))


def _unpinned(workspace: Workspace, levels: Mapping[str, LintLevel]) -> list[Diagnostic]:
    """A warning where the project file pins no lineage; the sandbox needs none."""
    project = workspace.project
    if project.file is None or not workspace.settings.own_state or errors(workspace.problems):
        return []
    found = unpinned(project, shown(project.file, workspace.cwd))
    return levelled([found] if found else [], levels)


def _of_the_suites(workspace: Workspace) -> list[Diagnostic]:
    """What is wrong with the test files, where there are any."""
    if not workspace.project.tests:
        return []
    from defendctl.manifest.suites import read_suites

    return read_suites(workspace.project, workspace.cwd).diagnostics


def _of_the_labels(workspace: Workspace, desired: Desired) -> list[Diagnostic]:
    if not workspace.project.labels:
        return []
    from defendctl.operations.labels import label_problems

    return label_problems(workspace, desired)


def _known(levels: Mapping[str, LintLevel]) -> Mapping[str, LintLevel]:
    for code in levels:
        if code not in LINTS:
            near = suggest(code, LINTS) or f" There are: {', '.join(LINTS)}."
            raise Usage(f"{code!r} is not a code whose severity can be chosen.{near}")
    return levels


def of_manifests(desired: Desired, today: datetime.date) -> Iterator[Diagnostic]:
    """What rules say of the manifests alone; what is waived is told by the plan."""
    if not desired.policy.rules:
        return
    from defendctl.policy.manifest_rules import judge_manifests

    rest = (desired.labels, desired.waivers, desired.places, today)
    for finding in judge_manifests(desired.policy.rules, desired.workflows, *rest):
        if finding.verdict != "waived":
            severity: Severity = "error" if finding.verdict == "denied" else "warning"
            message = f"{finding.address}: {finding.message} {finding.detail} (rule {finding.rule})."
            yield Diagnostic(severity, CODE, message, finding.span)


def exits(found: Iterable[Diagnostic]) -> int:
    """5 if only the policy says no, 1 if anything else is wrong."""
    codes = {diagnostic.code for diagnostic in found if diagnostic.severity == "error"}
    if not codes:
        return Exit.OK
    return Exit.BLOCKED if codes == {CODE} else Exit.FAILED
