"""The same cases in several results of tests. What is submitted for a case stays as it is: where its scores
moved, the judge did.
"""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from defendctl.event import moment
from defendctl.evidence.assumptions import MOVED
from defendctl.evidence.bounds import at_most
from defendctl.render.page.blocks import Badge, Foreign, Page, Paragraph, Table
from defendctl.render.plural import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from defendctl.render.json.submitted import CaseResultDocument, SuiteDocument
    from defendctl.render.page.blocks import Words

_HEAD = ("workflow", "metric", "run mode", "cases", "mean shift", "rose", "fell", "sign test", "judge")

_NOTE = (
    "Cases are the same by workflow, name and run mode. What is submitted stays as it is: where so many of "
    "their scores went one way that chance hardly does it, the judge moved, and what events of before prove "
    "of a threshold may no longer hold."
)

Subject = tuple[str, str, str]
"""Address, metric, run mode."""


class Shift(NamedTuple):
    """By how much the scores of the same cases differ."""

    subject: Subject
    differences: Sequence[float]

    @property
    def rose(self) -> int:
        return sum(one > 0 for one in self.differences)

    @property
    def fell(self) -> int:
        return sum(one < 0 for one in self.differences)

    @property
    def p(self) -> float:
        """Of the exact sign test, two-sided: how probably as many go one way if both are as likely."""
        return min(1.0, 2 * at_most(min(self.rose, self.fell), self.rose + self.fell, 0.5))


def same_cases(documents: Sequence[SuiteDocument]) -> Page | None:
    """The oldest results of each host and environment beside the newest. None where no case is in both."""
    found = [
        (first, last, shifts)
        for first, last in _ends(documents)
        if (shifts := list(_shifts(_scores(first), _scores(last))))
    ]
    if not found:
        return None
    every = [shift for _, _, shifts in found for shift in shifts]
    moved = sum(_moves(shift, len(every)) for shift in every)
    said = f"scores of {count(moved, 'metric')} moved" if moved else "no sign that scores moved"
    blocks = [block for first, last, shifts in found for block in _blocks(first, last, shifts, len(every))]
    return Page("same-cases", "Guardrail tests over time", (said,), (*blocks, Paragraph((_NOTE,))))


def _ends(documents: Sequence[SuiteDocument]) -> Iterator[tuple[SuiteDocument, SuiteDocument]]:
    found: dict[tuple[str, str | None], list[SuiteDocument]] = defaultdict(list)
    for one in documents:
        found[one["host"], one.get("environment")].append(one)
    for results in found.values():
        ordered = sorted(results, key=lambda one: moment(one["at"]))
        if ordered[0]["at"] != ordered[-1]["at"]:
            yield ordered[0], ordered[-1]


def _blocks(
    first: SuiteDocument, last: SuiteDocument, shifts: Sequence[Shift], rows: int
) -> tuple[Paragraph, Table]:
    times: Words = (Foreign(first["at"]), " and ", Foreign(last["at"]), " on ", Foreign(last["host"]), ":")
    return Paragraph(times), Table("The same cases", _HEAD, tuple(_row(shift, rows) for shift in shifts))


def _row(shift: Shift, rows: int) -> tuple[Words, ...]:
    address, metric, run_mode = shift.subject
    judge = Badge("moved", "bad") if _moves(shift, rows) else "no sign that it moved"
    return (
        (Foreign(address),),
        (Foreign(metric),),
        (Foreign(run_mode),),
        (str(len(shift.differences)),),
        (f"{fmean(shift.differences):+.3f}",),
        (str(shift.rose),),
        (str(shift.fell),),
        (f"p = {shift.p:.2g}",),
        (judge,),
    )


def _moves(shift: Shift, rows: int) -> bool:
    """However many rows there are, chance moves one of them in fewer than one of a hundred reports."""
    return shift.p * rows < MOVED


def _scores(results: SuiteDocument) -> Mapping[Subject, Mapping[str, float]]:
    """By case the mean of its runs; verdicts have no score."""
    found: dict[Subject, dict[str, float]] = defaultdict(dict)
    for case in results["cases"]:
        for metric, scores in _of_case(case).items():
            found[case["address"], metric, case["run_mode"]][case["name"]] = fmean(scores)
    return found


def _of_case(case: CaseResultDocument) -> Mapping[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for run in case["runs"]:
        for metric, one in run["scores"].items() if run["ended"] else ():
            if one["score"] is not None and not isinstance(one["score"], bool):
                found[metric].append(one["score"])
    return found


def _shifts(
    then: Mapping[Subject, Mapping[str, float]], now: Mapping[Subject, Mapping[str, float]]
) -> Iterator[Shift]:
    for subject in sorted(then.keys() & now.keys()):
        names = sorted(then[subject].keys() & now[subject].keys())
        if names:
            yield Shift(subject, [now[subject][name] - then[subject][name] for name in names])
