"""The lock on one machine: who holds it, who left it behind, and who may break it."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.state.local.lock import read_owner, record_path, unlock
from defendctl.state.owner import this_run
from tests.state.given import locked

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".defendctl" / "s.json.lock"


def test_held_once(path: Path) -> None:
    with locked([path], print) as owner:
        message = f"the state is locked by .*process {os.getpid()}"
        with pytest.raises(Precondition, match=message) as error, locked([path], print):
            raise AssertionError("two hold it")
        assert error.value.hint == f"if that run is gone: defendctl state unlock {owner.id}"
    with locked([path], print):
        pass


def test_a_holder_that_does_not_say_who_it_is(path: Path) -> None:
    path.parent.mkdir()
    held = FileLock(path)
    with held, pytest.raises(Precondition, match=r"^the state is locked$") as error, locked([path], print):
        raise AssertionError("two hold it")
    assert error.value.hint is None


def test_what_a_dead_run_left_is_told_and_taken_over(path: Path) -> None:
    with locked([path], print):
        shutil.copy(record_path(path), path.parent / "left")
    shutil.copy(path.parent / "left", record_path(path))
    said: list[str] = []
    with locked([path], said.append):
        pass
    assert len(said) == 1
    assert "ended without releasing its lock" in said[0]
    assert read_owner(path) is None


def test_broken_by_its_name_alone(path: Path) -> None:
    with pytest.raises(DefendctlError, match="is not locked"):
        unlock([path], "0")
    with locked([path], print) as owner:
        with pytest.raises(Precondition, match=f"the lock is {owner.id}, not 0"):
            unlock([path], "0")
        assert unlock([path], owner.id) == owner
        with locked([path], print) as other:
            assert other.id != owner.id
    assert read_owner(path) is None


def test_whoever_wakes_leaves_the_record_of_the_next(path: Path) -> None:
    with locked([path], print) as owner:
        unlock([path], owner.id)
        path.parent.mkdir(exist_ok=True)
        record_path(path).write_text(json.dumps(asdict(this_run())))
    assert read_owner(path) is not None


@pytest.mark.parametrize("make", ["folder", "file"])
def test_a_place_that_takes_no_lock(tmp_path: Path, make: str) -> None:
    path = tmp_path / "f" / "s.lock"
    if make == "file":
        (tmp_path / "f").write_text("")
    else:
        record_path(path).mkdir(parents=True)
    with pytest.raises(DefendctlError, match="cannot lock"), locked([path], print):
        raise AssertionError("held")


@pytest.mark.parametrize(
    ("env", "run"),
    [
        ({}, None),
        ({"CI_JOB_URL": "https://ci.example/1"}, "https://ci.example/1"),
        ({"CI_JOB_URL": "https://me:hunter2@ci.example/1?token=hunter2"}, "https://ci.example/1"),
        (
            {
                "GITHUB_RUN_ID": "7",
                "GITHUB_SERVER_URL": "https://git.example",
                "GITHUB_REPOSITORY": "a/b",
            },
            "https://git.example/a/b/actions/runs/7",
        ),
    ],
)
def test_a_run_of_ci_says_where_it_can_be_seen(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str], run: str | None
) -> None:
    for name in ("GITHUB_RUN_ID", "CI_JOB_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert this_run().run == run
    assert str(this_run()).endswith(f", {run}" if run else this_run().started)


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs under a number nobody listed."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54_321)
    assert this_run().user == "54321"
