"""What became of a suite, for people, for CI and as JSON. No content: names, ids, scores, flags, costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import quoteattr

from defendctl.render.inert import inert
from defendctl.render.json import document
from defendctl.render.markup import code, marker, table
from defendctl.render.words import count
from defendctl.suite.digest import digest
from defendctl.suite.models import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.diagnostics import Span
    from defendctl.event import Score
    from defendctl.render.paint import Paint
    from defendctl.suite.models import CaseResult, Run, Suite

WORDS: Final = {"passed": "passed", "failed": "FAILED", "flaky": "FLAKY", "not_judged": "NOT JUDGED"}
_COLOURS: Final = {"passed": "green", "failed": "red", "flaky": "yellow", "not_judged": "yellow"}
_ROOM, _MOST_REASONS = 60_000, 6
_STOPPED: Final = {
    "budget": "Stopped: the budget is spent, so nothing more was submitted.",
    "interrupted": "Interrupted: nothing more was submitted.",
    "key": "Stopped: the API refused the key.",
}


def text(suite: Suite, paint: Paint) -> str:
    lines = [_header(suite)]
    for result in suite.results:
        word = f"{WORDS[result.verdict]:<10}"
        lines.append(f"  {paint(word, _COLOURS[result.verdict])}  {_of(result)}  {_tally(result)}")
        lines += [f"      {said}" for said in _said(result)]
    if suite.stopped:
        lines.append(_STOPPED[suite.stopped])
    lines += pending(suite)
    return "\n".join([*lines, conclusion(suite)]) + "\n"


def pending(suite: Suite) -> list[str]:
    """What was submitted, or may have been, and not seen to its end."""
    if not suite.pending:
        return []
    lines = ["Submitted, or perhaps submitted, and being paid for:"]
    for result, run in suite.pending:
        known = inert(run.event_id) if run.event_id else "its id is not known"
        lines.append(f"  {_of(result)}: {known}")
    return lines


def conclusion(suite: Suite) -> str:
    return f"{_counts(suite)}; {_money(suite)}, {suite.seconds:.1f} s."


def results_document(suite: Suite) -> str:
    names = ("generation", "environment", "host", "candidate", "at", "estimate", "max_cost", "stopped")
    return document(
        "test-results",
        digest=digest(suite.configurations, suite.host),
        **{name: getattr(suite, name) for name in names},
        configurations=[
            {"address": one.address, "workflow_id": one.workflow_id, "digest": one.digest}
            for one in suite.configurations
        ],
        summary={
            **{verdict: suite.count(verdict) for verdict in VERDICTS},
            "cost": suite.cost,
            "seconds": round(suite.seconds, 3),
        },
        cases=[_case(result) for result in suite.results],
    )


def junit(suite: Suite) -> str:
    """What is flaky is a failure, and what was not judged an error: no runner takes them for passed."""
    bad = suite.count("failed") + suite.count("flaky")
    counts = f'tests="{len(suite.results)}" failures="{bad}" errors="{suite.count("not_judged")}"'
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuites><testsuite name="defendctl" {counts} time="{suite.seconds:.3f}">',
        *(line for result in suite.results for line in _testcase(result)),
        "</testsuite></testsuites>",
    ]
    return "\n".join(lines) + "\n"


def markdown(suite: Suite) -> str:
    """A comment of at most 65,536 characters: what did not pass, the worst first, and the rest by number."""
    head = marker("test", suite.environment) + f"## Guardrail tests: {_counts(suite)}\n\n"
    head += f"{_header(suite)[:-1]}; {_money(suite)}, {suite.seconds:.1f} s.\n\n"
    head += f"{_STOPPED[suite.stopped]}\n\n" if suite.stopped else ""
    rows, room = [], _ROOM
    worst = [r for verdict in VERDICTS[:-1] for r in suite.results if r.verdict == verdict]
    for result in worst:
        why = "<br>".join(code(said) for said in list(_said(result))[:_MOST_REASONS])
        rows.append([WORDS[result.verdict].lower(), code(result.case.name), code(result.case.address), why])
        room -= len("".join(rows[-1]).encode()) + 20
        if room < 0:
            rows.pop()
            break
    told = table(["result", "test", "workflow", "why"], rows) if rows else ""
    more = (
        f"\nAnd {count(len(worst) - len(rows), 'case')} more that did not pass.\n"
        if len(worst) > len(rows)
        else ""
    )
    return head + told + more


def _header(suite: Suite) -> str:
    where = f" ({inert(suite.environment)})" if suite.environment else ""
    cases = count(len(suite.results), "case")
    what = "Tests of what is declared, on the canary of" if suite.candidate else "Tests for"
    return f"{what} {inert(suite.host)}{where}, generation {suite.generation}, {cases}:"


def _counts(suite: Suite) -> str:
    told = [f"{suite.count(v)} {WORDS[v].lower()}" for v in reversed(VERDICTS) if suite.count(v)]
    return ", ".join(told)


def _money(suite: Suite) -> str:
    spent = "cost not told" if suite.cost is None else f"cost {suite.cost:.4g}"
    if suite.max_cost is None or suite.estimate is None:
        return spent
    return f"{spent} of at most {suite.max_cost:.4g} (estimated {suite.estimate:.4g})"


def _of(result: CaseResult) -> str:
    return f"{inert(result.case.name)} ({inert(result.case.address)})"


def _tally(result: CaseResult) -> str:
    told = f"{result.as_expected} of {len(result.runs)} as expected"
    spared = result.case.repeats - len(result.runs)
    told += f" ({spared} not needed)" if spared and not result.why and result.verdict != "not_judged" else ""
    return told + (f", cost {result.cost:.4g}" if result.cost is not None else "")


def _said(result: CaseResult) -> Iterator[str]:
    """Why it is not simply passed, with the place of the case."""
    if result.verdict == "passed":
        return
    if result.why:
        yield inert(result.why)
    for number, run in enumerate(result.runs, 1):
        for why in run.why:
            event = f" ({inert(run.event_id)})" if run.event_id else ""
            yield f"run {number}{event}: {inert(why)}"
    if result.case.span:
        yield f"in {_place(result.case.span)}"


def _place(span: Span) -> str:
    return f"{inert(span.file)}:{span.line}"


def _case(result: CaseResult) -> dict[str, Any]:
    case, span = result.case, result.case.span
    return {
        "name": case.name,
        "address": case.address,
        "verdict": result.verdict,
        "why": result.why,
        "repeats": case.repeats,
        "quorum": case.quorum,
        "run_mode": case.submission.run_mode,
        "tags": list(case.tags),
        "cost": result.cost,
        "file": span.file if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "runs": [_run(run) for run in result.runs],
    }


def _run(run: Run) -> dict[str, Any]:
    names = ("held", "submitted", "event_id", "ended", "flagged", "improvement", "cost")
    return {
        **{name: getattr(run, name) for name in names},
        "why": list(run.why),
        "seconds": round(run.seconds, 3),
        "scores": {metric: _score(score) for metric, score in run.scores.items()},
    }


def _score(score: Score) -> dict[str, Any]:
    return {"score": score.score, "threshold": score.threshold, "flagged": score.flagged}


def _testcase(result: CaseResult) -> Iterator[str]:
    seconds = sum(run.seconds for run in result.runs)
    name, address = _attribute(result.case.name), _attribute(result.case.address)
    opening = f'<testcase name={name} classname={address} time="{seconds:.3f}"'
    if result.verdict == "passed":
        yield f"{opening}/>"
        return
    element = "error" if result.verdict == "not_judged" else "failure"
    said = "; ".join(_said(result))
    yield f'{opening}><{element} type="{result.verdict}" message={_attribute(said)}/></testcase>'


def _attribute(said: str) -> str:
    """XML takes no control characters, not even escaped."""
    return quoteattr(inert(said))
