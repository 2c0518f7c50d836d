"""One state has one lock, whatever folder or link leads to it; a run takes no journal that is not its own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from filelock import FileLock

from defendctl.diagnostics import Precondition
from defendctl.state import records
from defendctl.state.lines import decode, stamp
from defendctl.state.open import open_local
from defendctl.state.owner import this_run
from tests.conftest import Project, custom
from tests.state.given import begun

ROUNDS = 5
CREATE = 6


def beside(project: Project, tmp_path: Path, through: str) -> Project:
    """Another folder whose state is that of `project`, by its path or through a link."""
    other = Project(tmp_path / "other", project.server, project.env)
    other.root.mkdir()
    path = project.state_file
    if through == "link to the file":
        path = other.root / "linked.json"
        path.symlink_to(project.state_file)
    elif through == "link to the folder":
        (other.root / "elsewhere").symlink_to(project.root)
        path = other.root / "elsewhere" / project.state_file.name
    other.settings(state={"path": str(path), "lineage": project.state["lineage"]})
    return other


every_way = pytest.mark.parametrize("through", ["path", "link to the file", "link to the folder"])


@every_way
def test_two_folders_with_one_state_have_one_lock(project: Project, tmp_path: Path, through: str) -> None:
    project.declare({"w": custom()})
    project.apply()
    other = beside(project, tmp_path, through)
    for each in (project, other):
        each.declare({"w": custom(), "v": custom()})
    said = Path(json.loads((other.root / "defendctl.yaml").read_text())["state"]["path"])
    for path, holder, waiting in ((project.state_file, project, other), (said, other, project)):
        lease = open_local(path, holder.root / ".defendctl", None).backend.lock(this_run(), print)
        assert "the state is locked" in waiting.ok("apply", "--yes", code=6).err
        lease.release()
    other.ok("apply", "--yes")


@pytest.mark.slow
@every_way
def test_two_folders_with_one_state_lock_each_other_out(
    project: Project, tmp_path: Path, through: str
) -> None:
    project.declare({"w": custom()})
    project.apply()
    other = beside(project, tmp_path, through)
    for turn in range(ROUNDS):
        declared = {"w": custom()} | {f"r{t}-{n}": custom() for t in range(turn + 1) for n in range(CREATE)}
        for each in (project, other):
            each.declare(declared)
        running = [each.spawn("apply", "--yes", "--format", "json") for each in (project, other)]
        ended = [(process.communicate(timeout=60), process.returncode)[1] for process in running]
        assert sorted(ended) in ([0, 0], [0, 6]), ended
    project.ok("apply", "--yes")
    assert len(project.server.workflows()) == 1 + ROUNDS * CREATE, "each once"


def test_an_older_version_is_locked_out_too(project: Project, tmp_path: Path) -> None:
    """It looks for the lock in the folder of its own project."""
    project.declare({"w": custom()})
    project.apply()
    other = beside(project, tmp_path, "path")
    (other.root / ".defendctl").mkdir()
    with FileLock(other.root / ".defendctl" / "defendctl.state.json.lock"):
        other.declare({"w": custom(), "v": custom()})
        assert "the state is locked" in other.ok("apply", "--yes", code=6).err


def test_a_record_of_a_run_whose_lock_was_broken_is_folded_to_the_last(project: Project) -> None:
    """It is written between the reading of the journal and its removal."""
    project.declare({"a": custom()})
    project.apply()
    store = open_local(project.state_file, project.root / ".defendctl", None)
    zombie = begun(project.journal, "j", stamp(store.read().state))
    zombie.append([records.moved("x", "a")])
    lease = store.backend.lock(this_run(), print)
    zombie.append([records.moved("y", "x")])
    late = lease.drop_journal()
    lease.release()
    assert [record["address"] for record in late] == ["y"]
    with pytest.raises(Precondition):
        zombie.append([records.moved("z", "y")])


def test_a_record_that_lands_while_the_journal_is_taken_is_refused_or_read(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken between the look before the write and the one after it."""
    project.declare({"a": custom()})
    project.apply()
    store = open_local(project.state_file, project.root / ".defendctl", None)
    zombie = begun(project.journal, "j", stamp(store.read().state))
    kept = project.root / "kept"
    kept.hardlink_to(project.journal)
    synced = os.fsync

    def take_it(fd: int) -> None:
        synced(fd)
        if fd == zombie._fd:
            project.journal.unlink()

    monkeypatch.setattr(os, "fsync", take_it)
    with pytest.raises(Precondition):
        zombie.append([records.moved("x", "a")])
    monkeypatch.undo()
    left = decode(kept.read_bytes(), "journal")
    assert left
    assert len(left.records) == 1, "whoever took it reads it, though its run took it for refused"


def test_the_journal_of_another_run_is_left_alone(project: Project) -> None:
    """A run that saw no journal removes none that has come since."""
    project.declare({"a": custom()})
    project.apply()
    store = open_local(project.state_file, project.root / ".defendctl", None)
    lease = store.backend.lock(this_run(), print)
    other = begun(project.journal, "other", stamp(store.read().state))
    assert lease.drop_journal() == ()
    other.append([records.moved("x", "a")])
    assert json.loads(project.state_file.read_text())["bindings"].keys() == {"a"}
