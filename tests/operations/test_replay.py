"""plan --replay over a real sandbox: its numbers against SQL over the events that the sandbox stored."""

from __future__ import annotations

import json
import random
import sqlite3
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.operations.progress import Progress
from defendctl.operations.replay import Asks, replay_plan
from defendctl.replay.sample import Sample
from tests.conftest import automatic, custom
from tests.plan.given import WORKFLOW, bound, one_plan, seen

if TYPE_CHECKING:
    from tests.conftest import Project, Ran, World

Json = Any
GRID = [number / 20 for number in range(21)]


def replay(ran: Ran, address: str = "a") -> Json:
    return next(each for each in ran.json["replay"] if each["address"] == address)


def moved(project: Project, events: list[Json], after: dict[str, float], **before: Any) -> str:
    """A live workflow that had these events, and whose thresholds are declared anew; its id."""
    project.declare({"a": custom(**before)})
    project.apply()
    workflow_id = project.bound("a")
    if events:
        project.server.give(workflow_id, *events)
    project.declare({"a": custom(**{**before, "metrics": after})})
    return workflow_id


# --- the numbers, computed another way ---

SCHEMA = """
CREATE TABLE events (event_id TEXT, at TEXT, mode TEXT, attempts INTEGER, cost REAL);
CREATE TABLE scores (event_id TEXT, metric TEXT, score REAL, verdict INTEGER);
CREATE TABLE bars (side TEXT, metric TEXT, bar REAL);
CREATE VIEW told AS SELECT events.event_id, side, bars.metric,
    CASE WHEN verdict IS NOT NULL THEN NOT verdict ELSE score < bar END AS failing
    FROM events CROSS JOIN bars
    LEFT JOIN scores ON scores.event_id = events.event_id AND scores.metric = bars.metric;
CREATE VIEW sides AS SELECT event_id, side,
    CASE WHEN max(coalesce(failing, 0)) THEN 'fails'
         WHEN min(failing IS NOT NULL) THEN 'passes' END AS verdict
    FROM told GROUP BY event_id, side;
"""


class Truth:
    """SQL over what the sandbox stored of the last events."""

    def __init__(self, events: list[Json], before: dict[str, float], after: dict[str, float]) -> None:
        self._db = sqlite3.connect(":memory:")
        self._db.executescript(SCHEMA)
        for side, bars in (("before", before), ("after", after)):
            self._db.executemany("INSERT INTO bars VALUES (?, ?, ?)", [(side, m, b) for m, b in bars.items()])
        for event in events:
            self._add(event)

    def _add(self, event: Json) -> None:
        told = event["evaluations"]
        row = (
            event["event_id"],
            event["created_at"],
            event["submission"]["run_mode"],
            len(told),
            sum(e["cost"] for e in told),
        )
        self._db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", row)
        for metric, value in told[0]["result"].items():
            score = value["score"]
            pair = (None, score) if isinstance(score, bool) else (score, None)
            self._db.execute("INSERT INTO scores VALUES (?, ?, ?, ?)", (event["event_id"], metric, *pair))

    def one(self, query: str, *values: Any) -> Any:
        return self._db.execute(query, values).fetchone()[0]

    def ids(self, before: str, after: str) -> set[str]:
        rows = self._db.execute(
            "SELECT b.event_id FROM sides b JOIN sides a USING (event_id) WHERE b.side = 'before' "
            "AND a.side = 'after' AND b.verdict = ? AND a.verdict = ?",
            (before, after),
        )
        return {event_id for (event_id,) in rows}


def assert_agrees(found: Json, events: list[Json], before: dict[str, float], after: dict[str, float]) -> None:
    truth = Truth(events, before, after)
    assert found["why_not"] is None
    assert found["events"] == truth.one("SELECT count(*) FROM events")
    assert found["window"] == [
        truth.one("SELECT min(at) FROM events"),
        truth.one("SELECT max(at) FROM events"),
    ]
    for mode, count in found["run_modes"].items():
        assert count == truth.one("SELECT count(*) FROM events WHERE mode = ?", mode)
    for side in ("before", "after"):
        count = "SELECT count(*) FROM sides WHERE side = ? AND verdict "
        assert found[side]["fails"] == truth.one(count + "= 'fails'", side)
        assert found[side]["known"] == truth.one(count + "IS NOT NULL", side)
        assert found[side]["unknown"] == truth.one(count + "IS NULL", side)
        bars = before if side == "before" else after
        for row in found["metrics"]:
            failing = truth.one(
                "SELECT count(*) FROM told WHERE side = ? AND metric = ? AND failing", side, row["metric"]
            )
            assert row[f"fails_{side}"] == failing
            assert row[side] == bars.get(row["metric"])
    for row in found["metrics"]:
        scored = "SELECT count(*) FROM scores WHERE metric = ? AND (score IS NOT NULL OR verdict IS NOT NULL)"
        assert row["scored"] == truth.one(scored, row["metric"])
        assert row["unscored"] == len(events) - row["scored"]
        ties = "SELECT count(*) FROM scores JOIN bars USING (metric) WHERE side = 'after' AND score = bar"
        assert row["ties"] == truth.one(f"{ties} AND metric = ?", row["metric"])
    assert {row["metric"] for row in found["metrics"]} == {*before, *after}
    assert set(found["newly_flagged"]) == truth.ids("passes", "fails")
    assert set(found["no_longer_flagged"]) == truth.ids("fails", "passes")
    assert found["evaluations_before"] == pytest.approx([truth.one("SELECT avg(attempts) FROM events")] * 2)
    assert found["cost_before"] == pytest.approx([truth.one("SELECT avg(cost) FROM events")] * 2)


def made_up(count: int, seed: int) -> list[Json]:
    """Events with ties, verdicts, metrics without a score, and up to three attempts."""
    chance = random.Random(seed)

    def scores() -> Json:
        values = {
            "completeness": chance.choice(GRID),
            "correctness": chance.choice([None, *GRID]),
            "comprehensive_safety": chance.choice([True, True, False, 0.5]),
        }
        return {metric: score for metric, score in values.items() if chance.random() < 0.9}

    return [
        {
            "event_id": f"evt_{number:03}",
            "created_at": f"2026-01-{1 + number % 20:02}T{number % 24:02}:{number % 60:02}:00Z",
            "run_mode": chance.choice(["fast", "precision", "super_fast"]),
            "scores": [scores() for _ in range(chance.choice([1, 1, 2, 4]))],
        }
        for number in range(count)
    ]


CHANGES = [
    ({"completeness": 0.6}, {"completeness": 0.75}),
    ({"completeness": 0.75, "correctness": 0.5}, {"completeness": 0.5, "correctness": 0.6}),
    ({"completeness": 0.4}, {"completeness": 0.4, "correctness": 0.3}),
    (
        {"completeness": 0.5, "comprehensive_safety": 0.5},
        {"comprehensive_safety": 1.0, "context_adherence": 0.5},
    ),
]


@pytest.mark.parametrize(("before", "after"), CHANGES, ids=lambda bars: ",".join(bars))
@pytest.mark.parametrize(("last", "count"), [(None, 80), (20, 80), (50, 7)])
def test_the_numbers_are_those_of_sql(
    project: Project, before: dict[str, float], after: dict[str, float], last: int | None, count: int
) -> None:
    workflow_id = moved(project, made_up(count, seed=count), after, metrics=before)
    ran = project.plan("--replay", *([str(last)] if last else []))
    stored = project.server.events(workflow_id)[-(last or 50) :]
    assert_agrees(replay(ran), stored, before, after)


def test_of_several_attempts_the_first_counts(project: Project) -> None:
    """The sandbox makes the stories up itself: later attempts score better, and must not be taken."""
    events = [{"model_output": f"output {number}"} for number in range(50)]
    before, after = {"completeness": 0.5}, {"completeness": 0.8}
    workflow_id = moved(project, events, after, metrics=before)
    stored = project.server.events(workflow_id)
    assert sum(len(event["evaluations"]) > 1 for event in stored) > 10
    assert_agrees(replay(project.plan("--replay")), stored, before, after)


@pytest.mark.parametrize("generation", ["2025-11-10", "2025-12-07"])
def test_each_generation_that_lists_events(world: World, generation: str) -> None:
    project = world(answers=generation)
    before, after = {"completeness": 0.6}, {"completeness": 0.75}
    workflow_id = moved(project, made_up(50, 1), after, metrics=before)
    assert_agrees(replay(project.plan("--replay")), project.server.events(workflow_id), before, after)


@pytest.mark.parametrize("generation", ["2025-10-07", "2025-10-22"])
def test_generations_that_list_none(world: World, generation: str) -> None:
    project = world(generation=generation)
    project.pin(generation)
    moved(project, [], {"completeness": 0.9})
    found = replay(project.plan("--replay"))
    assert found["why_not"] == "it is blocked (impossible), so nothing changes"
    ran = project.plan("--replay", "--replace", "a")
    assert replay(ran)["why_not"] == "this generation of the API lists no events"


def test_events_that_are_not_finished_or_broke_off(project: Project) -> None:
    events = [
        {"status": "in_progress", "scores": {"completeness": 0.1}},
        {"status": "failed", "scores": {"completeness": None}},
        {"status": "completed", "scores": {"completeness": 0.9}},
    ]
    moved(project, events, {"completeness": 0.95})
    found = replay(project.plan("--replay"))
    assert (found["events"], found["after"]["unknown"], found["after"]["fails"]) == (3, 2, 1)


# --- how it is asked for ---


def limits(project: Project) -> list[str]:
    asked = [each["query"] for each in project.server.requests("GET")]
    project.server.forget_requests()
    return asked


def test_what_is_sent(project: Project) -> None:
    """limit=1 to plan, the last events of what changes and of nothing else; nothing but GET."""
    metrics = {"completeness": 0.9}
    project.declare({"a": custom(), "b": custom(), "c": automatic(), "d": custom()})
    project.apply()
    project.declare(
        {
            "a": custom(metrics=metrics),
            "b": custom(),
            "c": automatic(tolerance="high"),
            "n": custom(),
            "d": custom(name="new"),
        }
    )
    project.server.forget_requests()
    bare = project.plan("--replay")
    assert sorted(limits(project)) == ["limit=1"] * 4 + ["limit=50"]
    assert "replay" not in project.plan().json
    assert limits(project) == ["limit=1"] * 4
    assert project.server.count("PUT") == 0
    assert [(each["address"], bool(each["why_not"])) for each in bare.json["replay"]] == [
        ("a", False),
        ("c", True),
        ("n", True),
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--replay"], "limit=50"),
        (["--replay", "20"], "limit=20"),
        (["--replay=20"], "limit=20"),
        (["--replay", "--target", "a"], "limit=50"),
        (["--replay", "-v"], "limit=50"),
        (["--target", "a", "--replay"], "limit=50"),
    ],
)
def test_a_bare_option_eats_nothing(project: Project, words: list[str], expected: str) -> None:
    moved(project, [{}], {"completeness": 0.9})
    limits(project)
    project.ok("plan", *words)
    assert limits(project) == ["limit=1", expected]


def test_from_the_environment(project: Project) -> None:
    moved(project, [{}], {"completeness": 0.9})
    project.env["DEFENDCTL_PLAN_REPLAY"] = "7"
    limits(project)
    project.ok("plan")
    assert limits(project) == ["limit=1", "limit=7"]


@pytest.mark.parametrize("words", [["0"], ["1001"], ["many"], ["-5"]])
def test_a_number_of_events(project: Project, words: list[str]) -> None:
    moved(project, [], {"completeness": 0.9})
    project.ok("plan", "--replay", *words, code=64)


def test_without_a_network_there_is_nothing_to_replay(project: Project) -> None:
    moved(project, [{}], {"completeness": 0.9})
    limits(project)
    assert "leave one of them out" in project.ok("plan", "--replay", "--no-refresh", code=64).err
    assert limits(project) == []


def test_a_plan_that_was_not_refreshed_says_why(project: Project) -> None:
    """Who asks for a replay without the option, like a gate, is told and not let through."""
    plan = one_plan(WORKFLOW, seen({**WORKFLOW.fields(), "metrics": {"completeness": 0.5}}), bound({}))
    workspace: Any = SimpleNamespace(project=SimpleNamespace(lint={}))
    plan = replace(plan, refreshed=False)
    [found] = replay_plan(workspace, plan, {}, Asks(Sample(5), Sample()), 10, Progress()).judged
    assert found.why_not == "nothing is read with --no-refresh"


# --- what it is not ---


def test_the_digest_and_the_plan_are_the_same(project: Project) -> None:
    moved(project, made_up(50, 3), {"completeness": 0.9})
    plain, with_replay = project.plan(), project.plan("--replay", "--out", "p.json")
    assert plain.json == {key: value for key, value in with_replay.json.items() if key != "replay"}
    assert json.loads((project.root / "p.json").read_text())["replay"] == with_replay.json["replay"]
    project.ok("apply", "p.json")
    project.assert_settled()


def test_no_threshold_changes(project: Project) -> None:
    project.declare({"a": custom()})
    project.apply()
    project.declare({"a": custom(description="new")})
    assert "replay" not in project.plan("--replay").json


def test_events_that_cannot_be_read_leave_the_plan_standing(project: Project) -> None:
    workflow_id = moved(project, [{}], {"completeness": 0.9})
    project.server.fault("status", "GET", skip=1, times=None, status=418)
    ran = project.plan("--replay")
    assert ran.actions() == {"a": "update"}
    assert replay(ran)["why_not"] == f"reading events of {workflow_id}: the API answered 418"
    project.server.heal()
    project.server.fault("status", "GET", skip=1, times=None, status=404)
    assert replay(project.plan("--replay"))["why_not"] == "the API answers 404 for it"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_what_it_always_is(project: Project, status: int) -> None:
    moved(project, [{}], {"completeness": 0.9})
    project.server.fault("status", "GET", skip=1, times=None, status=status)
    project.ok("plan", "--replay", code=3)


def test_under_the_embedded_sandbox(project: Project) -> None:
    project.declare({"a": custom()})
    project.ok("--sandbox", "apply", "--yes")
    project.declare({"a": custom(metrics={"completeness": 0.9})})
    found = replay(project.json("plan", "--sandbox", "--replay"))
    assert (found["events"], found["after"]["flag_rate"], found["enough"]) == (0, None, False)


# --- what people read ---


def test_what_it_says(project: Project) -> None:
    events = [
        {
            "event_id": f"evt_{number:02}",
            "created_at": f"2026-01-{1 + number // 2:02}T10:00:00Z",
            "run_mode": "precision" if number % 5 == 0 else "fast",
            "scores": {"completeness": number / 50},
        }
        for number in range(50)
    ]
    workflow_id = moved(
        project, events, {"completeness": 0.3, "correctness": 0.5}, metrics={"completeness": 0.12}
    )
    said = project.ok("plan", "--replay").out
    assert said[said.index("Replay") : said.index("Plan: ")] == WORDS.format(workflow_id)


WORDS = """\
Replay of recent events (flag rates; whether a flag was right is not known):
  a ({})  50 events, 2026-01-01 10:00 to 2026-01-25 10:00 UTC, run modes fast 40, precision 10
      flagged today         12 % (6 of 50, 95 %: 6 to 24 %)
      under this plan       30 to 100 % (15 of 50 for certain, 35 unknown)
      newly flagged         evt_14, evt_13, evt_12, evt_11, evt_10 (+4)
      evaluations an event  1 today, 1.3 to 11 under this plan
      cost an event         0.0026 today, unknown where a metric is added or removed
      completeness  0.12 -> 0.3  6 -> 15 of 50 below, 1 exactly on 0.3, which passes
      correctness  (none) -> 0.5  0 -> 0 of 0 below, 50 without a score: unknown
"""


# --- what the events say against the settings ---


def test_lint(project: Project) -> None:
    metrics = {"context_adherence": 0.5, "ground_truth_adherence": 0.5}
    event = {"run_mode": "super_fast", "scores": dict.fromkeys(metrics, 0.9)}
    moved(project, [event], {**metrics, "completeness": 0.5}, metrics=metrics, web_search=True)
    ran = project.plan("--replay")
    codes = [each["code"] for each in ran.json["diagnostics"]]
    assert codes == ["replay-no-context", "replay-no-ground-truth", "replay-super-fast-search"]
    assert all(code in ran.err for code in codes)


def test_how_grave_a_lint_is(project: Project) -> None:
    metrics = {"context_adherence": 0.5}
    project.settings(lint={"replay-no-context": "error", "replay-super-fast-search": "ignore"})
    event = {"run_mode": "super_fast", "scores": dict.fromkeys(metrics, 0.9)}
    moved(project, [event], {"context_adherence": 0.6}, metrics=metrics, web_search=True)
    ran = project.plan("--replay", code=1)
    assert [(each["code"], each["severity"]) for each in ran.json["diagnostics"]] == [
        ("replay-no-context", "error")
    ]


def test_lint_of_what_cannot_be_replayed(project: Project) -> None:
    """Its events are read all the same, where they could say something."""
    project.declare({"a": automatic(metrics=["context_adherence"])})
    project.apply()
    project.server.give(project.bound("a"), {})
    project.declare({"a": automatic(metrics=["context_adherence"], tolerance="high")})
    ran = project.plan("--replay")
    assert [each["code"] for each in ran.json["diagnostics"]] == ["replay-no-context"]
    project.server.fault("status", "GET", skip=1, times=None, status=418)
    assert project.plan("--replay").json["diagnostics"] == []


def test_hostile_words(project: Project) -> None:
    """Ids and names come from the API, and act on no terminal."""
    event = {"event_id": "##[error]evt", "run_mode": "\x1b[2J", "scores": {"::x\u202e": 0.1}}
    project.settings(custom_metrics=["completeness"])
    workflow_id = moved(project, [event], {"completeness": 0.9})
    project.server.edit(workflow_id, metrics={"::x\u202e": 0.05})
    ran = project.ok("plan", "--replay", "-v")
    assert all(line.isprintable() for line in (ran.out + ran.err).split("\n"))
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in ran.out.split("\n"))
