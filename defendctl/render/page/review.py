"""What the policy, recorded tests and warnings say of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.render.page.blocks import (
    Badge,
    Facts,
    Foreign,
    Paragraph,
    Part,
    Points,
    Table,
    Verbatim,
    joined,
    shown,
)
from defendctl.render.plural import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from defendctl.render.json.contract import (
        DiagnosticDocument,
        FindingDocument,
        TestedDocument,
        TestsDocument,
    )
    from defendctl.render.page.blocks import Block, Words

_VERDICTS: Final = {"denied": "bad", "warned": "unsure", "waived": "plain"}
_TITLES: Final = {
    "denied": "Denied by policy",
    "warned": "Warned of by policy",
    "waived": "Let pass by a waiver",
}
_ENDS: Final = ("passed", "failed", "flaky", "not_judged")


def findings(found: Sequence[FindingDocument], verdict: str) -> Iterator[Part]:
    here = [finding for finding in found if finding["verdict"] == verdict]
    if here:
        title = f"{_TITLES[verdict]}: {count(len(here), 'finding')}"
        yield Part((title,), tuple(_finding(finding) for finding in here))


def _finding(found: FindingDocument) -> Part:
    subject: Words = (Foreign(found["address"]),) if found["address"] else ("the whole plan",)
    field: Words = (" ", Foreign(found["field"])) if found["field"] else ()
    tone = _VERDICTS[found["verdict"]]
    title = (Foreign(found["rule"]), " ", *subject, *field, " ", Badge(found["verdict"], tone))
    said = [Verbatim(text) for text in (found["message"], found["detail"]) if text]
    place: list[Block] = [Paragraph(("In ", _place(found), "."))] if found["file"] else []
    unsure: list[Block] = [] if found["evaluated"] else [Paragraph(("It could not be evaluated.",))]
    rest: list[Block] = []
    if waiver := found["waiver"]:
        rows: tuple[tuple[str, Words], ...] = (
            ("to", (shown(waiver["to"]),)),
            ("approver", (Foreign(waiver["approver"]),)),
            ("expires", (Foreign(waiver["expires"]),)),
        )
        rest = [Facts(rows), Verbatim(waiver["reason"])]
    elif found["remedy"] and found["verdict"] == "denied":
        rest = [Paragraph(("This waiver would let it pass:",)), Verbatim(found["remedy"])]
    return Part(title, (*place, *said, *unsure, *rest), card=True)


def _place(told: FindingDocument | DiagnosticDocument) -> Foreign:
    return Foreign(f"{told['file']}:{told['line']}" if told["line"] else f"{told['file']}")


def warnings(found: Sequence[DiagnosticDocument]) -> Iterator[Part]:
    if found:
        items = tuple(map(_diagnostic, found))
        yield Part((count(len(items), "warning"),), (Points(items),))


def _diagnostic(told: DiagnosticDocument) -> Words:
    place: Words = (" in ", _place(told)) if told["file"] else ()
    return Foreign(told["code"]), *place, ": ", Foreign(told["message"])


def tests(told: TestsDocument) -> Part:
    where = " on the canary" if told["candidate"] else ""
    title: Words = (f"Tests recorded{where} at ", Foreign(told["at"]))
    rows = tuple(_tested(one) for one in told["workflows"])
    return Part(title, (Table("By workflow", ("workflow", "of", "cases", "not passed"), rows),))


def _tested(one: TestedDocument) -> tuple[Words, ...]:
    verdicts = [case["verdict"] for case in one["cases"]]
    told = [f"{verdicts.count(v)} {v.replace('_', ' ')}" for v in _ENDS if v in verdicts]
    of: Words = {
        "proposed": ("what this plan proposes",),
        "live": ("what is live",),
    }.get(one["of"], (Badge("stale", "unsure"), " ", Foreign(one["why"] or "")))
    left = tuple((Foreign(case["name"]),) for case in one["cases"] if case["verdict"] != "passed")
    return (Foreign(one["address"]),), of, (", ".join(told) or "no case",), joined(left, ", ")
