"""The results of a test suite: what did not pass first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.render.page.blocks import Badge, Facts, Foreign, Page, Paragraph, Part, Table, joined, shown
from defendctl.render.plural import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from defendctl.render.json.submitted import CaseResultDocument, RepeatDocument, SuiteDocument
    from defendctl.render.page.blocks import Block, Words

_TONES: Final = {"failed": "bad", "flaky": "unsure", "not_judged": "unsure", "passed": "good"}
"""The worst first."""
_STOPPED: Final = {
    "budget": "It stopped before its budget was exceeded.",
    "interrupted": "It was interrupted.",
    "key": "It stopped because the API refused the key.",
}


def suite(document: SuiteDocument) -> Page:
    counts = document["summary"]
    told = [f"{counts[v]} {_word(v)}" for v in _TONES if counts[v]]  # type: ignore[literal-required]
    environment = document.get("environment")
    said = ", ".join(told) or "no case"
    headline: Words = (Foreign(environment), ": ", said) if environment else (said,)
    return Page("test-results", "Guardrail tests", headline, tuple(_blocks(document)))


def _blocks(document: SuiteDocument) -> Iterator[Block]:
    yield Facts(tuple(_facts(document)))
    if document["stopped"]:
        yield Paragraph((_STOPPED[document["stopped"]],))
    for verdict, tone in _TONES.items():
        cases = [case for case in document["cases"] if case["verdict"] == verdict]
        if cases and verdict == "passed":
            yield Part((f"{count(len(cases), 'case')} passed",), (_passed(cases),))
        elif cases:
            cards = tuple(_card(case, tone) for case in cases)
            yield Part((f"{count(len(cases), 'case')} {_word(verdict)}",), cards)


def _facts(document: SuiteDocument) -> Iterator[tuple[str, Words]]:
    canary = ", on the canary" if document["candidate"] else ""
    yield "run at", (Foreign(document["at"]), " on ", Foreign(document["host"]), canary)
    yield "generation", (Foreign(document["generation"]),)
    yield "cost", (_cost(document["summary"]["cost"]), f" in {document['summary']['seconds']:.1f} s")
    tested = tuple(
        (Foreign(one["address"]), " ", Foreign(one["workflow_id"])) for one in document["configurations"]
    )
    if tested:
        yield "tested", joined(tested, ", ")


def _passed(cases: Sequence[CaseResultDocument]) -> Table:
    rows = tuple(
        ((Foreign(case["name"]),), (Foreign(case["address"]),), (_cost(case["cost"]),)) for case in cases
    )
    return Table("What passed", ("case", "workflow", "cost"), rows)


def _card(case: CaseResultDocument, tone: str) -> Part:
    title: Words = (Foreign(case["name"]), " of ", Foreign(case["address"]), " ")
    blocks: list[Block] = [Paragraph((Foreign(case["why"]),))] if case["why"] else []
    if case["file"]:
        blocks.append(Paragraph(("In ", Foreign(f"{case['file']}:{case['line']}"), ".")))
    if case["runs"]:
        rows = tuple(row for at, run in enumerate(case["runs"], 1) for row in _run(at, run))
        blocks.append(Table("Runs", ("run", "event", "came out", "metric", "score", "threshold"), rows))
    return Part((*title, Badge(_word(case["verdict"]), tone)), tuple(blocks), card=True)


def _run(at: int, run: RepeatDocument) -> Iterator[tuple[Words, ...]]:
    """A row for each metric."""
    event: Words = (Foreign(run["event_id"]),) if run["event_id"] else ("none",)
    why = joined(tuple((Foreign(each),) for each in run["why"]), "; ")
    first: tuple[Words, ...] = ((str(at),), event, why or (_word(run["held"]),))
    if not run["scores"]:
        yield (*first, (), (), ())
    for metric, score in run["scores"].items():
        flagged: Words = (" ", Badge("flagged", "bad")) if score["flagged"] else ()
        yield (*first, (Foreign(metric),), (shown(score["score"]), *flagged), (shown(score["threshold"]),))
        first = ((), (), ())


def _word(verdict: str) -> str:
    return verdict.replace("_", " ")


def _cost(cost: float | None) -> str:
    return "unknown" if cost is None else f"{cost:.4g} USD"
