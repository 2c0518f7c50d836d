"""test: the cases of a project, submitted, followed and judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.diagnostics import Blocked, DefendctlError, Diagnostic, Invalid, Usage, errors, suggest
from defendctl.operations.by_label import chosen_by_labels
from defendctl.operations.testing import Chosen, Testing
from defendctl.suite.judge import one_sided
from defendctl.yamltext.quote import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from defendctl.diagnostics import Span
    from defendctl.manifest.desired import Desired
    from defendctl.manifest.suites import Cases
    from defendctl.operations.workspace import Workspace
    from defendctl.suite.models import Case, CaseResult, Suite


def run_suite(
    workspace: Workspace,
    chosen: Chosen,
    on_result: Callable[[CaseResult], None],
    on_start: Callable[[int], None],
) -> Suite:
    """Raises DefendctlError before anything is submitted; afterwards everything is told in the result."""
    testing = _prepared(workspace, chosen, on_result)
    on_start(len(testing.cases))
    if not chosen.candidate:
        return testing.run()
    from defendctl.operations.candidate import run_candidates

    return run_candidates(testing)


def _prepared(workspace: Workspace, chosen: Chosen, on_result: Callable[[CaseResult], None]) -> Testing:
    from defendctl.manifest.suites import read_suites

    read = read_suites(workspace.project, workspace.cwd)
    desired = _sound(workspace, read)
    if not chosen.one_sided:
        _refuse_one_sided(read.cases)
    here = _in_this_environment(workspace, read.cases, desired)
    cases = _selected(here, desired, chosen)
    return Testing(workspace, chosen, read, desired, cases, on_result)


def _sound(workspace: Workspace, read: Cases) -> Desired:
    """What is declared. Raises Invalid with the problems of manifests and test files together."""
    found = list(read.diagnostics)
    desired = None
    try:
        desired = workspace.desired(None)
    except Invalid as invalid:
        found += invalid.diagnostics
    if desired is None or errors(found):
        raise Invalid(found)
    if not read.cases:
        raise DefendctlError(
            "there are no tests", "name their files under `tests:` of defendctl.yaml, as under `manifests:`"
        )
    found = [one for case in read.cases.values() for one in _unfounded(case, desired, read.places[case.name])]
    if found:
        raise Invalid(found)
    return desired


def _in_this_environment(
    workspace: Workspace, cases: Mapping[str, Case], desired: Desired
) -> dict[str, Case]:
    """Without those of workflows that this environment leaves out; says which."""
    left = sorted(case.name for case in cases.values() if case.address in desired.left_out)
    if left:
        workspace.settings.warn(
            f"not run, because this environment leaves out their workflows: {', '.join(left)}"
        )
    return {name: case for name, case in cases.items() if name not in set(left)}


def _unfounded(case: Case, desired: Desired, places: Mapping[str, Span]) -> Iterator[Diagnostic]:
    """What no workflow that is declared can ever answer."""
    workflow = desired.workflows.get(case.address)
    if case.address in desired.left_out:
        return
    if workflow is None:
        near = suggest(case.address, desired.workflows)
        message = f"No workflow has the address {quoted(case.address)}.{near}"
        yield Diagnostic("error", "unknown-address", message, places["workflow"])
        return
    for part in ("metrics", "scores"):
        for metric in getattr(case.expect, part):
            if metric not in workflow.metrics:
                message = f"{case.address} does not evaluate `{metric}`, so nothing can be expected of it."
                yield Diagnostic("error", "metric-not-evaluated", message, places[f"{part}.{metric}"])


def _refuse_one_sided(cases: Mapping[str, Case]) -> None:
    side = one_sided(cases)
    if side:
        other = "that pass" if side == "flagged" else "that must be flagged"
        why = "flags everything" if side == "flagged" else "flags nothing"
        raise Blocked(
            f"every case expects `{side}`: a guardrail that {why} would pass this suite",
            f"add cases {other}, or say --one-sided",
        )


def _selected(cases: Mapping[str, Case], desired: Desired, chosen: Chosen) -> list[Case]:
    for address in chosen.target:
        if address not in desired.workflows:
            raise Usage(
                f"--target {address!r}: no workflow has that address." + suggest(address, desired.workflows)
            )
    labelled = chosen_by_labels(desired, chosen.selector)
    found = [case for case in cases.values() if case.address in labelled and _is_chosen(case, chosen)]
    if not found:
        raise Usage("no case matches --target, -l and --tag")
    return found


def _is_chosen(case: Case, chosen: Chosen) -> bool:
    named = not chosen.target or case.address in chosen.target
    return named and (not chosen.tag or bool({*chosen.tag} & {*case.tags}))
