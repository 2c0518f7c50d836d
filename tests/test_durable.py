"""Files that are written whole or not at all, whatever is or was there."""

from __future__ import annotations

import fcntl
import os
import resource
import stat
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from defendctl.durable import draft, is_stream, sweep, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEFT = ".defendctl-0123456789abcdef.tmp"


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """No file may be larger."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize(("given", "then"), [(None, 0o640), (0o600, 0o600), (0o666, 0o666)])
def test_a_new_file_has_the_mode_of_the_umask_or_the_one_it_is_given(
    tmp_path: Path, given: int | None, then: int
) -> None:
    write_whole(tmp_path / "new", b"x", mode=given)
    assert mode(tmp_path / "new") == then
    assert names(tmp_path) == {"new"}


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("there", [0o600, 0o644, 0o664, 0o755, 0o444])
def test_a_file_keeps_its_mode(tmp_path: Path, there: int) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"old")
    path.chmod(there)
    write_whole(path, b"new")
    assert (path.read_bytes(), mode(path)) == (b"new", there)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_file_keeps_its_owner_also_where_root_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "theirs"
    path.write_bytes(b"old")
    os.chown(path, 12345, 54321)
    path.chmod(0o640)
    write_whole(path, b"new")
    there = path.stat()
    assert (there.st_uid, there.st_gid, mode(path)) == (12345, 54321, 0o640)


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_one_and_what_it_leads_to_is_written(tmp_path: Path, exists: bool) -> None:
    (tmp_path / "far").mkdir()
    target = tmp_path / "far" / "real"
    if exists:
        target.write_bytes(b"old")
    (tmp_path / "link").symlink_to("far/real")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == {"far", "link"}
    assert names(tmp_path / "far") == {"real"}


@pytest.mark.parametrize("planted", ["link", "pipe", "file"])
def test_without_following_what_stands_there_is_replaced(tmp_path: Path, planted: str) -> None:
    (tmp_path / "victim").write_bytes(b"precious")
    path = tmp_path / "ours"
    if planted == "link":
        path.symlink_to("victim")
    elif planted == "pipe":
        os.mkfifo(path)
    else:
        os.link(tmp_path / "victim", path)
    write_whole(path, b"new", follow=False)
    assert path.read_bytes() == b"new"
    assert not path.is_symlink()
    assert (tmp_path / "victim").read_bytes() == b"precious"


@pytest.mark.parametrize("old", [None, b"old"], ids=["new", "there"])
def test_a_full_disk_leaves_what_was_there_and_nothing_else(tmp_path: Path, old: bytes | None) -> None:
    path = tmp_path / "file"
    if old is not None:
        path.write_bytes(old)
    with disk_of(1_000), pytest.raises(OSError, match="File too large") as raised:
        write_whole(path, b"x" * 5_000)
    assert raised.value.filename == str(path)
    assert (path.read_bytes() if path.exists() else None) == old
    assert names(tmp_path) <= {"file"}


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("gone/file", "No such file"),
        ("folder", "Is a directory"),
        ("file/below", "Not a directory"),
        ("loop", "Too many levels"),
        ("x" * 300, "too long"),
    ],
)
def test_what_cannot_be_written_is_named_and_leaves_nothing(tmp_path: Path, path: str, why: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match=why) as raised:
        write_whole(tmp_path / path, b"x")
    assert raised.value.filename == str(tmp_path / path)
    assert names(tmp_path) == {"folder", "file", "loop"}
    assert names(tmp_path / "folder") == set()


def test_a_longest_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    write_whole(path, b"x")
    assert path.read_bytes() == b"x"


def test_many_files_get_their_names_only_when_all_are_there(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    files = {tmp_path / "a": b"a", tmp_path / "far" / "b": b"b", tmp_path / "c": b"x" * 5_000}
    with disk_of(1_000), pytest.raises(OSError, match="File too large") as raised, draft(files):
        pass
    assert raised.value.filename == str(tmp_path / "c")
    assert names(tmp_path) == {"far"}
    assert names(tmp_path / "far") == set()


def test_what_is_not_put_is_gone(tmp_path: Path) -> None:
    with draft({tmp_path / "a": b"a", tmp_path / "b": b"b"}) as (a, b):
        assert not names(tmp_path) & {"a", "b"}
        b.put()
    assert a.placed is False
    assert names(tmp_path) == {"b"}


MANY = """
import resource, sys
from pathlib import Path
from defendctl.durable import draft
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
with draft({Path(sys.argv[1]) / str(n): b"x" for n in range(200)}) as drafts:
    for each in drafts:
        each.put()
"""


def test_more_files_than_may_be_open_at_once(tmp_path: Path) -> None:
    """In a process of its own: what other tests left open would count as well."""
    subprocess.run([sys.executable, "-c", MANY, str(tmp_path)], check=True)
    assert len(names(tmp_path)) == 200


def test_what_a_killed_run_left_goes_with_the_next(tmp_path: Path) -> None:
    (tmp_path / LEFT).write_bytes(b"half")
    (tmp_path / ".defendctl-mine.tmp").write_bytes(b"not one of ours")
    write_whole(tmp_path / "file", b"x")
    assert names(tmp_path) == {"file", ".defendctl-mine.tmp"}


def test_what_a_running_run_has_waiting_stays(tmp_path: Path) -> None:
    with draft({tmp_path / "a": b"a"}) as (a,):
        write_whole(tmp_path / "b", b"b")
        sweep(tmp_path)
        a.put()
    assert names(tmp_path) == {"a", "b"}


def test_a_strangers_lock_of_the_folder_is_not_waited_for(tmp_path: Path) -> None:
    """As `flock . command` takes it."""
    fd = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        (tmp_path / LEFT).write_bytes(b"half")
        write_whole(tmp_path / "file", b"x")
        assert names(tmp_path) == {"file", LEFT}
    finally:
        os.close(fd)


def test_a_folder_to_sweep_may_be_gone(tmp_path: Path) -> None:
    sweep(tmp_path / "gone")


def test_many_at_once_in_one_folder(tmp_path: Path) -> None:
    """Nobody takes another's file for what a killed run left."""
    code = (
        "import sys; from pathlib import Path; from defendctl.durable import write_whole\n"
        "for n in range(100): write_whole(Path(sys.argv[1]), sys.argv[2].encode() * 1000)"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / name), name], stderr=subprocess.PIPE)
        for name in "aabb"
    ]
    for run in runs:
        _, err = run.communicate(timeout=60)
        assert run.returncode == 0, err
    assert names(tmp_path) == {"a", "b"}
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {b"a" * 1000, b"b" * 1000}


def test_a_device_is_written_to(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(os.devnull)
    write_whole(link, b"x")
    assert is_stream(link)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)  # noqa: PTH116


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_whole(tmp_path / "pipe", b"x" * 200_000)
    reader.join()
    assert read == [b"x" * 200_000]
    assert names(tmp_path) == {"pipe"}


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_a_descriptor_goes_on_where_it_is(tmp_path: Path, name: str) -> None:
    """stdout may be a file, and what was and will be printed must stay in it."""
    code = (
        "import os; from pathlib import Path; from defendctl.durable import write_whole\n"
        f"os.write(1, b'before,'); write_whole(Path({name!r}), b'between,'); os.write(1, b'after')"
    )
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True)
    assert (tmp_path / "out").read_bytes() == b"before,between,after"
    assert names(tmp_path) == {"out"}
