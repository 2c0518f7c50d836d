"""The test files of a project → the cases in them, or everything that is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import Diagnostic, Span
from defendctl.event import DEFAULT_RUN_MODE, Submission
from defendctl.manifest.submissions import context_of, faults, report_faults
from defendctl.model import ADDRESS, ADDRESS_RULE, METRICS
from defendctl.project.suite_files import list_suites
from defendctl.schema.checks import is_meant_as, something_else, unknown_metrics, without_extensions
from defendctl.suite.models import Case, Expectation
from defendctl.yamltext.loader import load
from defendctl.yamltext.quote import found, quoted
from defendctl.yamltext.report import Report
from defendctl.yamltext.source import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from defendctl.project.project import Project
    from defendctl.schema import models_suite
    from defendctl.schema.checks import Fault
    from defendctl.yamltext.node import Document, KeyPath


_A_SUITE = "A test file holds one document, `version: 1` and `tests:` with a mapping of names to cases"
_STANDINS = {"workflow": "x", "model_used": "x"}
"""In the place of defaults that are wrong, so that no case is blamed for them."""


@dataclass(frozen=True, slots=True)
class Cases:
    """What the files say, in their order. Do not use it while `diagnostics` holds an error."""

    cases: dict[str, Case] = field(default_factory=dict)
    places: Mapping[str, Mapping[str, Span]] = field(default_factory=dict)
    """Case → key → where it stands: `workflow`, `run_mode`, and what `input` and `expect` hold."""
    diagnostics: list[Diagnostic] = field(default_factory=list)


def read_suites(project: Project, cwd: Path) -> Cases:
    """Every problem of every file is in the diagnostics."""
    listed = list_suites(project, cwd)
    run = _Reading({*METRICS, *project.custom_metrics})
    for file in listed.files:
        run.read(file, shown(file, cwd))
    return Cases(run.cases, run.places, [*listed.diagnostics, *run.diagnostics])


class _Reading:
    def __init__(self, metrics: Collection[str]) -> None:
        self.cases: dict[str, Case] = {}
        self.places: dict[str, dict[str, Span]] = {}
        self.diagnostics: list[Diagnostic] = []
        self._metrics = metrics
        self._first: dict[str, Span] = {}

    def read(self, file: Path, name: str) -> None:
        documents, loaded = load(file, name)
        report = Report(name, loaded)
        with report.stopping():
            if not loaded and len(documents) != 1:
                span = documents[1].span(()) if documents else Span(name, 1, 1)
                report.error("not-a-suite", f"{_A_SUITE}.", span)
            for document in documents[:1]:
                self._document(document, report)
        self.diagnostics += [*loaded, *report.diagnostics]

    def _document(self, document: Document, report: Report) -> None:
        from defendctl.schema.models_suite import SuiteFile
        from defendctl.schema.problems import check

        if not is_meant_as(document.data, ("tests",), also=("defaults",)):
            message = f"{_A_SUITE}, found {something_else(document.data)}."
            report.error("not-a-suite", message, document.span(()))
            return
        data = without_extensions(document.data)
        check(SuiteFile, data, (), document, report)
        defaults = _defaults(data, document, report)
        tests = data.get("tests")
        for name, body in tests.items() if isinstance(tests, dict) else ():
            self._case(name, body, defaults, document, report)

    def _case(
        self, name: str, body: Any, defaults: dict[str, Any], document: Document, report: Report
    ) -> None:
        from defendctl.schema.models_suite import CaseEntry as Model
        from defendctl.schema.problems import check

        at: KeyPath = ("tests", name)
        span = document.span(at, key=True)
        sound = _named(name, span, report)
        first = self._first.setdefault(name, span)
        if first is not span:
            message = f"The test {quoted(name)} is defined already in {first.file}:{first.line}."
            report.error("duplicate-test", message, span)
        merged = _merged(body, defaults)
        model = check(Model, merged, at, document, report)
        if isinstance(merged, dict):
            sound &= report_faults(_faults(merged, self._metrics), at, document, report)
        if model is not None and sound and first is span:
            self.cases[name] = _built(name, model, span)
            self.places[name] = _places(at, document)


def _defaults(data: dict[str, Any], document: Document, report: Report) -> dict[str, Any]:
    from defendctl.schema.models_suite import CaseDefaults
    from defendctl.schema.problems import check

    given = data.get("defaults")
    if given is None:
        return {}
    model = check(CaseDefaults, given, ("defaults",), document, report)
    sound = model is not None and report_faults(_cost(given), ("defaults",), document, report)
    return dict(given) if sound else _STANDINS


def _named(name: str, span: Span, report: Report) -> bool:
    if ADDRESS.fullmatch(name):
        return True
    report.error("invalid-name", f"{quoted(name)} cannot be the name of a test: {ADDRESS_RULE}.", span)
    return False


def _merged(body: Any, defaults: dict[str, Any]) -> Any:
    if not isinstance(body, dict):
        return body
    merged = {**defaults, **body}
    if isinstance(merged.get("expect"), str):
        merged["expect"] = {"result": merged["expect"]}
    if "repeats" in body and "quorum" not in body:
        merged.pop("quorum", None)
    return merged


def _faults(body: dict[str, Any], metrics: Collection[str]) -> Iterator[Fault]:
    """What no model says."""
    given = body.get("input")
    if isinstance(given, dict):
        yield from ((("input", *path), code, message) for path, code, message in faults(given))
    yield from _cost(body)
    yield from _quorum(body)
    expect = body.get("expect")
    if isinstance(expect, dict):
        yield from ((("expect", *path), code, said) for path, code, said in _expect(expect, metrics))


def _cost(body: dict[str, Any]) -> Iterator[Fault]:
    from defendctl.schema.fields import MAX_COUNT

    cost = body.get("cost", 0)
    number = isinstance(cost, int | float) and not isinstance(cost, bool)
    if not number or not 0 <= cost <= MAX_COUNT:
        message = (
            f"`cost` must be a number from 0 to {MAX_COUNT:,}, what one event costs, found {found(cost)}."
        )
        yield ("cost",), "wrong-type", message


def _quorum(body: dict[str, Any]) -> Iterator[Fault]:
    repeats, quorum = body.get("repeats", 1), body.get("quorum")
    whole = [n for n in (repeats, quorum) if isinstance(n, int) and not isinstance(n, bool)]
    if len(whole) == 2 and not whole[0] / 2 < whole[1] <= whole[0]:
        message = (
            "`quorum` is how many of the repeats must agree: more than half of them, and not more "
            f"than there are, found {found(quorum)}."
        )
        yield ("quorum",), "out-of-range", message


def _expect(expect: dict[str, Any], metrics: Collection[str]) -> Iterator[Fault]:
    if not expect:
        yield (), "empty-expectation", "`expect` says nothing; say flagged or passes."
    for key in ("metrics", "scores"):
        yield from unknown_metrics(expect, key, metrics)
    scores = expect.get("scores")
    for metric, bounds in scores.items() if isinstance(scores, dict) else ():
        two = isinstance(bounds, list) and len(bounds) == 2
        if two and all(isinstance(n, int | float) for n in bounds) and bounds[0] > bounds[1]:
            message = f"The range of {quoted(metric)} is empty: the lower bound comes first."
            yield ("scores", metric), "out-of-range", message


def _built(name: str, model: models_suite.CaseEntry, span: Span) -> Case:
    given = model.input
    submission = Submission(
        model_output=model.output,
        model_used=model.model_used,
        run_mode=model.run_mode or DEFAULT_RUN_MODE,
        user_prompt=given.user_prompt or None,
        system_prompt=given.system_prompt or None,
        context=context_of(given.context),
        ground_truth=given.ground_truth or None,
    )
    return Case(
        name=name,
        address=model.workflow,
        submission=submission,
        expect=_expectation(model.expect),
        repeats=model.repeats,
        quorum=model.quorum if "quorum" in model.model_fields_set else model.repeats,
        tags=tuple(dict.fromkeys(model.tags)),
        cost=model.cost,
        span=span,
    )


def _expectation(model: models_suite.Expect) -> Expectation:
    said = model.model_fields_set
    return Expectation(
        result=model.result if "result" in said else None,
        metrics=dict(model.metrics),
        scores={metric: (least, most) for metric, (least, most) in model.scores.items()},
        improvement=model.improvement if "improvement" in said else None,
    )


def _places(at: KeyPath, document: Document) -> dict[str, Span]:
    body = document.data[at[0]][at[1]]
    places = {key: document.span((*at, key)) for key in ("workflow", "run_mode", "input")}
    places |= {key: document.span((*at, "input", key)) for key in body["input"]}
    expect = body["expect"] if isinstance(body["expect"], dict) else {}
    for part in ("metrics", "scores"):
        named = (document.span((*at, "expect", part, m), key=True) for m in expect.get(part, ()))
        places |= {f"{part}.{m}": span for m, span in zip(expect.get(part, ()), named, strict=True)}
    return places
