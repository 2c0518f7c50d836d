"""What became of a suite, for people, for CI and as JSON. No content: names, ids, scores, flags, costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.render.inert import inert
from defendctl.render.plural import count
from defendctl.render.setting import PLAIN
from defendctl.suite.models import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.diagnostics import Span
    from defendctl.render.setting import Setting
    from defendctl.suite.models import CaseResult, Suite


WORDS: Final = {"passed": "passed", "failed": "FAILED", "flaky": "FLAKY", "not_judged": "NOT JUDGED"}
_COLOURS: Final = {"passed": "green", "failed": "red", "flaky": "yellow", "not_judged": "yellow"}
ROOM, MOST_REASONS = 60_000, 6
STOPPED: Final = {
    "budget": "Stopped: the budget is spent, so nothing more was submitted.",
    "interrupted": "Interrupted: nothing more was submitted.",
    "key": "Stopped: the API refused the key.",
}


def suite(done: Suite, setting: Setting = PLAIN) -> str:
    lines = [header(done)]
    for result in done.results:
        word = f"{WORDS[result.verdict]:<10}"
        lines.append(f"  {setting.paint(word, _COLOURS[result.verdict])}  {_of(result)}  {_tally(result)}")
        lines += [f"      {said}" for said in said_of(result)]
    if done.stopped:
        lines.append(STOPPED[done.stopped])
    lines += pending(done)
    return "\n".join([*lines, conclusion(done)]) + "\n"


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
    return f"{counts(suite)}; {money(suite)}, {suite.seconds:.1f} s."


def header(suite: Suite) -> str:
    where = f" ({inert(suite.environment)})" if suite.environment else ""
    cases = count(len(suite.results), "case")
    what = "Tests of what is declared, on the canary of" if suite.candidate else "Tests for"
    return f"{what} {inert(suite.host)}{where}, generation {suite.generation}, {cases}:"


def counts(suite: Suite) -> str:
    told = [f"{suite.count(v)} {WORDS[v].lower()}" for v in reversed(VERDICTS) if suite.count(v)]
    return ", ".join(told)


def money(suite: Suite) -> str:
    spent = "cost unknown" if suite.cost is None else f"cost {suite.cost:.4g}"
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


def said_of(result: CaseResult) -> Iterator[str]:
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
