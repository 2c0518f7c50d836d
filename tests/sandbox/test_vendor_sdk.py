"""The vendor's own SDK, in a version of each generation, works against the sandbox."""

import hashlib
import json
import os
import subprocess
import venv
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from .bodies import AUTOMATIC, CUSTOM, EVENT, LEVELS, THRESHOLDS
from .conftest import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache"
VERSIONS = {
    "2025-10-07": "1.6.1",
    "2025-10-22": "1.9.0",
    "2025-11-10": "1.20.0",
    "2025-12-07": "1.27.0",
}
EXTRAS: dict[str, dict[str, Any]] = {
    "2025-10-07": {"max_retries": 3},
    "2025-10-22": {"max_improvement_attempts": 3},
    "2025-11-10": {"max_improvement_attempts": 3, "web_search": True, "file_search": ["file_a"]},
    "2025-12-07": {"max_improvement_attempts": 3, "context_awareness": True, "file_search": ["file_a"]},
}
RENAMED = {"name": "Renamed", "description": "described"}
UPDATES: dict[str, dict[str, Any]] = {
    "2025-10-07": RENAMED,
    "2025-10-22": RENAMED,
    "2025-11-10": RENAMED,
    "2025-12-07": {
        **RENAMED,
        "threshold_type": "automatic",
        LEVELS: {"completeness": "low"},
        "improvement_action": "do_nothing",
        "max_improvement_attempts": 4,
        "web_search": True,
        "context_awareness": False,
        "file_search": [],
    },
}
# Null in the vendor's own samples although the SDK's types promise values.
NULL_IN_SAMPLES = {LEVELS, THRESHOLDS, "improved_model_output"}
WITH_MAPS = ("2025-11-10", "2025-12-07")

every_version = pytest.mark.parametrize(("generation", "version"), VERSIONS.items())


def sdk_python(version: str) -> Path:
    """A virtual environment with that version, made once and kept."""
    home = CACHE / f"sdk-{version}"
    CACHE.mkdir(exist_ok=True)
    with FileLock(CACHE / f"sdk-{version}.lock"):
        if not (home / "ready").exists():
            install(home, version)
    return interpreter(home)


def install(home: Path, version: str) -> None:
    venv.create(home, with_pip=True, clear=True)
    subprocess.run([interpreter(home), "-m", "pip", "install", "-q", f"deeprails=={version}"], check=True)
    (home / "ready").touch()


def interpreter(home: Path) -> Path:
    return home / ("Scripts" if os.name == "nt" else "bin") / "python"


def session(url: str, version: str, create: dict[str, Any], update: dict[str, Any]) -> dict[str, Any]:
    return talk(url, version, {"create": create, "update": update, "event": EVENT})


def talk(url: str, version: str, arguments: dict[str, Any]) -> dict[str, Any]:
    command = [str(sdk_python(version)), str(HERE / "sdk_session.py"), url]
    ran = subprocess.run(command, input=json.dumps(arguments), capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    answers = json.loads(ran.stdout)
    assert isinstance(answers, dict)
    assert answers.pop("version") == version
    assert {place for answer in answers.values() for place in answer.pop("invalid")} <= NULL_IN_SAMPLES
    return answers


@pytest.mark.parametrize(
    ("generation", "version", "argument"),
    [("2025-10-22", "1.12.0", "file"), ("2025-11-10", "1.20.0", "files"), ("2025-12-07", "1.27.0", "files")],
)
def test_a_file(sandbox: Sandbox, generation: str, version: str, argument: str) -> None:
    """Each sends it in its own way; the first SDKs had no uploads."""
    client = sandbox(generation=generation)
    got = talk(str(client.base_url), version, {"upload": argument})["uploaded"]
    (stored,) = client.get("/_sandbox/files").json()
    assert got["file_id"] == stored["file_id"]
    assert stored["sha256"] == hashlib.sha256(b"a policy").hexdigest()


def test_a_stream(sandbox: Sandbox) -> None:
    """The SDK gives the data of each event, and not its kind."""
    client = sandbox(delay=0.0)
    arguments = {"create": CUSTOM["2025-12-07"], "stream": {**EVENT, "run_mode": "fast"}}
    heard = talk(str(client.base_url), "1.27.0", arguments)["heard"]["all"]
    assert heard[0]["status"] == "In Progress"
    assert heard[-1]["status"] == "Completed"
    assert "".join(each.get("content", "") for each in heard)


@every_version
def test_a_custom_workflow(sandbox: Sandbox, generation: str, version: str) -> None:
    client = sandbox(generation=generation)
    body = {**CUSTOM[generation], **EXTRAS[generation]}
    got = session(str(client.base_url), version, body, UPDATES[generation])
    assert got["retrieved"].items() >= {"name": "Test Workflow", "improvement_action": "fixit"}.items()
    assert got["retrieved_again"].items() >= {"name": "Renamed", "description": "described"}.items()
    assert got["retrieved"]["workflow_id"] == got["created"]["workflow_id"] == got["updated"]["workflow_id"]
    assert isinstance(got["event"]["filtered"], bool)
    (stored,) = client.get("/_sandbox/workflows").json()
    assert stored["max_retries"] == UPDATES[generation].get("max_improvement_attempts", 3)
    assert [seen["status"] for seen in client.get("/_sandbox/requests").json()][:5] == [200] * 5


@every_version
def test_an_automatic_workflow(sandbox: Sandbox, generation: str, version: str) -> None:
    client = sandbox(generation=generation)
    session(str(client.base_url), version, AUTOMATIC[generation], UPDATES[generation])
    (stored,) = client.get("/_sandbox/workflows").json()
    assert stored["type"] == "automatic"
    assert set(stored["metrics"].values()) == {"low" if generation == "2025-12-07" else "high"}


@pytest.mark.parametrize(("generation", "version"), [(each, VERSIONS[each]) for each in WITH_MAPS])
def test_what_newer_generations_show(sandbox: Sandbox, generation: str, version: str) -> None:
    url = str(sandbox(generation=generation).base_url)
    got = session(url, version, {**CUSTOM[generation], **EXTRAS[generation]}, UPDATES[generation])
    assert got["retrieved"][THRESHOLDS] == CUSTOM[generation][THRESHOLDS]
    assert got["retrieved"]["files"][0]["file_id"] == "file_a"
    assert got["submitted"]["status"] == "In Progress"
    assert got["event"]["status"] == "Completed"
    assert got["retrieved_last"]["events"][0]["event_id"] == got["event"]["event_id"]
    assert got["retrieved_last"]["stats"]["outputs_processed"] == 1


ENDS = {
    "improved": [{"completeness": 0.1}, {"completeness": 0.9}],
    "improvement_failed": [{"completeness": 0.1}],
    "no_improvement_required": [{"completeness": 0.9}],
}
OLD_ENDS = {"improvement_failed": "failed on max retries", "no_improvement_required": None}


@pytest.mark.parametrize(("generation", "version"), [(each, VERSIONS[each]) for each in WITH_MAPS])
@pytest.mark.parametrize(("end", "script"), ENDS.items())
def test_stories_of_events(
    sandbox: Sandbox, generation: str, version: str, end: str, script: list[dict[str, float]]
) -> None:
    url = str(sandbox(generation=generation, scores={EVENT["model_output"]: script}).base_url)
    got = session(url, version, {**CUSTOM[generation], **EXTRAS[generation]}, RENAMED)
    word = end if generation == "2025-12-07" else OLD_ENDS.get(end, end)
    (listed,) = got["retrieved_last"]["events"]
    assert got["event"]["improvement_tool_status"] == listed["improvement_tool_status"] == word
    assert got["event"]["filtered"] is (end == "improvement_failed")
    assert len(listed["evaluations"]) == len(got["event"]["evaluation_history"])


def test_the_newest_event_shows_the_attempts_limit(sandbox: Sandbox) -> None:
    url = str(sandbox().base_url)
    got = session(url, "1.27.0", CUSTOM["2025-12-07"], UPDATES["2025-12-07"])
    assert got["event"]["max_improvement_attempts"] == 4
