"""An id that could not be recorded is found by the next run, and by no other's file."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import pytest

from defendctl.state import recovery

if TYPE_CHECKING:
    from pathlib import Path

OP, ID = "0123abcd", "wkfl_1"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Beside it, in the working folder and in the temporary one: three places."""
    for name in ("state", "cwd", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "state" / "s.json"


def test_left_and_found_and_forgotten(state: Path) -> None:
    left = recovery.leave(state, OP, ID)
    assert left == state.with_name(f"s.json.{OP}.recovery")
    assert recovery.find(state, OP) == ID
    recovery.forget(state, OP)
    assert not left.exists()
    assert recovery.find(state, OP) is None


@pytest.mark.parametrize("gone", [["state"], ["state", "cwd"]])
def test_the_next_place_takes_what_the_first_refuses(state: Path, tmp_path: Path, gone: list[str]) -> None:
    for folder in gone:
        (tmp_path / folder / f"s.json.{OP}.recovery").mkdir()  # cannot be written
    assert recovery.leave(state, OP, ID)
    assert recovery.find(state, OP) == ID


def test_no_place_is_left(state: Path, tmp_path: Path) -> None:
    for folder in ("state", "cwd", "tmp"):
        (tmp_path / folder / f"s.json.{OP}.recovery").mkdir()
    assert recovery.leave(state, OP, ID) is None


@pytest.mark.parametrize("content", [b"", b"a b", b"\xff", b"a\n", b"..", b"x" * 2_000], ids=repr)
def test_what_is_no_id_is_not_believed(state: Path, content: bytes) -> None:
    state.with_name(f"s.json.{OP}.recovery").write_bytes(content)
    assert recovery.find(state, OP) is None


def test_a_link_or_a_pipe_is_not_followed(state: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(ID)
    state.with_name(f"s.json.{OP}.recovery").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "cwd" / f"s.json.{OP}.recovery")
    assert recovery.find(state, OP) is None


def test_an_operation_is_no_path(state: Path) -> None:
    (state.parent / "s.json...").mkdir()
    (state.parent / "x.recovery").write_text(ID)
    assert recovery.find(state, "../x") is None


def test_neither_a_working_folder_nor_a_temporary_one(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system says so by an error, and the id must be told all the same."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", list)
    (tmp_path / "cwd").rmdir()
    left = recovery.leave(state, OP, ID)
    assert left
    assert recovery.find(state, OP) == ID
    recovery.forget(state, OP)
    left.mkdir()
    assert recovery.leave(state, OP, ID) is None
    assert recovery.find(state, OP) is None
