"""`defendctl tune` over a real sandbox: each exit code, what is refused, and what it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import automatic, custom
from tests.evidence.given import spread

if TYPE_CHECKING:
    from tests.conftest import Project, Ran, World

TODAY = 0.9
MANIFEST = """\
version: 1
workflows:
  a:
    type: custom
    metrics:
      # ours
      completeness: {today}
      correctness: 0.5
    improvement_action: fixit
"""


def write(project: Project, text: str, name: str = "workflows/a.yaml") -> None:
    (project.root / name).parent.mkdir(exist_ok=True)
    (project.root / name).write_text(text)


def seen(scores: list[float], mode: str = "fast") -> list[dict[str, Any]]:
    return [{"scores": {"completeness": score, "correctness": 0.9}, "run_mode": mode} for score in scores]


@pytest.fixture
def live(project: Project) -> Project:
    """A hundred events, spread evenly: at 0.9 ninety are flagged, and 13 may be for 20 %."""
    write(project, MANIFEST.format(today=TODAY))
    project.apply()
    project.server.give(project.bound("a"), *seen(spread(100)))
    project.server.forget_requests()
    return project


def tune(project: Project, *arguments: str, code: int = 0, metric: str = "completeness") -> Ran:
    return project.ok("tune", "a", "--metric", metric, *arguments, code=code)


def found(project: Project, *arguments: str, code: int = 0) -> Any:
    return project.json("tune", "a", "--metric", "completeness", *arguments, code=code).json


def apply(project: Project, today: float) -> None:
    write(project, MANIFEST.format(today=today))
    project.apply()


def text(project: Project) -> str:
    return (project.root / "workflows/a.yaml").read_text()


def results(project: Project, *cases: tuple[str, list[float], str | None], **changes: Any) -> str:
    """A results file of `test --out`, with cases: the name, the scores of its runs, and what is expected."""
    run = {
        **dict.fromkeys(("event_id", "flagged", "improvement", "cost")),
        **{"held": "as_expected", "submitted": "yes", "ended": True, "why": [], "seconds": 0.1},
    }
    score = {"threshold": 0.5, "flagged": None}
    told = [
        {
            **{"name": name, "address": "a", "expected": expected, "verdict": "passed", "why": None},
            **{"repeats": 1, "quorum": 1, "run_mode": "fast", "tags": [], "cost": None},
            **{"file": None, "line": None, "column": None},
            "runs": [
                {
                    **run,
                    "scores": {
                        "completeness": {"score": one, **score},
                        "correctness": {"score": 0.9, **score},
                    },
                }
                for one in scores
            ],
        }
        for name, scores, expected in cases
    ]
    summary = {"failed": 0, "flaky": 0, "not_judged": 0, "passed": len(told), "cost": None, "seconds": 0.1}
    document = {
        **{"format_version": "1.0", "kind": "test-results", "digest": "sha256:0", "generation": "2025-12-07"},
        **{"host": project.state["api_host"], "candidate": False, "at": "2026-11-26T00:00:00Z"},
        **{"estimate": None, "max_cost": None, "stopped": None, "configurations": []},
        **{"summary": summary, "cases": told, **changes},
    }
    (project.root / "results.json").write_text(json.dumps(document))
    return "results.json"


# --- exit codes ---


def test_0_todays_is_proven(live: Project) -> None:
    apply(live, 0.1)
    told = found(live, "--max-flag-rate", "20%")
    [metric] = told["metrics"]
    assert (metric["today_is"], metric["status"], metric["flagged"]) == ("proven", "proven", [10, 10])
    assert (metric["suggested"], metric["range"], metric["direction"]) == (0.13, [0.0, 0.13], "tightens")
    assert told["written"] == []


def test_2_another_is_proven(live: Project) -> None:
    told = found(live, "--max-flag-rate", "20%", code=2)
    [metric], [goal] = told["metrics"], told["goals"]
    assert (metric["today_is"], metric["suggested"], metric["direction"]) == ("broken", 0.13, "loosens")
    assert (goal["allowed"], goal["n"], goal["hits_today"], goal["hits_suggested"]) == (
        13,
        100,
        [90, 90],
        [13, 13],
    )
    assert told["evidence"]["run_mode"] == "fast"


def test_5_undecided(live: Project) -> None:
    """Nothing shows that it breaks the goal, so nothing is loosened."""
    apply(live, 0.2)
    told = found(live, "--max-flag-rate", "20%", code=5)
    assert (told["metrics"][0]["today_is"], told["metrics"][0]["suggested"]) == ("undecided", None)


def test_5_too_few_events(live: Project) -> None:
    told = found(live, "--max-flag-rate", "5%", "--replay", "41", code=5)
    assert told["why"] == ["flag rate at most 5 %: 59 events are needed, 41 are there"]
    assert (told["goals"][0]["needed"], told["evidence"]["events"]) == (59, 41)


def test_5_impossible(live: Project) -> None:
    write(live, MANIFEST.format(today=0.1).replace("0.5", "0.95"))
    live.apply()
    told = found(live, "--max-flag-rate", "20%", code=5)
    assert told["metrics"][0]["status"] == "impossible"
    assert "at most 13 of 100 events may be flagged, but correctness alone flags 100" in told["why"][0]


def test_5_no_events_of_that_mode_or_time(live: Project) -> None:
    for of in (("--run-mode", "precision"), ("--since", "2999-01-01")):
        told = found(live, "--max-flag-rate", "20%", *of, code=5)
        assert told["why"] == ["flag rate at most 20 %: 14 events are needed, 0 are there"]
        assert told["evidence"]["window"] is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "say what the threshold shall do"),
        (("--max-flag-rate", "0"), "is not a rate from 0.1% to 99.9%; write 5% or 0.05"),
        (("--max-flag-rate", "20"), "'20' is not a rate from 0.1% to 99.9%; did you mean 20%?"),
        (("--max-flag-rate", "500%"), "'500%' is not a rate from 0.1% to 99.9%; write 5% or 0.05."),
        (("--max-flag-rate", "nan"), "; write 5% or 0.05"),
        (
            ("--max-flag-rate", "5%", "--confidence", "1"),
            "is not a rate from 50% to 99.99%",
        ),
        (("--max-flag-rate", "5%", "--looks", "0"), "--looks"),
        (("--max-flag-rate", "5%", "--since", "yesterday"), "--since"),
        (("--max-flag-rate", "5%", "--allow-loosening"), "need --write"),
        (("--catch", "tests"), "go together"),
        (("--cost", "20"), "is not FALSE:MISS, two numbers like 1:20"),
        (("--cost", "0:0"), "is not FALSE:MISS"),
        (("--cost", "1:-2"), "is not FALSE:MISS"),
        (("--cost", "1:1e3"), "is not FALSE:MISS"),
        (("--max-flag-rate", "5%", "--tests", "x.json"), "go together"),
        (("--max-flag-rate", "5%", "--metric", "correctnes"), 'Did you mean "correctness"?'),
    ],
)
def test_64_what_is_said_wrong(live: Project, given: tuple[str, ...], said: str) -> None:
    assert said in tune(live, *given, code=64).err


def test_64_several_run_modes(live: Project) -> None:
    live.server.give(live.bound("a"), *seen([0.5, 0.6], "precision"))
    ran = tune(live, "--max-flag-rate", "20%", code=64)
    assert "(fast 98, precision 2)" in ran.err
    assert "--run-mode" in ran.err
    assert found(live, "--max-flag-rate", "20%", "--run-mode", "fast", code=2)["evidence"]["events"] == 98


def test_1_verdicts_have_no_threshold(live: Project) -> None:
    live.server.give(live.bound("a"), {"scores": {"completeness": True}, "run_mode": "fast"})
    assert "gives verdicts and no scores" in tune(live, "--max-flag-rate", "20%", code=1).err


def test_1_automatic_thresholds(project: Project) -> None:
    project.declare({"a": automatic()})
    project.apply()
    assert "its thresholds are automatic today" in tune(project, "--max-flag-rate", "20%", code=1).err


def test_1_nothing_is_bound(project: Project) -> None:
    project.declare({"a": custom()})
    assert "not bound to a workflow" in tune(project, "--max-flag-rate", "20%", code=1).err


def test_1_a_workflow_that_is_gone(live: Project) -> None:
    live.server.remove(live.bound("a"))
    assert "404" in tune(live, "--max-flag-rate", "20%", code=1).err


def test_1_a_generation_without_events(world: World) -> None:
    old = world(generation="2025-10-07")
    old.pin("2025-10-07")
    write(old, MANIFEST.format(today=TODAY))
    old.apply()
    assert "cannot be tuned" in tune(old, "--max-flag-rate", "20%", code=1).err


def test_3_a_key_that_is_refused(live: Project) -> None:
    live.server.fault("status", "GET", status=401)
    tune(live, "--max-flag-rate", "20%", code=3)


def test_it_reads_alone(live: Project) -> None:
    tune(live, "--max-flag-rate", "20%", code=2)
    assert {one["method"] for one in live.server.requests()} == {"GET"}
    assert len(live.server.requests()) == 2


# --- known cases ---


def test_known_bad_cases(live: Project) -> None:
    apply(live, 0.1)
    file = results(live, ("bad", [0.2, 0.31], "flagged"), ("good", [0.9], "passes"), ("part", [0.99], None))
    told = found(live, "--catch", "tests", "--tests", file, code=2)
    assert (told["metrics"][0]["suggested"], told["goals"][0]["hits_today"]) == (0.32, [2, 2])
    assert told["evidence"]["tests_digest"].startswith("sha256:")
    both = found(live, "--catch", "tests", "--tests", file, "--max-flag-rate", "20%", code=5)
    assert "no threshold does both" in both["why"][-1]


def test_results_of_elsewhere_say_nothing_here(live: Project) -> None:
    file = results(live, ("bad", [0.2], "flagged"), host="other.example")
    assert "other.example" in tune(live, "--catch", "tests", "--tests", file, code=1).err
    (live.root / "results.json").write_text("{}")
    assert "holds no results" in tune(live, "--catch", "tests", "--tests", file, code=1).err


@pytest.mark.parametrize(
    ("spoilt", "where"),
    [
        ({"runs": None}, "cases.0.runs"),
        ({"runs": [{}]}, "cases.0.runs.0.held"),
        ({"runs": [0.2]}, "cases.0.runs.0"),
        ({"score": "0.2"}, "cases.0.runs.0.scores.completeness.score"),
        ({"score": float("nan")}, "cases.0.runs.0.scores.completeness.score"),
    ],
)
def test_results_that_were_edited_by_hand_are_refused_by_place(
    live: Project, spoilt: Any, where: str
) -> None:
    file = results(live, ("bad", [0.2], "flagged"))
    document = json.loads((live.root / file).read_text())
    [case] = document["cases"]
    case |= {key: value for key, value in spoilt.items() if key == "runs"}
    if "score" in spoilt:
        case["runs"][0]["scores"]["completeness"] |= spoilt
    (live.root / file).write_text(json.dumps(document))
    assert f"look at `{where}" in tune(live, "--catch", "tests", "--tests", file, code=1).err


# --- writing ---


def test_what_loosens_is_written_only_where_that_is_said(live: Project) -> None:
    before = text(live)
    ran = tune(live, "--max-flag-rate", "20%", "--write", code=2)
    assert "would loosen what the manifest says" in ran.err
    assert text(live) == before
    told = found(live, "--max-flag-rate", "20%", "--write", "--allow-loosening")
    line = next(one for one in text(live).splitlines() if "completeness" in one)
    value, _, remark = line.partition("  # tune ")
    assert value == "      completeness: 0.13"
    assert remark.partition(": ")[2] == "flag rate at most 20 %, 95 %, n=100"
    assert "# ours" in text(live)
    assert told["written"] == [
        {"metric": "completeness", "value": 0.13, "file": "workflows/a.yaml", "line": 7}
    ]
    assert live.server.count("PUT") == 0


def test_the_remark_tells_what_it_rests_on(live: Project) -> None:
    """Of two metrics the newer half judges; what bursts make an estimate of is called so."""
    write(live, MANIFEST.format(today=0.05).replace("0.5", "0.05"))
    live.apply()
    both = ("--metric", "correctness", "--max-flag-rate", "20%", "--write")
    tune(live, *both)
    assert text(live).count(": flag rate at most 20 %, 95 %, n=50\n") == 2
    burst = [0.1 + (at // 4 * 7 % 25) / 30 for at in range(100)]
    live.server.give(live.bound("a"), *seen(burst))
    tune(live, "--max-flag-rate", "40%", "--write", "--accept-estimate")
    assert ": flag rate at most 40 %, 95 % (estimate), n=100\n" in text(live)


def test_writing_twice_changes_nothing(live: Project) -> None:
    tune(live, "--max-flag-rate", "20%", "--write", "--allow-loosening")
    once = live.files()
    told = found(live, "--max-flag-rate", "20%", "--write")
    assert told["written"] == []
    assert live.files() == once
    live.apply()
    again = live.files()
    assert found(live, "--max-flag-rate", "20%", "--write")["metrics"][0]["today_is"] == "proven"
    assert live.files() == again


def test_what_tightens_is_written(live: Project) -> None:
    apply(live, 0.05)
    tune(live, "--max-flag-rate", "20%", "--write")
    assert "completeness: 0.13  # tune " in text(live)


def test_nothing_is_written_without_a_suggestion(live: Project) -> None:
    apply(live, 0.2)
    before = live.files()
    tune(live, "--max-flag-rate", "20%", "--write", "--allow-loosening", code=5)
    assert live.files() == before


def test_a_newer_remark_takes_the_place_of_ours_and_of_no_other(live: Project) -> None:
    own = MANIFEST.format(today="0.05  # tune 2020-01-01: old")
    write(live, own)
    live.apply()
    tune(live, "--max-flag-rate", "20%", "--write")
    assert "2020" not in text(live)
    write(live, MANIFEST.format(today="0.05  # agreed with legal"))
    live.apply()
    tune(live, "--max-flag-rate", "20%", "--write")
    assert "completeness: 0.13  # agreed with legal\n" in text(live)


@pytest.mark.parametrize(
    "metrics",
    [
        "{completeness: 0.05, correctness: 0.5}",
        "{correctness: 0.5, completeness: 0.05}",
        "{completeness: 0.05,\n      correctness: 0.5}",
    ],
)
def test_the_layout_stays(live: Project, metrics: str) -> None:
    body = f"    type: custom\n    metrics: {metrics}\n    improvement_action: fixit\n"
    write(live, "version: 1\nworkflows:\n  a:\n" + body)
    live.apply()
    tune(live, "--max-flag-rate", "20%", "--write")
    assert metrics.replace("0.05", "0.13").split("\n")[0] in text(live)
    assert "# tune " in text(live)
    live.ok("validate")


def test_a_value_that_an_anchor_shares_is_not_written(live: Project) -> None:
    shared = MANIFEST.format(today=0.05).replace("metrics:", "metrics: &m") + (
        "  b:\n    type: custom\n    metrics: *m\n    improvement_action: fixit\n"
    )
    write(live, shared)
    live.apply()
    ran = tune(live, "--max-flag-rate", "20%", "--write")
    assert text(live) == shared
    assert "completeness" in ran.err


def test_an_overlay_that_names_it_is_where_it_is_written(live: Project) -> None:
    live.settings(environments={"prod": {"overlays": ["overlays/prod.yaml"]}})
    overlay = "version: 1\nworkflows:\n  a:\n    metrics: {completeness: 0.05}\n"
    write(live, overlay, "overlays/prod.yaml")
    live.ok("apply", "--yes", "--env", "prod", "--new-state")
    live.server.give(
        live.json("outputs", "--env", "prod").json["outputs"]["a"],
        *seen(spread(100)),
    )
    before = text(live)
    tune(live, "--max-flag-rate", "20%", "--write", "--env", "prod")
    assert text(live) == before
    assert "completeness: 0.13}  # tune" in (live.root / "overlays/prod.yaml").read_text()


def test_defaults_are_left_alone(live: Project) -> None:
    write(
        live,
        "version: 1\ndefaults: {metrics: {completeness: 0.05, correctness: 0.5}, type: custom}\n"
        "workflows:\n  a: {improvement_action: fixit}\n  b: {improvement_action: fixit}\n",
    )
    live.apply()
    tune(live, "--max-flag-rate", "20%", "--write")
    assert "defaults: {metrics: {completeness: 0.05, correctness: 0.5}, type: custom}\n" in text(live)
    assert live.plan().actions() == {"a": "update"}


def test_without_a_manifest_nothing_can_be_written(live: Project) -> None:
    write(live, MANIFEST.format(today=TODAY).replace("  a:", "  other:"))
    assert "declared in no manifest" in tune(live, "--max-flag-rate", "20%", "--write", code=1).err


def test_the_policy_judges_what_was_written(live: Project) -> None:
    live.settings(policy={"rules": [{"id": "no-loosening", "level": "deny", "no_loosening": True}]})
    tune(live, "--max-flag-rate", "20%", "--write", "--allow-loosening")
    assert live.plan(code=5).json["policy"][0]["rule"] == "no-loosening"


# --- what it says, and does not ---


CANARY = "canary-Ω-4711"


def test_no_content_is_told(live: Project) -> None:
    given = {"user_prompt": CANARY, "system_prompt": CANARY, "context": CANARY, "ground_truth": CANARY}
    said = {"model_input": given, "model_output": CANARY, "model_used": CANARY, "nametag": CANARY}
    rationale = {"completeness": {"score": 0.5, "rationale": CANARY}, "correctness": 0.9}
    live.server.give(live.bound("a"), {**said, "scores": rationale, "run_mode": "fast"})
    for form in ("text", "json", "html"):
        ran = live.ok(
            *("tune", "a", "--metric", "completeness", "--max-flag-rate", "20%", "--format", form, "-v"),
            *("--report", f"json:{form}.json"),
            code=2,
        )
        assert "canary" not in ran.out + ran.err + (live.root / f"{form}.json").read_text()


def test_hostile_words_are_inert(live: Project) -> None:
    live.server.give(
        live.bound("a"), *[{**one, "run_mode": "a\u202eb\n::error::x"} for one in seen([0.1, 0.2])]
    )
    ran = tune(live, "--max-flag-rate", "20%", code=64)
    assert "\u202e" not in ran.err
    assert "\n::error" not in ran.err


# --- what it is described by ---


SCHEMA = Path(__file__).parents[2] / "schemas" / "tune.schema.json"


def test_the_schema_is_that_of_the_shape(live: Project) -> None:
    assert live.ok("schema", "tune").out == SCHEMA.read_text(encoding="utf-8")


@pytest.mark.parametrize("goals", [("--max-flag-rate", "20%"), ("--cost", "1:20", "--max-flag-rate", "40%")])
def test_what_is_printed_fits_its_schema(live: Project, goals: tuple[str, ...]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    apply(live, 0.3)
    costly(live)
    told = found(live, *goals, code=2 if len(goals) == 2 else 5)
    check = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    check.validate(told)
    for key in told.keys() - {"cost"}:
        assert not check.is_valid({name: value for name, value in told.items() if name != key}), key


# --- pictures ---


def test_the_picture_is_that_of_the_saved_document(live: Project) -> None:
    """Of the hundred scores each occurs once: 13 lie below 0.13, and 77 more below 0.9."""
    reports = ("--report", "json:t.json", "--report", "html:t.html")
    tune(live, "--max-flag-rate", "20%", *reports, code=2)
    [metric] = json.loads((live.root / "t.json").read_text())["metrics"]
    told = metric["replay"]
    assert (told["before"], told["after"]) == (0.9, 0.13)
    assert (told["fails_before"], told["fails_after"], told["scored"]) == (90, 13, 100)
    assert told["distribution"]["scores"] == [at / 100 for at in range(100)]
    assert told["distribution"]["counts"] == [1] * 100
    page = (live.root / "t.html").read_text()
    assert page.count('class="plot"') == 1
    assert "13 flagged by both" in page
    assert "77 flagged by today&#x27;s threshold alone" in page
    live.server.forget_requests()
    drawn = live.ok("report", "t.json", "--format", "html").out
    assert drawn.replace("defendctl:report", "defendctl:tune") == page
    assert live.server.requests() == []


def test_a_picture_without_a_suggestion_has_one_line(live: Project) -> None:
    apply(live, 0.2)
    tune(live, "--max-flag-rate", "20%", "--report", "html:t.html", code=5)
    page = (live.root / "t.html").read_text()
    assert "today 0.2: 20 of 100 below" in page
    assert "proposed: none" in page
    assert page.count('<circle class="dot') == 1


def test_the_page_tells_what_was_asked(live: Project) -> None:
    asked = ("--max-flag-rate", "0.25%", "--confidence", "99.95%", "--looks", "3", "--format", "html")
    page = tune(live, *asked, code=5).out
    assert "valid for each of 3 looks" in page
    assert "99.95 %, 3 looks" in page
    assert "<td>0.25 %</td>" in page


def test_a_saved_document_that_does_not_add_up_is_not_drawn(live: Project) -> None:
    tune(live, "--max-flag-rate", "20%", "--report", "json:t.json", code=2)
    told = json.loads((live.root / "t.json").read_text())
    told["metrics"][0]["replay"]["distribution"]["counts"][0] = 2
    (live.root / "t.json").write_text(json.dumps(told))
    assert "does not add up" in live.ok("report", "t.json", "--format", "html", code=1).err


# --- labels ---


def labelled(project: Project, n: int, *, bad: str = "", good: str = "", drawn: str = "uniform") -> None:
    """Labels of n events each, of the prefixes that are given."""
    parts = {"should_be_flagged": bad, "should_pass": good}
    body = {key: [f"{prefix}{at}" for at in range(n)] for key, prefix in parts.items() if prefix}
    block = {"workflow": "a", "drawn": drawn, **body}
    write(project, json.dumps({"version": 1, "labels": [block]}), "labels/a.yaml")
    project.settings(labels=["labels/*.yaml"])


def give(project: Project, prefix: str, scores: list[float]) -> None:
    told = [{**one, "event_id": f"{prefix}{at}"} for at, one in enumerate(seen(scores))]
    project.server.give(project.bound("a"), *told)


def test_recall_by_labels_drawn_uniformly(live: Project) -> None:
    """59 bad ones of which none may be missed: the strictest of them scores 0.4."""
    give(live, "bad_", [0.4 - at / 1000 for at in range(59)])
    live.server.give(live.bound("a"), *seen(spread(100)))
    labelled(live, 59, bad="bad_")
    told = found(live, "--min-recall", "95%")
    assert told["metrics"][0]["today_is"] == "proven"
    apply(live, 0.3)
    told = found(live, "--min-recall", "95%", code=2)
    assert (told["metrics"][0]["suggested"], told["evidence"]["labels"]) == (0.41, 59)
    assert (told["goals"][0]["promise"], told["goals"][0]["limit"]) == ("recall at least 95 %", 0.95)


def test_one_label_too_few(live: Project) -> None:
    give(live, "bad_", [0.1] * 59)
    labelled(live, 58, bad="bad_")
    told = found(live, "--min-recall", "95%", code=5)
    assert told["why"] == [
        "recall at least 95 %: 59 labelled events that should be flagged are needed, 58 are there"
    ]


@pytest.mark.parametrize("drawn", ["flagged", "found"])
def test_labels_of_what_was_flagged_or_found_say_nothing_of_recall(live: Project, drawn: str) -> None:
    give(live, "bad_", [0.1] * 59)
    labelled(live, 59, bad="bad_", drawn=drawn)
    told = found(live, "--min-recall", "95%", code=5)
    assert "59 labelled events that should be flagged are needed, 0 are there" in told["why"][0]
    assert "labels drawn otherwise than uniformly say nothing of it" in told["why"][0]


def test_false_alarms_by_labels_drawn_uniformly(live: Project) -> None:
    give(live, "good_", [0.95 - at / 1000 for at in range(100)])
    live.server.give(live.bound("a"), *seen(spread(100)))
    labelled(live, 100, good="good_")
    told = found(live, "--max-false-alarms", "5%", code=2)  # at 0.9 half of them are flagged, and one may be
    assert (told["goals"][0]["allowed"], told["metrics"][0]["today_is"]) == (1, "broken")
    assert (told["metrics"][0]["suggested"], told["metrics"][0]["direction"]) == (0.85, "loosens")


@pytest.mark.parametrize("of", [("--since", "2026-11-02"), ("--recent-only",)])
def test_labels_of_before_the_window_say_nothing_of_recall(live: Project, of: tuple[str, ...]) -> None:
    """What was found is caught whenever it was."""
    apply(live, 0.6)
    old = [{**one, "created_at": "2026-11-01T00:00:00Z"} for one in seen([0.1] * 59)]
    live.server.give(live.bound("a"), *[{**one, "event_id": f"bad_{at}"} for at, one in enumerate(old)])
    live.server.give(
        live.bound("a"), *[{**one, "created_at": "2026-11-03T00:00:00Z"} for one in seen(spread(100))]
    )
    labelled(live, 59, bad="bad_")
    assert found(live, "--min-recall", "95%")["evidence"]["labels"] == 59
    assert "59 labelled" in found(live, "--min-recall", "95%", *of, code=5)["why"][0]
    labelled(live, 59, bad="bad_", drawn="found")
    assert found(live, "--catch", "found", *of)["goals"][0]["n"] == 59


def test_labelled_events_that_say_nothing_are_told(live: Project) -> None:
    """Two of five have no event any more, and one ran in another mode: two are caught."""
    give(live, "bad_", [0.1] * 2)
    other = {**seen([0.1], "precision")[0], "event_id": "bad_2", "created_at": "2026-11-01T00:00:00Z"}
    live.server.give(live.bound("a"), other)
    live.server.give(live.bound("a"), *seen(spread(100)))
    labelled(live, 5, bad="bad_", drawn="found")
    ran = tune(live, "--catch", "found")
    assert "3 labelled events left out: the API no longer knows 2 and 1 ran in another run mode" in ran.err
    assert "0 of 2 known bad cases missed" in ran.out


def test_64_no_event_tells_the_run_mode(live: Project) -> None:
    file = results(live, ("bad", [0.2], "flagged"))
    catch = ("--catch", "tests", "--tests", file, "--since", "2999-01-01")
    assert "choose it with --run-mode" in tune(live, *catch, code=64).err
    assert found(live, *catch, "--run-mode", "fast")["metrics"][0]["today_is"] == "proven"
    give(live, "bad_", [0.1] * 59)
    labelled(live, 59, bad="bad_", drawn="found")
    assert "--run-mode" in tune(live, "--catch", "found", "--since", "2999-01-01", code=64).err


def test_what_was_found_is_caught(live: Project) -> None:
    apply(live, 0.3)
    give(live, "found_", [0.2, 0.37])
    labelled(live, 2, bad="found_", drawn="found")
    told = found(live, "--catch", "found", code=2)
    assert told["metrics"][0]["suggested"] == 0.38
    file = results(live, ("worse", [0.4], "flagged"))
    assert found(live, "--catch", "both", "--tests", file, code=2)["metrics"][0]["suggested"] == 0.41


def test_two_rates_share_what_may_be_false(live: Project) -> None:
    give(live, "bad_", [0.05] * 80)
    live.server.give(live.bound("a"), *seen(spread(100)))
    labelled(live, 80, bad="bad_")
    alone = found(live, "--max-flag-rate", "20%", code=2)
    told = found(live, "--max-flag-rate", "20%", "--min-recall", "95%", code=2)
    assert (alone["goals"][0]["allowed"], told["goals"][0]["allowed"]) == (13, 11)
    assert told["metrics"][0]["range"] == [0.06, 0.11]


def costly(project: Project) -> None:
    """Sixty labels drawn uniformly, twice: bad ones up to 0.39, good ones from 0.35 on, by turns in time."""
    rows = [("bad", (20 + at) / 100) for at in range(20)] + [("good", (35 + at) / 100) for at in range(40)]
    told = [(f"{kind}_{again}_{score}", score) for again in range(2) for kind, score in rows]
    events = [
        {**one, "event_id": name}
        for (name, _), one in zip(told, seen([score for _, score in told]), strict=True)
    ]
    project.server.give(project.bound("a"), *events)
    project.server.give(project.bound("a"), *seen(spread(100)))
    body = {
        key: [name for name, _ in told if name.startswith(kind)]
        for kind, key in (("bad", "should_be_flagged"), ("good", "should_pass"))
    }
    block = {"workflow": "a", "drawn": "uniform", **body}
    write(project, json.dumps({"version": 1, "labels": [block]}), "labels/a.yaml")
    project.settings(labels=["labels/*.yaml"])


def test_what_is_cheapest_is_an_estimate(live: Project) -> None:
    """In the newer half ten are missed at 0.3, none at 0.4, which flags five that should pass."""
    apply(live, 0.3)
    costly(live)
    told = found(live, "--cost", "1:20", code=5)
    [metric], cost = told["metrics"], told["cost"]
    assert (metric["suggested"], metric["status"], metric["range"]) == (0.4, "estimate", None)
    assert (metric["today_is"], told["goals"]) == ("undecided", [])
    assert (cost["promise"], cost["chosen_among"], cost["n"]) == ("cheapest at 1:20", 60, 60)
    assert (cost["false_alarm"], cost["miss"], cost["today_is"]) == (1, 20, "undecided")
    assert (cost["today"]["misses"], cost["today"]["false_alarms"]) == ([10, 10], [0, 0])
    assert cost["today"]["an_event"] == [3.333333, 3.333333]
    assert (cost["suggested"]["misses"], cost["suggested"]["false_alarms"]) == ([0, 0], [5, 5])
    assert "cost-is-an-estimate" in told["caveats"]
    said = tune(live, "--cost", "1:20", code=5).out
    assert "0 false alarms, 10 missed of 60 newer labels: 3.33 an event" in said
    assert "5 false alarms, 0 missed of 60 newer labels: 0.0833 an event" in said
    assert "estimate: cheapest at 1:20; tightens" in said


def test_an_estimate_is_written_only_where_that_is_said(live: Project) -> None:
    apply(live, 0.3)
    costly(live)
    before = text(live)
    assert "--accept-estimate" in tune(live, "--cost", "1:20", "--write", code=5).err
    assert text(live) == before
    tune(live, "--cost", "1:20", "--write", "--accept-estimate")
    line = next(one for one in text(live).splitlines() if "completeness" in one)
    assert line.startswith("      completeness: 0.4  # tune ")
    assert line.endswith(": cheapest at 1:20 (estimate), n=60")


def test_the_cheapest_that_another_goal_allows(live: Project) -> None:
    """The flag rate allows 0.31, and 0.4 is the cheapest."""
    apply(live, 0.3)
    costly(live)
    told = found(live, "--cost", "1:20", "--max-flag-rate", "40%", code=5)
    assert (told["metrics"][0]["range"], told["metrics"][0]["suggested"]) == ([0.0, 0.31], 0.31)
    assert told["why"] == ["cheapest at 1:20: that is completeness 0.4, which the other goals do not allow"]


def test_labels_of_what_was_flagged_say_nothing_of_costs(live: Project) -> None:
    give(live, "bad_", [0.1] * 59)
    labelled(live, 59, bad="bad_", drawn="flagged")
    told = found(live, "--cost", "1:20", code=5)
    assert "10 events that should be flagged and 10 that should pass, and has 0 and 0" in told["why"][0]
    assert "labels drawn otherwise than uniformly say nothing of it" in told["why"][0]


def test_labelled_events_are_read_by_their_ids_and_not_too_many(live: Project) -> None:
    give(live, "bad_", [0.1] * 3)
    live.server.give(live.bound("a"), *seen(spread(100)))
    labelled(live, 3, bad="bad_", drawn="found")
    assert "3 labelled events must be read" in tune(live, "--catch", "found", "--labels", "2", code=64).err
    live.server.forget_requests()
    found(live, "--catch", "found")
    assert sum("bad_" in one["path"] for one in live.server.requests()) == 3


def test_labels_that_are_not_valid(live: Project) -> None:
    labelled(live, 2, bad="bad_", good="bad_")
    tune(live, "--catch", "found", code=1)
