"""A plan: what loosens first, each workflow that changes with what recent events would have met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.plan.direction import WORST_FIRST
from defendctl.render.inert import pair
from defendctl.render.page.blocks import Anchor, Facts, Foreign, Page, Part, Table, Verbatim, joined, way
from defendctl.render.page.figures import rate
from defendctl.render.page.replay import replayed
from defendctl.render.page.review import findings, tests, warnings
from defendctl.render.plural import count
from defendctl.render.words import HEADINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from defendctl.plan.shapes import ChangeDocument, FieldDocument, MoveDocument
    from defendctl.render.json.contract import PlanDocument, ReplayDocument
    from defendctl.render.page.blocks import Block, Words

_NAMED: Final = 20


def plan(document: PlanDocument) -> Page:
    return Page("plan", "Guardrail plan", _headline(document), tuple(_blocks(document)))


def _headline(document: PlanDocument) -> Words:
    counts, denied = document["summary"], sum(f["verdict"] == "denied" for f in document.get("policy", ()))
    told = [f"{count(denied, 'denial')} by policy"] if denied else []
    told += [f"{count(counts['loosens'], 'workflow')} loosened"] if counts["loosens"] else []
    told += [f"{counts['blocked']} blocked"] if counts["blocked"] else []
    told += [f"{counts['indeterminate']} may be loosened"] if counts["indeterminate"] else []
    told = told or (["nothing loosened"] if document["changes"] else ["no changes"])
    environment = document.get("environment")
    return (*((Foreign(environment), ": ") if environment else ()), ", ".join(told))


def _blocks(document: PlanDocument) -> Iterator[Block]:
    yield Facts(tuple(_facts(document)))
    found, replays = document.get("policy", []), _replays(document)
    if document["changes"]:
        rows = tuple(_row(change, replays.get(change["address"])) for change in _ordered(document["changes"]))
        yield Table(
            "Workflows that change, the riskiest first",
            ("workflow", "action", "direction", "flag rate today", "proposed"),
            rows,
        )
    yield from findings(found, "denied")
    yield from _changes(document["changes"], replays)
    if "tests" in document:
        yield tests(document["tests"])
    yield from findings(found, "warned")
    yield from findings(found, "waived")
    yield from warnings(document["diagnostics"])


def _facts(document: PlanDocument) -> Iterator[tuple[str, Words]]:
    counts = document["summary"]
    done = ("create", "adopt", "update", "replace", "retire", "blocked")
    told = [f"{counts[a]} {a}" for a in done if counts[a]]  # type: ignore[literal-required]
    told += [f"{len(moves)} renamed"] if (moves := document.get("moves")) else []
    yield "apply would", (f"{', '.join(told) or 'change nothing'}; {counts['none']} unchanged",)
    if document.get("state") == "none":
        yield "state", ("none yet: the first apply begins one",)
    else:
        yield "state", (f"serial {document['serial']}",)
    yield "generation", (Foreign(document["generation"]),)
    if moves:
        yield "renamed", _renamed(moves)
    if targets := document["options"]["target"]:
        yield "limited to", joined(tuple((Foreign(each),) for each in targets[:_NAMED]), ", ")
    digest = document["digest"]
    yield "digest", ((Foreign(digest),) if digest else ("none: live was not read",))


def _renamed(moves: Sequence[MoveDocument]) -> Words:
    return joined(tuple((Foreign(m["from"]), " → ", Foreign(m["to"])) for m in moves[:_NAMED]), ", ")


def _replays(document: PlanDocument) -> dict[str, ReplayDocument]:
    """What was asked for; where nothing was, what the policy was judged on."""
    told = [*document.get("policy_replay", []), *document.get("replay", [])]
    return {one["address"]: one for one in told}


def _ordered(changes: Sequence[ChangeDocument]) -> list[ChangeDocument]:
    return sorted(changes, key=lambda c: (WORST_FIRST.index(c["direction"]), c["address"]))


def _row(change: ChangeDocument, replay: ReplayDocument | None) -> tuple[Words, ...]:
    told = replay is not None and replay["why_not"] is None
    return (
        (Anchor(Foreign(change["address"]), change["address"]),),
        (change["action"],),
        (way(change["direction"]),),
        (rate(replay["before"]) if replay and told else "",),
        (rate(replay["after"]) if replay and told else "",),
    )


def _changes(changes: Sequence[ChangeDocument], replays: dict[str, ReplayDocument]) -> Iterator[Part]:
    for heading, words in HEADINGS.items():
        here = [change for change in changes if _heading(change) == heading]
        if here:
            cards = tuple(_card(change, replays.get(change["address"])) for change in here)
            yield Part((f"{words}: {count(len(here), 'workflow')}",), cards)


def _heading(change: ChangeDocument) -> str:
    blocked = change["action"] == "blocked" and change["direction"] == "none"
    return "blocked" if blocked else change["direction"]


def _card(change: ChangeDocument, replay: ReplayDocument | None) -> Part:
    action = "left as it is" if change["action"] == "none" else change["action"]
    title: Words = (Foreign(change["address"]), f" {action} ", way(change["direction"]))
    known: tuple[Block, ...] = ()
    if change["workflow_id"]:
        known = (Facts((("workflow", (Foreign(change["workflow_id"]),)),)),)
    why: tuple[Block, ...] = (Verbatim(change["reason"]),) if change["reason"] else ()
    fields = sorted(change["fields"], key=lambda f: (WORST_FIRST.index(f["direction"]), f["path"]))
    rows = tuple(map(_field, fields))
    head = ("field", "today", "proposed", "direction", "origin")
    table: tuple[Block, ...] = (Table("Fields", head, rows),) if rows else ()
    told = (replayed(replay),) if replay else ()
    return Part(title, (*known, *why, *table, *told), name=change["address"], card=True)


def _field(field: FieldDocument) -> tuple[Words, ...]:
    before, after = pair(field["before"], field["after"])
    unknown = field["basis"] == "unknown"
    made = field["basis"] is None
    return (
        (Foreign(field["path"]),),
        () if made else ("unknown",) if unknown else (Foreign(before),),
        (Foreign(after),),
        () if field["direction"] == "none" else (way(field["direction"]),),
        (_origin(field),),
    )


def _origin(field: FieldDocument) -> str:
    if field["origin"] == "drift":
        return "changed in the console"
    if field["origin"] == "conflict":
        return "changed in the console and in git"
    return "cannot be read back" if field["basis"] in ("applied", "unknown") else ""
