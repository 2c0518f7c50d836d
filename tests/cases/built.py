"""Plans that stand for themselves: what a policy says, what a replay found, every action, 500 workflows."""

from __future__ import annotations

import datetime
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import Diagnostic, Span
from defendctl.model import FieldPath
from defendctl.plan.changes import ACTIONS, IMPOSSIBLE, Change, Create, Options, Plan, Reason
from defendctl.plan.compare import FieldChange
from defendctl.plan.direction import direction, worst
from defendctl.policy.findings import Finding, Waiver
from defendctl.replay.replay import MetricReplay, Replay, Together
from defendctl.review import Review
from tests.plan.given import WORKFLOW, bound, of_kind, seen

if TYPE_CHECKING:
    from collections.abc import Callable

LINEAGE = "7f3a9c12-0000-4000-8000-000000000000"
FILE = "workflows/support.yaml"
REMEDY = """\
  - address: support-bot
    rule: no-loosening
    field: metrics.completeness
    to: 0.6
    reason: "why this may pass"
    approver: "who lets it pass"
    expires: 2026-06-30
"""
HOSTILE = [
    "@org/team <img src=x onerror=alert(1)> &#64;team",
    "[click](https://evil.example) ![x](https://evil.example/x.png) www.evil.example a@b.example",
    "`` ``` ` | \\| \\\\| <!-- --> </details> <script>",
    "x\n::error file=a::b\r\n##[group]y ##vso[task.x]z",
    "\x1b[31m\u202egnp.exe\u2028\ud800\x00",
    "# heading\n\n* list\n\n> quote #1 owner/repo#2 $x$ :smile:",
]


def field(path: str, before: Any, after: Any, **more: Any) -> FieldChange:
    """One that is live, pending, and has the direction that belongs to it."""
    way = more.pop("direction", None) or direction(FieldPath(path), before, after)
    told = {"applied": before, "basis": "live", "origin": "pending", **more}
    return FieldChange(FieldPath(path), before, after, direction=way, **told)


def change(address: str, *fields: FieldChange, action: Any = "update", **more: Any) -> Change:
    way = more.pop("direction", None) or worst(each.direction for each in fields)
    workflow_id = more.pop("id", f"wkfl_{address}")
    told = {"address": address, "workflow_id": workflow_id, "direction": way, "fields": fields, **more}
    live = None if action == "replace" else seen({})
    return of_kind(action, desired=WORKFLOW, observed=live, binding=bound({}), **told)


SHOWN = {one.name for one in fields(Review)}


def a_plan(*changes: Change, **more: Any) -> Review:
    given = {"lineage": LINEAGE, "serial": 3, "options": Options(), **more}
    beside = {name: given.pop(name) for name in SHOWN & given.keys()}
    return Review(Plan("api.example.com", generation="2025-12-07", changes=changes, **given), **beside)


LOOSER = change("support-bot", field("metrics.completeness", 0.85, 0.6), field("max_retries", 5, 8))
ADDED = Create("drafting", (FieldChange(FieldPath("name"), None, "d", None, None, None, "none"),), WORKFLOW)
PLACES = {
    ("support-bot", ""): Span(FILE, 3, 3),
    ("support-bot", "metrics.completeness"): Span(FILE, 7, 7),
    ("drafting", ""): Span("workflows/internal.yaml", 3, 3),
}
DENIED = Finding(
    "no-loosening",
    "denied",
    "Guardrails of customer-facing bots are not loosened without a waiver.",
    "metrics.completeness goes from 0.85 to 0.6; right would be 0.85 or more",
    "support-bot",
    "metrics.completeness",
    span=Span(FILE, 7, 7),
    remedy=REMEDY,
)
WAIVER = Waiver(
    "support-bot",
    "no-loosening",
    "metrics.completeness",
    0.6,
    "Too many false flags since the new prompt; back to 0.85 with prompt 12.",
    "dana@example.com",
    datetime.date(2026, 6, 30),
    Span("defendctl.yaml", 12, 5),
)
WARNED = Finding(
    "few-creates", "warned", "Create a few at a time.", "1 create; right would be 0 at most", None
)
REPLAY = Replay(
    "support-bot",
    "wkfl_support-bot",
    asked=50,
    events=48,
    window=("2026-01-02T08:00:00Z", "2026-01-05T17:30:00Z"),
    run_modes={"precision": 40, "super_fast": 8},
    metrics=(
        MetricReplay("completeness", 0.85, 0.6, 47, 1, 9, 2, 1),
        MetricReplay("correctness", None, 0.7, 0, 48, 0, 0, 0),
    ),
    before=Together(47, 1, 9, (0.104, 0.327)),
    after=Together(46, 2, 2, (0.012, 0.145)),
    newly_flagged=(),
    no_longer_flagged=tuple(f"evt_{n}" for n in range(25)),
    evaluations_before=(1.0, 1.4),
    evaluations_after=(1.0, 1.1),
    cost_before=(0.5, 0.5),
    cost_after=None,
    needed=20,
)
NOT_REPLAYED = Replay(
    "triage", "wkfl_triage", 50, why_not="an automatic workflow has no thresholds to replay"
)


def denied() -> Review:
    return a_plan(ADDED, LOOSER, findings=(DENIED,), places=PLACES)


def comment() -> Review:
    """The one that the README shows."""
    metrics = (MetricReplay("completeness", 0.85, 0.6, 50, 0, 9, 2, 1),)
    before, after = Together(50, 0, 9, (0.098, 0.308)), Together(50, 0, 2, (0.011, 0.135))
    ids = tuple(f"evt_{n}" for n in (12, 15, 21, 22, 30, 41, 48))
    told = replace(REPLAY, events=50, metrics=metrics, before=before, after=after, no_longer_flagged=ids)
    told = replace(told, run_modes={"precision": 50}, cost_after=(0.5, 0.5))
    return a_plan(ADDED, LOOSER, findings=(DENIED,), replays=(told,), places=PLACES)


def waived() -> Review:
    passes = replace(DENIED, verdict="waived", waiver=WAIVER, remedy=None)
    return a_plan(ADDED, LOOSER, findings=(passes, WARNED), places=PLACES)


def not_evaluated() -> Review:
    unsure = replace(DENIED, detail="nobody knows what is live", evaluated=False, remedy=None, span=None)
    return a_plan(ADDED, LOOSER, findings=(unsure,), places=PLACES, refreshed=False)


def replayed() -> Review:
    few = replace(REPLAY, events=3, metrics=(), run_modes={}, window=None, before=None)
    return a_plan(LOOSER, replays=(REPLAY, replace(few, address="other"), NOT_REPLAYED), places=PLACES)


def every_action() -> Review:
    """Each action in each direction that it can have."""
    moves = {
        "loosens": field("metrics.completeness", 0.9, 0.8),
        "indeterminate": field("web_search", True, False),
        "lateral": field("improvement_action", "fixit", "regenerate"),
        "tightens": field("metrics.completeness", 0.8, 0.9, origin="drift"),
        "none": field("description", "", "words", origin="conflict", applied="old"),
    }
    changes = [
        change(f"{action}-{way}", move, action=action, reason=_reason(action))
        for action in ACTIONS
        for way, move in moves.items()
        if action not in ("create", "retire", "none")
    ]
    gone = change("gone", action="retire", direction="indeterminate")
    off = change("off", field("status", "inactive", "active", origin="drift"), action="none")
    new = change(
        "new", FieldChange(FieldPath("name"), None, "new", None, None, None, "none"), action="create", id=None
    )
    refused = change("refused", action="blocked", reason=_reason("blocked"))
    found = (Diagnostic("warning", "older-state", "the state is older than one that was seen here"),)
    every = sorted([*changes, gone, off, new, refused], key=lambda each: each.address)
    return a_plan(*every, diagnostics=found, options=Options(target=("a", "b")))


def _reason(action: str) -> Reason | None:
    text = "cannot change metrics in place; `--replace ADDRESS` makes a new workflow"
    return Reason(IMPOSSIBLE, text) if action == "blocked" else None


def hostile_names() -> Review:
    """Every text that is not ours says something else."""
    changes = []
    for index, text in enumerate(HOSTILE):
        moves = (field(f"metrics.{text}", 0.9, None), field("name", text, "fine", origin="drift"))
        changes.append(change(f"bot-{index}", *moves, id=text, action="update"))
    blocked = change("bot-x", action="blocked", reason=Reason(IMPOSSIBLE, "; ".join(HOSTILE)))
    texts = iter(HOSTILE * 9)
    finding = Finding(next(texts), "denied", next(texts), next(texts), next(texts), next(texts))
    waiver = replace(WAIVER, to=next(texts), reason=next(texts), approver=next(texts))
    passes = replace(finding, verdict="waived", waiver=waiver, span=Span(next(texts), 1, 2))
    metric = MetricReplay(next(texts), 0.5, 0.6, 1, 0, 0, 1, 0)
    replay = replace(REPLAY, metrics=(metric,), run_modes={next(texts): 3}, newly_flagged=tuple(HOSTILE))
    told = Diagnostic("warning", next(texts), next(texts), Span(next(texts)))
    findings = (*(replace(finding, remedy=text) for text in HOSTILE), passes)
    made = a_plan(*changes, blocked, findings=findings, replays=(replay,), diagnostics=(told,))
    lineage = "x --> <script>"
    return replace(made, plan=replace(made.plan, host=HOSTILE[0], lineage=lineage, generation=HOSTILE[2]))


def many() -> Review:
    """500 workflows with the longest addresses; half of them loosen."""
    changes = []
    for index in range(500):
        address = f"{'a' * 57}-{index:05}"
        moves = (field("metrics.completeness", 0.9, 0.8 if index % 2 else 0.95), field("max_retries", 5, 9))
        changes.append(change(address, *moves))
    return a_plan(*changes)


BUILT: dict[str, Callable[[], Review]] = {
    "comment": comment,
    "policy-denied": denied,
    "policy-waived": waived,
    "policy-not-evaluated": not_evaluated,
    "replayed": replayed,
    "every-action": every_action,
    "hostile-names": hostile_names,
    "500-workflows": many,
}
