"""The file of scripted scores: what it may hold, and every problem of one that it may not."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from defendctl.sandbox.scores import BadScores, read_scores

from .bodies import EVENT, NEWEST
from .conftest import KEY

YAML = """
refund policy:  # a comment
  completeness: 0.4
  comprehensive_safety: true
  correctness: null
"How are you?":
  - {completeness: 0.4, instruction_adherence: 1}
  - {completeness: 0.9}
"""
JSON = """{
  "refund policy": {"completeness": 0.4, "comprehensive_safety": true, "correctness": null},
  "How are you?": [{"completeness": 0.4, "instruction_adherence": 1}, {"completeness": 0.9}]
}"""


@pytest.mark.parametrize(
    ("name", "content"), [("s.yaml", YAML), ("s.json", JSON), ("s.yml", "\ufeff" + JSON)]
)
def test_both_forms(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert read_scores(tmp_path / name) == {
        "refund policy": [{"completeness": 0.4, "comprehensive_safety": True, "correctness": None}],
        "How are you?": [{"completeness": 0.4, "instruction_adherence": 1}, {"completeness": 0.9}],
    }


DEEP = "[" * 2_000
BAD = [
    ("s.yaml", "", "the file: Input should be a valid dictionary"),
    ("s.yaml", "[]", "the file: Input should be a valid dictionary"),
    ("s.yaml", "{}", "the file: Dictionary should have at least 1 item"),
    ("s.yaml", "a: [", "line 1: "),
    ("s.yaml", "a: {x: 1}\na: {x: 1}", "line 1: a key appears twice"),
    ("s.yaml", "1: {x: 1}", "a key must be a text in quotes"),
    ("s.yaml", "a: {yes: 1}", "a key must be a text in quotes"),
    ("s.yaml", "'': {x: 1}", "String should have at least 1 character"),
    ("s.yaml", "a: 0.5", "text 1: Input should be a valid dictionary"),
    ("s.yaml", "a: []", "text 1: List should have at least 1 item"),
    ("s.yaml", "a: [{x: 1}, 5]", "text 1: Input should be a valid dictionary"),
    ("s.yaml", "a: {x: 85}", "text 1: Input should be a number from 0 to 1, true, false or null"),
    ("s.yaml", "a: {x: high}", "text 1: Input should be a number from 0 to 1, true, false or null"),
    ("s.yaml", "a: {x: .nan}", "text 1: Input should be a finite number"),
    ("s.yaml", "a: &x [*x]", "recursive"),
    ("s.yaml", "a: !!python/name:os.system {}", "could not determine a constructor"),
    ("s.yaml", DEEP, "cannot be read"),
    ("s.json", DEEP, "cannot be read"),
    ("s.json", "{'a': 1}", "line 1"),
    ("s.json", '{"a": {"x": 1, "x": 0}}', "a key appears twice"),
    ("s.json", '{"a": {"x": ' + "9" * 400 + "}}", "a finite number"),
]


@pytest.mark.parametrize(("name", "content", "reason"), BAD, ids=range(len(BAD)))
def test_what_is_malformed(tmp_path: Path, name: str, content: str, reason: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(BadScores) as told:
        read_scores(tmp_path / name)
    assert reason in str(told.value)
    assert str(tmp_path / name) in str(told.value)


def test_every_problem_is_told(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("a: {x: 2, y: hi}\nb: []\n")
    with pytest.raises(BadScores) as told:
        read_scores(tmp_path / "s.yaml")
    assert [line.partition(":")[0] for line in str(told.value).split("\n")[1:]] == [
        "text 1",
        "text 1",
        "text 2",
    ]


def serve(*arguments: str, cwd: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd)


COMMANDS = {("defendctl", "sandbox", "serve"): 64, ("defendctl.sandbox",): 2}


@pytest.mark.parametrize(("command", "code"), COMMANDS.items())
@pytest.mark.parametrize("content", ["a: {x: 85}", None])
def test_a_bad_file_is_an_error_at_the_start(
    tmp_path: Path, command: tuple[str, ...], code: int, content: str | None
) -> None:
    if content:
        (tmp_path / "s.yaml").write_text(content)
    process = serve(*command, "--scores", "s.yaml", cwd=tmp_path)
    out, err = process.communicate(timeout=20)
    missing = content is None and command[0] == "defendctl"
    assert (process.returncode, out) == (1 if missing else code, "")
    assert "s.yaml" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", COMMANDS)
def test_a_served_file_scores_events(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "s.yaml").write_text("thank you: {completeness: 0.123}")
    process = serve(*command, "--scores", "s.yaml", cwd=tmp_path)
    assert process.stdout
    with httpx.Client(base_url=process.stdout.readline().strip(), headers=KEY, verify=False) as client:
        workflow_id = client.post("/defend", json=NEWEST).json()["workflow_id"]
        client.post(f"/defend/{workflow_id}/events", json=EVENT)
        (event,) = client.get(f"/_sandbox/events?workflow_id={workflow_id}").json()
    process.terminate()
    process.communicate(timeout=5)
    assert event["evaluations"][0]["result"]["completeness"]["score"] == 0.123
