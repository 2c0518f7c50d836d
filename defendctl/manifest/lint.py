"""What is allowed and seldom meant. Each code has a page of its own words in docs/lint.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from defendctl.diagnostics import Diagnostic
from defendctl.model import GENERATIONS, NEWEST, RUN_MODES, WITHOUT_SEARCH
from defendctl.yamltext.node import KeyPath
from defendctl.yamltext.quote import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from defendctl.manifest.declared import Declared
    from defendctl.model import Workflow
    from defendctl.schema.models_project import LintLevel
    from defendctl.yamltext.node import Document

LINTS: Final = (
    "correctness-in-automatic",
    "import-for-all",
    "replay-no-context",
    "replay-no-ground-truth",
    "replay-super-fast-search",
    "retries-without-action",
    "retries-zero",
    "run-mode-of-generation",
    "run-mode-without-search",
    "same-name",
    "threshold-one",
    "threshold-zero",
    "unpinned-state",
)
"""Those that begin with `replay-` are found by a plan that reads events (plan/replay_lint.py).
`unpinned-state` is about the project file (operations/beginning.py)."""


def lint(
    document: Document, declared: Declared, generation: str, shared: str | None = None
) -> Iterator[Diagnostic]:
    """What one workflow says that is seldom meant; nothing of one that is wrong anyway. `generation` is the
    project's, or `auto`; `shared` the manifest that it is from, where each environment reads it."""
    if declared.workflow is None:
        return
    at: KeyPath = ("workflows", declared.address)
    body = document.data["workflows"][declared.address]
    found = (
        *_metrics(declared.workflow, body),
        *_retries(declared.workflow, body),
        *_run_mode(declared, generation),
        *(_import(declared) if document.span((*at, "import")).file == shared else ()),
    )
    for path, code, message in found:
        yield Diagnostic("warning", code, message, document.span((*at, *path)))


def same_names(declared: Iterable[Declared]) -> Iterator[Diagnostic]:
    """Two workflows of one name: whoever looks in the console cannot tell them apart."""
    first: dict[str, Declared] = {}
    for one in declared:
        if one.workflow is None:
            continue
        other = first.setdefault(one.workflow.name, one)
        if other is not one:
            where = f"{other.span.file}:{other.span.line}"
            message = (
                f"{quoted(other.address)} ({where}) has the same name, and the console tells them apart by "
                "nothing else. Give one of them another."
            )
            yield Diagnostic("warning", "same-name", message, one.span)


def levelled(found: Iterable[Diagnostic], levels: Mapping[str, LintLevel]) -> list[Diagnostic]:
    """With the severities that the team chose; a warning where nothing was chosen."""
    chosen = ((one, levels.get(one.code, "warning")) for one in found)
    return [Diagnostic(level, one.code, one.message, one.span) for one, level in chosen if level != "ignore"]


Found = tuple[KeyPath, str, str]


def _metrics(workflow: Workflow, body: dict[str, Any]) -> Iterator[Found]:
    if workflow.type == "automatic":
        if "correctness" in workflow.metrics:
            message = "The vendor's pages give `correctness` no automatic threshold; it may not be judged."
            yield _place("correctness", body), "correctness-in-automatic", message
        return
    for metric, threshold in workflow.metrics.items():
        if threshold == 0:
            message = f"A threshold of 0 never flags anything: {quoted(metric)} guards nothing."
            yield ("metrics", metric), "threshold-zero", message
        elif threshold == 1:
            message = f"A threshold of 1 flags every score below a perfect one in {quoted(metric)}."
            yield ("metrics", metric), "threshold-one", message


def _place(metric: str, body: dict[str, Any]) -> KeyPath:
    metrics = body["metrics"]
    return ("metrics", metrics.index(metric) if isinstance(metrics, list) else metric)


def _retries(workflow: Workflow, body: dict[str, Any]) -> Iterator[Found]:
    said = next((key for key in ("max_retries", "max_improvement_attempts") if key in body), None)
    if said is None:
        return
    if workflow.improvement_action == "none":
        message = f"`{said}` has no effect with `improvement_action: none`."
        yield (said,), "retries-without-action", message
    elif workflow.max_retries == 0:
        message = f"No retries: `improvement_action: {workflow.improvement_action}` never happens."
        yield (said,), "retries-zero", message


def _run_mode(declared: Declared, generation: str) -> Iterator[Found]:
    mode, workflow = declared.run_mode, declared.workflow
    if mode is None or workflow is None:
        return
    searches = [f"`{name}`" for name in ("web_search", "file_search") if _searches(declared, name)]
    if mode in WITHOUT_SEARCH and searches:
        message = f"{' and '.join(searches)} cannot work in the run mode `{mode}`, which searches nothing."
        yield ("run_mode",), "run-mode-without-search", message
    if generation in GENERATIONS and generation != NEWEST and mode not in RUN_MODES:
        known = ", ".join(RUN_MODES)
        message = f"Generation {generation} does not have the run mode `{mode}`; it has {known}."
        yield ("run_mode",), "run-mode-of-generation", message


def _import(declared: Declared) -> Iterator[Found]:
    if declared.imports:
        message = (
            "Each environment has ids of its own, and this one is read in all of them: "
            "put `import` into an overlay of the environment where the workflow lives."
        )
        yield ("import",), "import-for-all", message


def _searches(declared: Declared, name: str) -> bool:
    """A file of the repository is searched as one that was uploaded."""
    return bool(getattr(declared.workflow, name)) or (name == "file_search" and bool(declared.files))
