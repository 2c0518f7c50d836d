"""One result of each kind that no folder of `tests/cases` makes, with every optional part in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from defendctl.catalogue.find import CATALOGUE
from defendctl.diagnostics import Span
from defendctl.engine.results import ApplyResult, Result
from defendctl.event import Evaluation, Event, Listed, Score, SentEvent, ShownEvent, Submission
from defendctl.evidence.tuning import Examples, LabelledExample, Prices, WrittenThreshold
from defendctl.inspection.checkup import Checkup, Question, Served, ok, wrong
from defendctl.inspection.contrast import Comparison, Contrast, Difference
from defendctl.inspection.outputs import Outputs
from defendctl.inspection.proof import Proof, Proven
from defendctl.inspection.provenance import Known, ShownProvenance, Sighting
from defendctl.inspection.transfer import Migrated, Pushed
from defendctl.inspection.view import Row, View
from defendctl.model import CANARY, Binding, FieldPath, Intent, State
from defendctl.pipelines.wanted import PipelineFile, Pipelines
from defendctl.plan.changes import Move
from defendctl.plan.compare import FieldChange
from defendctl.plan.drift import Drifted, FieldEdit
from defendctl.render.json.results import drift as drift_document
from defendctl.render.page.saved import Saved
from defendctl.state.backend import Version
from defendctl.suite.models import Case, CaseResult, Configuration, Expectation, Repeat, Suite
from tests.evidence.given import OTHER, M, events, spread, tuned

if TYPE_CHECKING:
    from collections.abc import Mapping

AT: Final = "2026-01-05T09:00:00+00:00"
_VIEW = View(
    "bot",
    "wkfl_1",
    "active",
    (
        Row(FieldPath("metrics.completeness"), 0.8, 0.7, 0.8, "live"),
        Row(FieldPath("max_retries"), 2, None, 2, "applied"),
    ),
    ("description",),
)
_EVENT = Event(
    "evt_1",
    "completed",
    filtered=True,
    improvement="improved",
    attempts=1,
    evaluations=(
        Evaluation(
            {"completeness": Score(0.4, 0.8), "correctness": Score(True, carried=True)},
            cost=0.25,
            at=AT,
            content={"rationale": "too short"},
        ),
        Evaluation({}, broken=True),
    ),
    at=AT,
    run_mode="fast",
    settings={"metrics": {"completeness": 0.8}, "name": "##[group]"},
    content={"user_prompt": "Hello"},
)
_CASE = Case(
    "says hello", "bot", Submission("Hello", "m"), Expectation(), 2, 1, ("short",), 0.5, Span("t.yaml", 3, 5)
)
_REPEAT = Repeat(
    "otherwise",
    ("it passes",),
    "yes",
    "evt_1",
    True,
    True,
    {"completeness": Score(0.4, 0.8)},
    "improved",
    0.25,
    1.2345,
)
_PROVEN = Proven(FieldPath("metrics.completeness"), 0.8, 0.7, "differs")
_LOOSER = FieldChange(FieldPath("metrics.completeness"), 0.8, 0.7, None, None, None, "loosens")
_SIDE = {"known": 48, "unknown": 2, "fails": 12, "flag_rate": 0.25, "interval": [0.149, 0.388]}
FLEET: Final[Mapping[str, Any]] = {
    "format_version": "1.0",
    "kind": "fleet",
    "environment": "prod",
    "host": "api.example.com",
    "workflows": [
        {
            "address": "bot",
            "workflow_id": "wkfl_1",
            "action": "update",
            "direction": "loosens",
            "drift": "tightens",
            "missing": False,
            "policy": {"rules": 2, "denied": ["floor"], "warned": [], "waived": []},
            "before": {**_SIDE, "flag_rate_range": [0.24, 0.28], "bounds": [0.24, 0.28]},
            "after": {**_SIDE, "unknown": 0, "known": 50, "bounds": [0.24, 0.24]},
            "evidence": {
                "why_not": None,
                "events": 50,
                "window": [AT, AT],
                "age_days": 1,
                "labels": {
                    "should_be_flagged": 13,
                    "should_pass": 84,
                    "unsure": 3,
                    "until": "2026-01-01",
                    "age_days": 30,
                },
            },
            "test": {"at": AT, "of": "live", "passed": 3, "cases": 4},
        },
        {
            "address": "triage",
            "workflow_id": None,
            "action": "create",
            "direction": None,
            "drift": None,
            "missing": False,
            "policy": {"rules": 0, "denied": [], "warned": [], "waived": []},
            "before": None,
            "after": None,
            "evidence": {"why_not": "there are no events yet", "events": 0, "window": None},
            "test": None,
        },
    ],
}
DRIFTED: Final = Drifted(
    "bot",
    "wkfl_1",
    "loosens",
    "active",
    (FieldEdit(FieldPath("metrics.completeness"), 0.8, 0.7, 0.8, "drift", "loosens"),),
)

EXAMPLES: Final[Mapping[str, Any]] = {
    "apply": ApplyResult(
        [Result("bot", "create", "done", "wkfl_1"), Result("b", "update", "failed", None, "it answers 500")],
        moves=[Move("old", "new", "wkfl_2")],
    ),
    "pipelines": Pipelines(
        "github",
        "defendctl init --ci github",
        (
            PipelineFile(".github/workflows/guardrails-plan.yml", "written"),
            PipelineFile(".github/workflows/guardrails-apply.yml", "equal"),
            PipelineFile(".github/workflows/guardrails-drift.yml", "kept"),
        ),
        ("commit these files",),
    ),
    "workflow": _VIEW,
    "provenance": ShownProvenance(
        _VIEW,
        (
            Known(FieldPath("metrics.completeness"), 0.7, "live", None, AT, "run 1"),
            Known(FieldPath("max_retries"), 3, "event", Sighting("evt_1", AT, 3)),
        ),
        90.4,
    ),
    "state": State(
        lineage="lineage-1",
        serial=3,
        bindings={"bot": Binding("wkfl_1"), CANARY: Binding("wkfl_c")},
        unresolved={"b": Intent("op", AT, {"name": "B"})},
        tombstones={"old": (Binding("wkfl_2"), Binding("wkfl_3"))},
    ),
    "migration": Migrated(
        "/srv/defendctl.state.json",
        "git+origin?key=checkout",
        "7f3a",
        "state:\n  url: git+origin?key=checkout\n  lineage: 7f3a\n",
        ("feature", "origin/old"),
    ),
    "push": Pushed("git+origin?key=checkout", 8, ("bot → wkfl_1",)),
    "versions": [Version(3, "0123456789abcdef", "restore serial 3: `git restore`", "in git", AT)],
    "paths": ["defendctl.state.json", "kept/my state.json"],
    "outputs": Outputs({"bot": "wkfl_1", "team/b": "wkfl_2"}, {"bot": "fast"}),
    "events": Listed("bot", "wkfl_1", 5, (_EVENT, Event("evt_2", "in_progress")), 10),
    "event": ShownEvent("bot", "wkfl_1", _EVENT),
    "submission": SentEvent("bot", "wkfl_1", "unknown", "evt_1", "the answer was cut short"),
    "test-results": Suite(
        "api.example.com",
        "2025-10-22",
        "prod",
        (Configuration("bot", "wkfl_1", f"sha256:{'0' * 64}"),),
        (CaseResult(_CASE, "failed", (_REPEAT,)), CaseResult(_CASE, "not_judged", (), "the budget is spent")),
        12.3456,
        0.5,
        1.0,
        "budget",
        True,
        AT,
    ),
    "tune": replace(
        tuned(
            events(spread(100), other=0.9),
            {M: 0.9, OTHER: 0.5},
            Examples(
                known=({M: 0.05, OTHER: 0.8},),
                by_lot=tuple(LabelledExample({M: at % 40 / 40, OTHER: 0.9}, at % 3 == 0) for at in range(80)),
                labels=81,
            ),
            max_flag_rate=0.2,
            catch="found",
            cost=Prices(3, 1),
        ),
        written=(WrittenThreshold(M, 0.1, "workflows/bot.yaml", 7),),
    ),
    "explanation": (CATALOGUE["threshold-one"],),
    "report": Saved((FLEET, drift_document([DRIFTED]))),
    "proof": Proof(
        "bot",
        "wkfl_1",
        "differs",
        None,
        "evt_1",
        AT,
        AT,
        (_PROVEN,),
    ),
    "comparison": Comparison(
        "dev",
        "prod",
        (
            Contrast("b", "dev", "indeterminate"),
            Contrast(
                "bot",
                None,
                "loosens",
                (_LOOSER,),
            ),
        ),
        4,
        (
            Difference("rule floor", {"level": "deny", "max_creates": 3}, None, "loosens"),
            Difference("api.generation", "auto", "2025-12-07", "indeterminate"),
        ),
        (("old", "new"),),
    ),
    "doctor": Checkup(
        (ok("key", "it is accepted"), wrong("state", "there is none", "run init", 6)),
        Served(1, ("2025-10-22",), "2025-10-22", ("name",), (), ("name",), ("name",), ("title",), ()),
        (Question("q1", "Does it?", "It does.", ""), Question("q2", "And this?", None, "nothing was read")),
    ),
}
