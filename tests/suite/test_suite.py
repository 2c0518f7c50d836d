"""defendctl test over a real sandbox: what it says, how it ends, and that nothing is paid for twice."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from tests.conftest import GENERATIONS, KEY, Project, Ran, World, custom

Json = Any
EXAMPLE = Path(__file__).parents[2] / "examples" / "suite"
GOLDEN = Path(__file__).parent / "golden"
SCORES = yaml.safe_load((EXAMPLE / "scores.yaml").read_text())
MARK = "planted-marker"


def scripts(**changes: Json) -> dict[str, list[Json]]:
    """Those of the example, after these."""
    given = {key.replace("__", ":"): value for key, value in changes.items()}
    given |= {text: said for text, said in SCORES.items() if text not in given}
    return {text: said if isinstance(said, list) else [said] for text, said in given.items()}


@pytest.fixture
def example(world: World) -> Any:
    """The example, applied to a sandbox with these scores."""

    def make(changes: Json = None, **options: Any) -> Project:
        project = world(scores=scripts(**(changes or {})), delay=0.0, **options)
        shutil.copytree(EXAMPLE, project.root, dirs_exist_ok=True)
        project.apply()
        return project

    return make


def edit(project: Project, old: str, new: str) -> None:
    file = project.root / "tests" / "refunds.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def posts(project: Project) -> int:
    return len([seen for seen in project.server.requests("POST") if seen["path"].endswith("/events")])


def golden(name: str, ran: Ran) -> None:
    """UPDATE_GOLDEN=1 writes the file: read the difference."""
    said = re.sub(r"127.0.0.1:\d+", "HOST", f"exit {ran.code}\n{ran.out}{ran.err}")
    said = re.sub(r"\b(evt|wkfl)_[0-9a-f]{32}", r"\1_ID", said)
    said = re.sub(r"\d+\.\d s\b", "SECONDS", re.sub(r'time="[\d.]+"', 'time="SECONDS"', said))
    said = re.sub(r'"seconds": [\d.]+', '"seconds": 0', re.sub(r'"at": ".*?"', '"at": "TIME"', said))
    said = re.sub(r"sha256:[0-9a-f]{64}", "sha256:…", said)
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(said, encoding="utf-8")
    assert said == file.read_text(encoding="utf-8"), "if that is meant: UPDATE_GOLDEN=1 pytest tests/suite"


HIGH = {"whenever you like": {"correctness": 0.9, "completeness": 0.9}}
FLAKY = {"half-an-answer__2": {"correctness": 0.9, "completeness": 0.9}}


def test_what_passes(example: Any) -> None:
    golden("passed.txt", example().run("test"))


def test_what_fails(example: Any) -> None:
    golden("failed.txt", example(HIGH).run("test"))


def test_what_is_flaky(example: Any) -> None:
    project = example(FLAKY)
    edit(project, "quorum: 2 ", "quorum: 3 ")
    golden("flaky.txt", project.run("test"))


def test_a_quorum_bears_one_that_differs(example: Any) -> None:
    ran = example(FLAKY).ok("test", "--format", "json")
    assert ran.json["summary"]["passed"] == 3
    assert [run["held"] for run in ran.json["cases"][2]["runs"]] == [
        "as_expected",
        "otherwise",
        "as_expected",
    ]


def test_what_is_over_budget_before_it_starts(example: Any) -> None:
    project = example()
    golden("unknown-cost.txt", project.run("test", "--max-cost", "1"))
    edit(project, "run_mode: fast", "run_mode: fast\n  cost: 0.01")
    golden("over-budget.txt", project.run("test", "--max-cost", "0.03"))
    assert posts(project) == 0


def test_what_costs_more_than_was_thought_is_stopped(example: Any) -> None:
    project = example()
    edit(project, "run_mode: fast", "run_mode: fast\n  cost: 0.001")
    golden("stopped.txt", project.run("test", "--max-cost", "0.005", "--parallelism", "1"))
    assert posts(project) == 1


def test_recent_events_tell_what_one_costs(example: Any) -> None:
    project = example()
    project.ok("test")
    ran = project.json("test", "--max-cost", "1").json
    assert ran["estimate"] == pytest.approx(0.006 * 5)
    assert ran["summary"]["cost"] == pytest.approx(0.006 + 0.004 + 0.006 * 2)


@pytest.mark.parametrize("form", ["json", "junit", "markdown"])
def test_every_format(example: Any, form: str) -> None:
    project = example(HIGH | FLAKY)
    edit(project, "quorum: 2 ", "quorum: 3 ")
    project.server.fault("lost-after", "POST", path="/events$", skip=1)
    ran = project.run("test", "--format", form, "--parallelism", "1", "--out", "results.json")
    golden(f"mixed.{form}", ran)
    results = json.loads((project.root / "results.json").read_text())
    assert (results["kind"], results["digest"][:7]) == ("test-results", "sha256:")
    if form == "junit":
        counted = ElementTree.fromstring(ran.out)[0].attrib
        assert (counted["tests"], counted["failures"], counted["errors"]) == ("3", "2", "1")


# --- sent at most once ---


@pytest.mark.parametrize("kind", ["lost", "lost-after", "truncated", "status-after", "no-id"])
def test_a_lost_answer_is_never_repeated(example: Any, kind: str) -> None:
    project = example()
    options = {"body": "{}"} if kind == "no-id" else {}
    project.server.fault("body" if kind == "no-id" else kind, "POST", path="/events$", times=None, **options)
    ran = project.json("test", code=1)
    assert ran.json["summary"]["not_judged"] == 3
    assert posts(project) == 4  # one a repeat, and of three no third: no quorum of two could be reached
    assert {run["submitted"] for case in ran.json["cases"] for run in case["runs"]} == {"unknown"}
    assert "being paid for" in ran.err


def test_one_lost_submission_does_not_end_a_case_whose_quorum_can_be_reached(example: Any) -> None:
    project = example()
    edit(project, "repeats: 3 ", "repeats: 5 ")
    edit(project, "quorum: 2 ", "quorum: 3 ")
    project.server.fault("lost-after", "POST", path="/events$", skip=2)
    ran = project.json("test", "--parallelism", "1")
    case = next(case for case in ran.json["cases"] if case["name"] == "half-an-answer")
    assert (case["verdict"], posts(project)) == ("passed", 6)
    assert [run["submitted"] for run in case["runs"]] == ["unknown", "yes", "yes", "yes"]
    assert "half-an-answer (support-bot): its id is not known" in ran.err


def test_a_metric_without_a_score_does_not_pass(example: Any) -> None:
    """Nor by `filtered: false`, which says only that nothing failed."""
    project = example({"less than 30 days ago": {"completeness": None, "correctness": 0.9}})
    ran = project.json("test", code=1)
    case = next(case for case in ran.json["cases"] if case["name"] == "policy-as-it-is")
    assert (case["verdict"], case["runs"][0]["flagged"]) == ("not_judged", None)
    assert case["runs"][0]["why"] == [
        "it is not known whether the output is flagged: completeness without a score"
    ]


NOT_JUDGED: list[tuple[Json, int, str]] = [
    ({"kind": "status", "method": "POST", "status": 422}, 1, "refused: the API answered 422"),
    ({"kind": "status", "method": "POST", "status": 401}, 3, "refused: the API answered 401"),
    ({"kind": "status", "method": "GET", "status": 403, "path": "/events/"}, 3, "refused the key"),
    ({"kind": "status", "method": "GET", "status": 404, "path": "/events/"}, 1, "404 for the event"),
    ({"kind": "status", "method": "GET", "status": 400, "path": "/events/"}, 1, "the API answered 400"),
]


@pytest.mark.parametrize(("fault", "code", "said"), NOT_JUDGED)
def test_what_is_not_judged_is_said(example: Any, fault: Json, code: int, said: str) -> None:
    project = example()
    edit(project, "run_mode: fast", "run_mode: fast\n  cost: 0.001")
    project.server.fault(**{"path": "/events$", "times": None, **fault})
    ran = project.json("test", "--max-cost", "1", code=code)
    assert ran.json["summary"]["passed"] == 0
    assert ran.json["summary"]["not_judged"] == 3
    assert said in json.dumps(ran.json["cases"])


def test_an_evaluation_that_does_not_end(world: World) -> None:
    project = world(scores=scripts(), delay=60.0)
    shutil.copytree(EXAMPLE, project.root, dirs_exist_ok=True)
    project.apply()
    ran = project.json("test", "--wait", "0.2", code=1)
    assert "has not ended within 0.2 s" in json.dumps(ran.json)
    assert ran.err.count("evt_") == 4  # the quorum of one could still be reached


def test_an_interrupted_run_says_what_is_paid_for(world: World) -> None:
    project = world(scores=scripts(), delay=60.0)
    shutil.copytree(EXAMPLE, project.root, dirs_exist_ok=True)
    project.apply()
    running = project.spawn("test", "--parallelism", "1")
    while not [seen for seen in project.server.requests("GET") if "/events/" in seen["path"]]:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=20)
    [event] = project.server.events(project.bound("support-bot"))
    assert running.returncode == 130
    assert "Interrupted: nothing more was submitted." in out
    assert f"invented-policy (support-bot): {event['event_id']}" in out
    assert "3 not judged" in out
    assert event["submission"]["nametag"] == "defendctl-test:invented-policy:1"


# --- before anything is sent ---


def test_one_sided_suites_are_refused(example: Any) -> None:
    project = example()
    edit(project, "expect: passes ", "expect: flagged ")
    edit(project, ", correctness: passes", "")
    assert "every case expects `flagged`" in project.ok("test", code=5).err
    assert posts(project) == 0
    project.ok("test", "--one-sided", code=2)


def test_what_is_chosen(example: Any) -> None:
    project = example()
    manifest = project.root / "workflows" / "support.yaml"
    manifest.write_text(manifest.read_text() + "    labels: {team: support}\n")

    def names(*arguments: str) -> list[str]:
        return [case["name"] for case in project.json("test", *arguments).json["cases"]]

    assert names("--tag", "refunds") == ["invented-policy", "policy-as-it-is"]
    assert len(names("-l", "team=support", "--target", "support-bot")) == 3
    for wrong in (["-l", "team=other"], ["--tag", "no"], ["--target", "suport-bot"], ["-l", "="]):
        assert project.run("test", *wrong).code == 64
    for wrong in (["--out", "no/such"], ["--out", "tests"], ["--max-cost", "-1"], ["--parallelism", "0"]):
        assert project.run("test", *wrong).code == 64


def test_a_suite_needs_what_judges_it(example: Any, world: World) -> None:
    unbound = world()
    shutil.copytree(EXAMPLE, unbound.root, dirs_exist_ok=True)
    assert "not bound to a workflow" in unbound.ok("test", code=1).err
    project = example()
    edit(project, "workflow: support-bot", "workflow: suport-bot")
    assert 'Did you mean "support-bot"?' in project.ok("test", code=1).err
    edit(project, "workflow: suport-bot", "workflow: support-bot")
    edit(project, "scores: {completeness: [0, 0.5]}", "scores: {context_adherence: [0, 0.5]}")
    err = project.ok("test", code=1).err
    assert "refunds.yaml:30:16: error: support-bot does not evaluate `context_adherence`" in err
    project.settings()
    assert "there are no tests" in project.ok("test", code=1).err
    assert posts(project) == 0


@pytest.mark.parametrize("generation", GENERATIONS)
def test_each_generation(world: World, generation: str) -> None:
    """The oldest tell no scores: what is flagged can be told, a single metric cannot."""
    project = world(scores=scripts(), delay=0.0, generation=generation)
    shutil.copytree(EXAMPLE, project.root, dirs_exist_ok=True)
    project.settings(tests=["tests"], api={"generation": generation})
    project.apply()
    if generation < "2025-12-07":
        err = project.ok("test", code=1).err
        assert "refunds.yaml:5:13: error: Generation" in err or "does not have this run mode" in err
        edit(project, "run_mode: fast", "run_mode: smart")
    told = generation >= "2025-11-10"
    ran = project.json("test", code=0 if told else 1)
    assert [case["verdict"] for case in ran.json["cases"]] == [
        "passed",
        "passed",
        "passed" if told else "not_judged",
    ]


def test_an_environment_may_leave_out_what_is_tested(example: Any) -> None:
    project = example()
    environments = {"prod": {"overlays": ["over.yaml"], "state": {"path": "prod.json"}}, "dev": {}}
    project.settings(tests=["tests"], environments=environments)
    manifest = (project.root / "workflows" / "support.yaml").read_text()
    (project.root / "workflows" / "other.yaml").write_text(manifest.replace("support-bot", "other"))
    (project.root / "over.yaml").write_text("version: 1\nworkflows: {support-bot: null}\n")
    ran = project.run("test", "--env", "prod")
    assert (ran.code, posts(project)) == (64, 0)
    assert "leaves out their workflows: half-an-answer, invented-policy, policy-as-it-is" in ran.err


# --- what is wrong with a file ---

WRONG = {
    "version": 1,
    "defaults": {"workflow": 3, "repeat": 2},
    "tests": {
        "Bad Name": "text",
        "a": {"input": {"context": 3}, "output": 1, "expect": "flaged", "cost": -1},
        "b": {"input": {"user_prompt": "p"}, "output": "o", "expect": {}, "repeats": 3, "quorum": 1},
        "c": {
            "input": {"user_prompt": "p"},
            "output": "o",
            "model_output": "o",
            "expect": {"metrics": {"completness": "flagged"}, "scores": {"correctness": [0.5, 0.2]}},
        },
        "d": {
            "input": {"user_prompt": "p"},
            "output": "o",
            "repeats": 99,
            "expect": {"scores": {"correctness": [1], "completeness": [0, 80]}, "improvement": "done"},
        },
        "e": {"input": [], "tags": [3], "expect": ["flagged"]},
    },
}


def test_wrong_files_are_told_with_places(project: Project) -> None:
    project.declare({"a": custom()})
    project.settings(tests=["tests", "more.yaml", "none-*.yaml"])
    (project.root / "tests").mkdir()
    (project.root / "tests" / "wrong.yaml").write_text(yaml.safe_dump(WRONG, sort_keys=False))
    (project.root / "tests" / "list.yaml").write_text("[]")
    (project.root / "tests" / "two.yaml").write_text("--- {version: 1}\n--- {version: 1}\n")
    (project.root / "tests" / "empty.yaml").write_text("")
    right = {
        "workflow": "a",
        "model_used": "m",
        "input": {"system_prompt": "p"},
        "output": "o",
        "expect": "passes",
    }
    (project.root / "more.yaml").write_text(json.dumps({"version": 1, "tests": {"a": right, "x-": right}}))
    ran = project.ok("validate", code=1)
    lines = [line for line in ran.out.splitlines(keepends=True) if "[unpinned-state]" not in line]
    told = "".join(lines[:-1])  # the last line counts them
    file = GOLDEN / "wrong.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(told, encoding="utf-8")
    assert told == file.read_text(encoding="utf-8"), "if that is meant: UPDATE_GOLDEN=1 pytest tests/suite"
    ran = project.ok("test", code=1)
    assert all(line in ran.err for line in told.splitlines())


def test_tests_may_stand_beside_manifests(example: Any) -> None:
    project = example()
    (project.root / "tests" / "refunds.yaml").rename(project.root / "workflows" / "refunds.tests.yaml")
    project.settings(tests=["workflows/*.tests.yaml"])
    project.ok("validate")
    assert len(project.json("test").json["cases"]) == 3


# --- content ---


def test_nothing_that_is_said_is_shown_or_kept(example: Any) -> None:
    project = example()
    file = project.root / "tests" / "refunds.yaml"
    text = file.read_text()
    for said in ("Can I get my money back?", "Refunds are paid", "Of course, ", "Pack it well.", "How do I"):
        assert said in text
        text = text.replace(said, f"{MARK} {said}")
    file.write_text(text.replace("our-model-3", f"{MARK}-model"))
    manifest = project.root / "workflows" / "support.yaml"
    manifest.write_text(manifest.read_text().replace("completeness: 0.7", "completeness: 0.2"))
    project.apply()
    ran = [
        project.run("test", "--format", form, "--out", f"{form}.out", "-v")
        for form in ("text", "json", "junit", "markdown")
    ]
    project.server.fault("status", "POST", path="/events$", times=None, status=422, body=MARK)
    ran += [project.run("test"), project.run("validate")]
    project.server.heal()
    project.server.fault("body", "GET", path="/events/", times=None, body=f'{{"x": "{MARK}"}}')
    ran.append(project.run("test"))
    said = "".join(one.out + one.err for one in ran)
    kept = {name: content for name, content in project.files().items() if "refunds" not in name}
    assert MARK not in said
    assert KEY not in said
    assert "rationale" not in said
    assert not [name for name, content in kept.items() if MARK.encode() in content]
