"""A pipe, a socket, a folder or a device where defendctl keeps its own files: no command waits for it."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import TRACEBACK, Ran, custom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Project

SECONDS = 20
MEMORY = 1 << 30
DEVICE = "/dev/zero"

pytestmark = pytest.mark.timeout(3 * SECONDS)


def _socket(path: Path) -> None:
    """By its short name, for a path of a socket has a hundred characters."""
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(here)


KINDS: dict[str, Callable[[Path], None]] = {
    "pipe": os.mkfifo,
    "socket": _socket,
    "folder": Path.mkdir,
    "device": lambda path: path.symlink_to(DEVICE),
    "link to itself": lambda path: path.symlink_to(path.name),
}
EVERY_KIND = [pytest.param(kind, marks=[] if kind == "pipe" else pytest.mark.slow) for kind in KINDS]

Place = Callable[["Project"], Path]
FOLDER: Place = lambda project: project.root / ".defendctl"  # noqa: E731
LOCK: Place = lambda project: FOLDER(project) / "defendctl.state.json.lock"  # noqa: E731
RECORD: Place = lambda project: FOLDER(project) / "defendctl.state.json.lock.json"  # noqa: E731


def _copy(project: Project, later: int) -> Path:
    state = project.state
    name = f"{state['lineage']}.{state['serial'] + later:08d}.{state['writer']}.json"
    return FOLDER(project) / "backups" / project.state_file.name / name


HARMLESS: dict[str, Place] = {
    "the newest copy": lambda project: _copy(project, 0),
    "the next copy": lambda project: _copy(project, 1),
    "a copy from the future": lambda project: _copy(project, 1000),
    "the folder of the copies": lambda project: FOLDER(project) / "backups",
    "the folder of its copies": lambda project: _copy(project, 0).parent,
}
"""Copies are a courtesy: whatever stands in their place, every command goes on."""


@pytest.fixture
def settled(project: Project) -> Project:
    """One workflow is bound, and one is declared that is not there yet."""
    project.declare({"a": custom()})
    project.apply()
    project.declare({"a": custom(), "b": custom()})
    return project


def put(kind: str, path: Path) -> None:
    """In the place of whatever stands there."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(exist_ok=True)
    KINDS[kind](path)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _no_longer_than(seconds: float) -> Iterator[None]:
    """An open that waits is ended by a defect."""

    def ring(*_: object) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGUSR1, ring)
    timer = threading.Timer(seconds, signal.pthread_kill, (threading.get_ident(), signal.SIGUSR1))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        signal.signal(signal.SIGUSR1, before)


def run(project: Project, *arguments: str) -> Ran:
    """Where a device stands, in a process that has only so much memory."""
    links = [path for path in project.root.rglob("*") if path.is_symlink()]
    if not any(path.readlink() == Path(DEVICE) for path in links):
        with _no_longer_than(SECONDS):
            return project.run(*arguments)
    ran = subprocess.run(
        [sys.executable, "-m", "defendctl", *arguments],
        cwd=project.root,
        env={**os.environ, **project.env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    assert not TRACEBACK.search(ran.stdout + ran.stderr), ran
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def refused(project: Project, path: Path, code: int, *arguments: str) -> None:
    """It says what is in the way, and nothing was sent."""
    project.server.forget_requests()
    ran = run(project, *arguments)
    assert ran.code == code, ran
    assert str(path) in ran.err, ran
    assert project.server.count("POST") == 0


def goes_on(project: Project, *arguments: str, code: int = 0) -> Ran:
    ran = run(project, *arguments)
    assert ran.code == code, ran
    return ran


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("place", HARMLESS)
def test_in_the_place_of_a_copy(settled: Project, place: str, kind: str) -> None:
    put(kind, HARMLESS[place](settled))
    assert "serial" not in goes_on(settled, "plan").out.split("Plan:")[1]
    goes_on(settled, "apply", "--yes")
    goes_on(settled, "plan", "--detailed-exitcode")
    assert settled.server.names() == ["a", "b"]


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_copies_that_are_none_are_not_named_as_the_newest(settled: Project, kind: str) -> None:
    newest = _copy(settled, 0)
    put(kind, _copy(settled, 1))
    settled.state_file.write_text("{")
    ran = goes_on(settled, "plan", code=6)
    assert str(newest) in ran.err


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_in_the_place_of_the_lock_record(settled: Project, kind: str) -> None:
    put(kind, RECORD(settled))
    goes_on(settled, "plan")
    goes_on(settled, "state", "unlock", "0123456789ab", code=1)
    if kind == "folder":
        refused(settled, RECORD(settled), 1, "apply", "--yes")
        remove(RECORD(settled))
    goes_on(settled, "apply", "--yes")
    assert not RECORD(settled).exists()
    assert settled.server.names() == ["a", "b"]


@pytest.mark.parametrize("kind", [k for k in EVERY_KIND if k.values != ("folder",)])
def test_a_lock_record_that_tells_nothing(settled: Project, kind: str) -> None:
    """The lock is held all the same."""
    from tests.state.given import locked

    with locked([LOCK(settled)], print):
        put(kind, RECORD(settled))
        ran = goes_on(settled, "apply", "--yes", code=6)
        assert "the state is locked" in ran.err
    assert settled.server.names() == ["a"]


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_in_the_place_of_the_lock(settled: Project, kind: str) -> None:
    put(kind, LOCK(settled))
    goes_on(settled, "plan")
    refused(settled, LOCK(settled), 1, "apply", "--yes")
    remove(LOCK(settled))
    goes_on(settled, "apply", "--yes")
    assert settled.server.names() == ["a", "b"]


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_in_the_place_of_the_journal(settled: Project, kind: str) -> None:
    put(kind, settled.journal)
    for command in (["plan"], ["apply", "--yes"], ["state", "list"]):
        refused(settled, settled.journal, 6, *command)
    remove(settled.journal)
    goes_on(settled, "apply", "--yes")
    assert settled.server.names() == ["a", "b"]


@pytest.mark.parametrize("kind", [k for k in EVERY_KIND if k.values != ("folder",)])
def test_in_the_place_of_the_folder(settled: Project, kind: str) -> None:
    put(kind, FOLDER(settled))
    goes_on(settled, "plan")
    goes_on(settled, "state", "list")
    refused(settled, FOLDER(settled), 1, "apply", "--yes")
    refused(settled, FOLDER(settled), 6, "plan", "--sandbox")
    remove(FOLDER(settled))
    goes_on(settled, "apply", "--yes")
    assert settled.server.names() == ["a", "b"]


@pytest.mark.parametrize("place", [RECORD, lambda project: _copy(project, 1)], ids=["record", "copy"])
def test_a_link_is_replaced_and_not_followed(settled: Project, tmp_path: Path, place: Place) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    place(settled).symlink_to(elsewhere)
    goes_on(settled, "apply", "--yes")
    assert elsewhere.read_text() == "precious"
    assert not place(settled).is_symlink()


RECORDS = {
    "deep": b"[" * 10_000,
    "a list": b"[]",
    "numbers": b'{"id": 1, "host": 2, "pid": "x", "user": [], "started": {}}',
    "large": b'{"id": "' + b"x" * (64 << 20) + b'"}',
    "not UTF-8": b"\xff",
    "other keys": b'{"id": "x"}',
    "empty": b"",
}


@pytest.mark.parametrize("content", RECORDS.values(), ids=RECORDS)
def test_a_lock_record_that_is_none(settled: Project, content: bytes) -> None:
    RECORD(settled).write_bytes(content)
    ran = settled.apply()
    assert "a run ended" not in ran.err
    settled.json("state", "list")


def test_a_file_system_without_locks(settled: Project, tmp_path: Path) -> None:
    """No marker is made do with, for it would outlive a run that is killed."""
    from tests.crash import strace

    if strace.why_not():
        pytest.skip(str(strace.why_not()))
    command = ["strace", "-f", "-o", os.devnull, "-e", "inject=flock:error=ENOSYS", sys.executable]
    ran = subprocess.run(
        [*command, "-m", "defendctl", "apply", "--yes"],
        cwd=settled.root,
        env={**os.environ, **settled.env},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("error: cannot lock ")
    assert len(ran.stderr.splitlines()) == 1
    assert settled.server.names() == ["a"]
