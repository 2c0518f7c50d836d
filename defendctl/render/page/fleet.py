"""Every workflow on one page, the worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.page.blocks import Badge, Foreign, Page, Paragraph, Table, joined, way
from defendctl.render.page.figures import rate
from defendctl.render.plural import count

if TYPE_CHECKING:
    from defendctl.render.json.contract import TogetherDocument
    from defendctl.render.page.blocks import Words
    from defendctl.render.page.saved import (
        EvidenceDocument,
        FleetDocument,
        LabelCountDocument,
        LastTestDocument,
        MemberDocument,
    )

_HEAD = ("workflow", "next apply", "drift", "policy", "flag rate today", "proposed", "last test", "evidence")


def fleet(document: FleetDocument) -> Page:
    members = document["workflows"]
    loosened = sum("loosens" in (one["direction"], one["drift"]) for one in members)
    environment = document.get("environment")
    said = f"{count(len(members), 'workflow')}, {loosened} loosened or about to be"
    headline: Words = (Foreign(environment), ": ", said) if environment else (said,)
    table = Table("Every workflow, the worst first", _HEAD, tuple(map(_row, members)))
    note = Paragraph(
        ("At ", Foreign(document["host"]), ". Rates of flags: whether one was right is not known.")
    )
    return Page("fleet", "Guardrail fleet", headline, (note, table))


def _row(one: MemberDocument) -> tuple[Words, ...]:
    return (
        (Foreign(one["address"]),),
        (one["action"], " ", way(one["direction"])) if one["direction"] else (one["action"],),
        _drift(one),
        _policy(one),
        (_rate(one["before"]),),
        (_rate(one["after"]),),
        _test(one["test"]),
        _evidence(one),
    )


def _drift(one: MemberDocument) -> Words:
    if one["missing"]:
        return (Badge("answers 404", "bad"),)
    return (way(one["drift"]),) if one["drift"] else ("none",)


def _policy(one: MemberDocument) -> Words:
    told = one["policy"]
    broken = {*told["denied"], *told["warned"], *told["waived"]}
    if not told["rules"] and not broken:
        return (Badge("no rule covers it", "unsure"),)
    words: list[Words] = [(f"{max(0, told['rules'] - len(broken))} of {told['rules']} rules hold",)]
    for verdict, tone in (("denied", "bad"), ("warned", "unsure"), ("waived", "plain")):
        rules: list[str] = told[verdict]  # type: ignore[literal-required]
        if rules:
            words.append((Badge(verdict, tone), " ", *joined(tuple((Foreign(r),) for r in rules), ", ")))
    return joined(tuple(words), "; ")


def _rate(side: TogetherDocument | None) -> str:
    return rate(side) if side else "unknown"


def _test(told: LastTestDocument | None) -> Words:
    if told is None:
        return ("none",)
    of: Words = {"proposed": ("of what is proposed",), "live": ("of what is live",)}.get(
        told["of"], (Badge("stale", "unsure"),)
    )
    return f"{told['passed']} of {told['cases']} passed, ", Foreign(told["at"]), " ", *of


def _evidence(one: MemberDocument) -> Words:
    told = one["evidence"]
    labels = told.get("labels")
    return *_events(told), *(("; ", *_labels(labels)) if labels else ())


def _events(told: EvidenceDocument) -> Words:
    if told["why_not"] is not None:
        return "none: ", Foreign(told["why_not"])
    newest: Words = (", newest ", Foreign(told["window"][1])) if told["window"] else ()
    return count(told["events"], "event"), *newest, _age(told.get("age_days"))


def _labels(told: LabelCountDocument) -> Words:
    flag, passing, unsure = told["should_be_flagged"], told["should_pass"], told["unsure"]
    said = f"labels: {flag} to flag, {passing} to pass, {unsure} unsure"
    newest: Words = (", drawn until ", Foreign(told["until"])) if told["until"] else ()
    return said, *newest, _age(told["age_days"])


def _age(days: int | None) -> str:
    return "" if days is None else f" ({count(days, 'day')} ago)"
