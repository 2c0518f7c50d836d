"""No text of an event in what evidence for a threshold is shown as: reports, tune, samples, labels, counts.

Each event has a marker in every field that can hold one, in the list and where it is read by its id.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import KEY, custom
from tests.evidence.given import spread
from tests.hostile.test_leaks import MARK, assert_clean, files

if TYPE_CHECKING:
    from tests.conftest import Project, World

INPUTS = ("tests/cases.yaml", "event.json")
TEXTS = {
    "user_prompt": f"{MARK}-prompt",
    "system_prompt": f"{MARK}-system",
    "ground_truth": f"{MARK}-truth",
    "context": [f"{MARK}-context", {"role": "user", "content": f"{MARK}-turn"}],
}
CARRIED = {
    "model_input": TEXTS,
    "model_output": f"{MARK}-output",
    "model_used": f"{MARK}-model",
    "nametag": f"{MARK}-nametag",
    "run_mode": "fast",
}
MANIFEST = """version: 1
workflows:
  a:
    type: custom
    metrics:
      completeness: 0.8
    improvement_action: fixit
    run_mode: fast
  b: {type: custom, metrics: {completeness: 0.8}, improvement_action: fixit}
"""
GOAL = ["tune", "a", "--metric", "completeness", "--max-flag-rate", "20%", "--run-mode", "fast"]
FORMATS = ("text", "json", "markdown", "github", "html")
DRAWN = (
    *(["plan", "--replay", "--labels", "--format", form, "-v"] for form in FORMATS),
    ["plan", "--replay", "--labels", "--out", "plan.json", "--report", "html:plan.html"],
    ["drift", "--report", "json:drift.json", "--report", "html:drift.html"],
    ["test", "--one-sided", "--wait", "2", "--out", "tests.json", "--report", "html:tests.html"],
    *([*GOAL, "--format", form, "-v"] for form in ("text", "json", "html")),
    [*GOAL, "--report", "json:tune.json", "--report", "html:tune.html"],
    [*GOAL[:4], "--run-mode", "fast", "--catch", "both", "--labels", "50", "--tests", "tests.json"],
    [*GOAL, "--min-recall", "50%", "--max-false-alarms", "90%", "--labels", "50"],
    *(
        ["report", "plan.json", "drift.json", "tests.json", "tune.json", "--format", form]
        for form in ("text", "json", "markdown", "html")
    ),
    ["report", "--fleet", "--tests", "tests.json", "--format", "json", "--report", "html:fleet.html"],
    ["report", "--fleet", "--format", "markdown", "-v"],
    ["events", "sample", "a", "--count", "20", "-v"],
    ["events", "sample", "a", "--drawn", "flagged", "--seed", "s"],
    ["events", "list", "a", "--since", "2020-01-01", "--until", "2999-01-01", "--flagged", "-v"],
    ["events", "list", "a", "--since", "2020-01-01", "--format", "json"],
    *(["show", "a", "--stats", "--format", form] for form in ("text", "json")),
    *(["outputs", "--format", form] for form in ("text", "json", "ts", "go", "ruby", "python")),
    ["ci", "plan", "--forge", "none", "--replay", "50", "--out-dir", "out", "-v"],
    ["validate", "--format", "json"],
    [*GOAL, "--write", "--allow-loosening", "-v"],
)


@pytest.fixture
def judged(world: World) -> Project:
    """A hundred events that were given and one that was submitted, a case, and labels that were drawn."""
    project = world(delay=0.0)
    project.settings(tests=["tests"], labels=["labels.yaml"])
    (project.root / "tests").mkdir()
    case = {
        "run_mode": "fast",
        "workflow": "a",
        "input": TEXTS,
        "output": f"{MARK}-output",
        "model_used": f"{MARK}-model",
    }
    caught = {**case, "expect": "flagged"}
    write(project, "tests/cases.yaml", {"version": 1, "tests": {"caught": caught}})
    write(project, "event.json", {**TEXTS, **{k: v for k, v in CARRIED.items() if k != "model_input"}})
    write(project, "labels.yaml", {"version": 1, "labels": []})
    project.declare({"a": custom(metrics={"completeness": 0.9}, run_mode="fast"), "b": custom()})
    project.apply()
    project.server.give(project.bound("a"), *map(scored, spread(100)))
    project.ok("events", "submit", "a", "--input", "event.json")
    (project.root / "labels.yaml").write_text(labelled(project))
    project.server.edit(project.bound("b"), description="by hand")
    (project.root / "workflows" / "all.yaml").write_text(MANIFEST)
    return project


def write(project: Project, name: str, content: Any) -> None:
    (project.root / name).write_text(json.dumps(content))


def scored(score: float) -> Any:
    told = {"score": score, "rationale": f"{MARK}-rationale"}
    return {**CARRIED, "scores": [{"completeness": told}]}


def labelled(project: Project) -> str:
    """A sample with a verdict on the first ten."""
    head, *ids = project.ok("events", "sample", "a", "--count", "40").out.partition("    unsure:\n")[::2]
    found = ids[0].splitlines(keepends=True)
    head = head.replace("    should_be_flagged: []\n", "    should_be_flagged:\n" + "".join(found[:20]))
    return f"{head}    unsure:\n" + "".join(found[20:])


def said_by(project: Project, commands: tuple[list[str], ...]) -> str:
    """What these commands said, and what every file holds but what the user wrote."""
    said = []
    for command in commands:
        ran = project.run(*command)
        assert ran.code in (0, 1, 2, 5), (command, ran)
        said += [f"{command}: {ran.code}", ran.out, ran.err]
    inputs = tuple(str(project.root / name) for name in INPUTS)
    return "\n".join([*said, *(text for text in files(project) if not text.startswith(inputs))])


def test_there_is_something_to_leak(judged: Project) -> None:
    event = judged.json("events", "list", "a").json["events"][-1]["event_id"]
    told = judged.ok("events", "show", "a", event, "--show-content").out
    for part in ("prompt", "system", "output", "rationale"):
        assert f"{MARK}-{part}" in told


def test_all_is_well(judged: Project) -> None:
    said = said_by(judged, DRAWN)
    assert_clean(said)
    for proof in ("figcaption", '"distribution"', "labels, drawn by lot", '"kind": "fleet"', "# tune 20"):
        assert proof in said, f"it was looked at: {proof}"
    assert KEY not in said


def test_a_filter_by_nametag_says_it_alone(judged: Project) -> None:
    ran = judged.ok("events", "list", "a", "--nametag", f"{MARK}-nametag", "--format", "json")
    assert len(ran.json["events"]) > 1
    assert MARK not in ran.out
