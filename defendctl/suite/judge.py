"""From events to verdicts. What cannot be told is not judged, never passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from defendctl.event import Event, Improvement, Score
    from defendctl.suite.models import Case, Expectation, Expected, Held, Repeat, Verdict


def judge(event: Event, expect: Expectation) -> tuple[Held, tuple[str, ...]]:
    """Whether the event is as expected, and what is not. One thing that differs decides; else one unknown."""
    if not event.ended:
        return "not_judged", ("its evaluation has not ended",)
    if event.status == "failed":
        return "not_judged", ("its evaluation broke off",)
    found = list(_checks(event, expect))
    for held in (False, None):
        why = tuple(said for holds, said in found if holds is held)
        if why:
            return "otherwise" if held is False else "not_judged", why
    return "as_expected", ()


def settle(case: Case, runs: Iterator[Repeat] | list[Repeat]) -> Verdict | None:
    """The verdict of these runs; None while further repeats could still decide it.

    A quorum of runs that agree decides. Where none can be reached any more, runs that contradict one another
    are flaky, and else it is not judged. A submission whose outcome is unknown is a run that tells nothing.
    """
    told = list(runs)
    held = sum(run.held == "as_expected" for run in told)
    broke = sum(run.held == "otherwise" for run in told)
    left = case.repeats - len(told)
    if held >= case.quorum or broke >= case.quorum:
        return "passed" if held >= case.quorum else "failed"
    if max(held, broke) + left >= case.quorum:
        return None
    unknown = len(told) - held - broke
    return "not_judged" if max(held, broke) + unknown + left >= case.quorum else "flaky"


Check = tuple[bool | None, str]
"""Whether it holds, and what to say where it does not, or where that cannot be told."""


def _checks(event: Event, expect: Expectation) -> Iterator[Check]:
    scores = event.evaluations[0].scores if event.evaluations else {}
    if expect.result:
        yield _side(event.flagged, expect.result, [name for name, one in scores.items() if one.score is None])
    for metric, expected in expect.metrics.items():
        yield _metric(metric, scores.get(metric), expected)
    for metric, bounds in expect.scores.items():
        yield _score(metric, scores.get(metric), bounds)
    if expect.improvement:
        yield _improvement(_outcome(event), expect.improvement)


def _side(flagged: bool | None, expected: Expected, unscored: list[str]) -> Check:
    if flagged is None:
        why = f": {', '.join(unscored)} without a score" if unscored else ""
        return None, f"it is not known whether the output is flagged{why}"
    seen = "flagged" if flagged else "passes"
    return seen == expected, f"the output {'is flagged' if flagged else 'passes'}, expected: {expected}"


def _metric(metric: str, score: Score | None, expected: Expected) -> Check:
    if score is None or score.score is None:
        return None, f"{metric} has no score"
    if score.flagged is None:
        return None, f"the threshold of {metric} is unknown"
    seen = "is flagged" if score.flagged else "passes"
    at = "" if score.threshold is None else f", threshold {score.threshold:.4g}"
    return score.flagged == (expected == "flagged"), (
        f"{metric} {seen} ({_shown(score)}{at}), expected: {expected}"
    )


def _score(metric: str, score: Score | None, bounds: tuple[float, float]) -> Check:
    if score is None or score.score is None:
        return None, f"{metric} has no score"
    least, most = bounds
    holds = least <= float(score.score) <= most
    return holds, f"{metric} scored {_shown(score)}, expected: {least:.4g} to {most:.4g}"


def _improvement(seen: Improvement | None, expected: Improvement) -> Check:
    if seen is None:
        return None, "the outcome of the improvement is unknown"
    return seen == expected, f"the improvement is `{seen}`, expected: `{expected}`"


def _outcome(event: Event) -> Improvement | None:
    """Before December 2025 nothing stood for `not_required` (docs/api.md 4)."""
    silent = event.improvement is None and event.attempts == 0 and event.flagged is False
    return "not_required" if silent else event.improvement


def _shown(score: Score) -> str:
    return ("true" if score.score else "false") if isinstance(score.score, bool) else f"{score.score:.4g}"


def one_sided(cases: Mapping[str, Case]) -> Expected | None:
    """The only side that the cases want to see, where there is only one: such a suite proves little."""
    sides = {side for case in cases.values() for side in case.expect.sides}
    return next(iter(sides)) if len(sides) == 1 else None
