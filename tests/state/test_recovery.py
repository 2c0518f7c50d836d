"""An id that could not be recorded is found by the next run, and by no other's file."""

from __future__ import annotations

import os
import stat
import tempfile
from typing import TYPE_CHECKING

import pytest

from defendctl.state.local import recovery

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


def left_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("s.json.*.recovery"))


def test_left_and_found_and_forgotten(state: Path) -> None:
    left = recovery.leave(state, OP, ID)
    assert left
    assert left_in(state.parent) == [left]
    assert stat.S_IMODE(left.stat().st_mode) == 0o600
    assert recovery.find(state, OP) == ID
    assert recovery.find(state, "0123") is None
    recovery.forget(state, OP)
    assert not left.exists()
    assert recovery.find(state, OP) is None


def test_what_an_older_version_left_is_found(state: Path) -> None:
    """Its names had no part that was drawn."""
    old = state.with_name(f"s.json.{OP}.recovery")
    old.write_text(ID)
    assert recovery.find(state, OP) == ID
    recovery.forget(state, OP)
    assert not old.exists()


@pytest.mark.parametrize("gone", [["state"], ["state", "cwd"]])
def test_the_next_place_takes_what_the_first_refuses(state: Path, tmp_path: Path, gone: list[str]) -> None:
    for folder in gone:
        (tmp_path / folder).rmdir()
    left = recovery.leave(state, OP, ID)
    assert left
    assert left.parent.name == {"state": "cwd", "cwd": "tmp"}[gone[-1]]
    assert recovery.find(state, OP) == ID


def test_no_place_is_left(state: Path, tmp_path: Path) -> None:
    for folder in ("state", "cwd", "tmp"):
        (tmp_path / folder).rmdir()
    assert recovery.leave(state, OP, ID) is None
    assert recovery.find(state, OP) is None


@pytest.mark.parametrize("planted", ["pipe", "folder", "link", "dangling", "file"])
def test_nothing_can_be_planted_in_its_way(state: Path, tmp_path: Path, planted: str) -> None:
    """Whoever reads the state knows the operation, and all may write to the temporary folder."""
    (tmp_path / "victim").write_text("precious")
    for folder in ("state", "cwd", "tmp"):
        plant(planted, tmp_path / folder / f"s.json.{OP}.recovery", tmp_path / "victim")
    assert recovery.leave(state, OP, ID)
    assert (tmp_path / "victim").read_text() == "precious"
    recovery.forget(state, OP)
    assert (tmp_path / "victim").read_text() == "precious"


def plant(kind: str, at: Path, victim: Path) -> None:
    match kind:
        case "pipe":
            os.mkfifo(at)
        case "folder":
            at.mkdir()
        case "link":
            at.symlink_to(victim)
        case "dangling":
            at.symlink_to("nowhere")
        case "file":
            os.link(victim, at)


def test_a_second_name_of_a_file_is_not_believed(state: Path, tmp_path: Path) -> None:
    """Others can give one to a file of ours, and so have what is in it printed as an id."""
    (tmp_path / "token").write_text("secret")
    os.link(tmp_path / "token", tmp_path / "tmp" / f"s.json.{OP}.{'0' * 16}.recovery")
    assert recovery.find(state, OP) is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make another user's file")
def test_a_file_of_somebody_else_is_not_believed(state: Path, tmp_path: Path) -> None:
    planted = tmp_path / "tmp" / f"s.json.{OP}.{'0' * 16}.recovery"
    planted.write_text("wkfl_theirs")
    os.chown(planted, 12345, 12345)
    assert recovery.find(state, OP) is None


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
    state.parent.rmdir()
    assert recovery.leave(state, OP, ID) is None
    assert recovery.find(state, OP) is None
