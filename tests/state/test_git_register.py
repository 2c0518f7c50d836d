"""The state in a ref of a git repository: real clones, a real bare one, real refusals."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from defendctl.diagnostics import DefendctlError, Precondition
from defendctl.exits import Exit
from defendctl.git import asking
from defendctl.state.backend import Locked
from defendctl.state.copies import Copies
from defendctl.state.document import DamagedState
from defendctl.state.lines import head
from defendctl.state.owner import this_run
from defendctl.state.register import swaps
from defendctl.state.register.git import GitEngine
from defendctl.state.register.lease import SEAL
from defendctl.state.store import Store
from tests.state.forge import REF, Forge, run_git, write_hook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from defendctl.git.trees import Trees
    from defendctl.state.owner import Owner
    from defendctl.state.records import Record
    from defendctl.state.register.backend import RegisterBackend
    from defendctl.state.register.lease import RegisterLease

HEAD = head("j1", ("lineage", 1, "writer", None))
LEFT = "refs/defendctl-left/checkout"


def owner(name: str) -> Owner:
    return replace(this_run(), id=name, user=name)


def record(number: int, size: int = 0) -> Record:
    return {"do": "moved", "address": f"to{number}", "from": f"from{number}", "why": "x" * size}


def numbers(backend: RegisterBackend) -> list[int]:
    journal = backend.read().journal
    return [int(each["address"].removeprefix("to")) for each in journal.records] if journal else []


@contextmanager
def leased(backend: RegisterBackend, name: str = "alice") -> Iterator[RegisterLease]:
    lease = backend.lock(owner(name), print)
    try:
        yield lease
    finally:
        lease.release()


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return Forge(tmp_path)


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each wait for the place is meant to be; none is waited."""
    found: list[float] = []
    monkeypatch.setattr(swaps, "pause", found.append)
    return found


def commit(folder: Path, name: str) -> str:
    (folder / name).write_text(name)
    run_git(folder, "add", ".")
    run_git(folder, "commit", "--quiet", "--no-gpg-sign", "-m", name)
    return run_git(folder, "rev-parse", "HEAD").strip()


def pushed(forge: Forge, *names: str) -> list[str]:
    """Commits on a branch, as a project has them."""
    clone = forge.clone()
    commits = [commit(clone, name) for name in names]
    run_git(clone, "push", "--quiet", "origin", "HEAD:refs/heads/main")
    run_git(forge.bare, "symbolic-ref", "HEAD", "refs/heads/main")
    return commits


def cloned(forge: Forge, *how: str) -> Path:
    """With all that `git clone` makes."""
    target = forge.folder / f"whole{len([*forge.folder.iterdir()])}"
    run_git(forge.folder, "clone", "--quiet", *how, f"file://{forge.bare}", str(target))
    return target


# What every clone sees


def test_clones_see_one_state_whatever_they_have_checked_out(forge: Forge) -> None:
    """The third stands on an old commit, as a job does that is run again: it begins no state of its own."""
    old, _ = pushed(forge, "one", "two")
    clones = [cloned(forge) for _ in range(3)]
    run_git(clones[2], "checkout", "--quiet", old)

    def store(clone: Path) -> Store:
        return Store(forge.backend(clone), Copies(clone / ".defendctl", lambda: "here"), None)

    with store(clones[0]).session(print) as session:
        session.begin()
        lineage = session.state.lineage
    for clone in (*clones[1:], clones[0]):
        before = store(clone).read().state
        with store(clone).session(print) as session:
            session.edit(lambda _: None)
            with pytest.raises(Locked):
                store(clones[0]).backend.lock(owner("another"), print)
        after = store(clones[2]).read()
        assert (after.state.lineage, after.state.serial) == (lineage, before.serial + 1)
        assert store(clone).rollback(after) is None
    assert [one.serial for one in forge.backend(clones[2]).versions()] == [4, 3, 2, 1]


def test_of_runs_that_lock_at_once_one_has_it(forge: Forge) -> None:
    def attempt(number: int) -> bool:
        try:
            backends[number].lock(owner(f"run{number}"), print)
        except Locked:
            return False
        return True

    backends = [forge.backend() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(6))) == 1


def test_two_keys_are_two_states(forge: Forge) -> None:
    with leased(forge.backend()) as lease:
        other = forge.backend(url="git+origin?key=eu/checkout")
        with leased(other) as second:
            lease.replace(b"one")
            second.replace(b"two")
            other.leave("0123", "wkfl_1")
    assert forge.backend().read().document == b"one"
    assert other.read().document == b"two"
    assert forge.backend().strays(()) == []
    assert {*forge.refs()} == {REF, "refs/defendctl/eu/checkout", "refs/defendctl-left/eu/checkout/0123"}


# What the user's clone does not notice


def noticed(clone: Path) -> dict[str, object]:
    """All that a user may see of a clone."""
    folder = clone / ".git"
    files = ("HEAD", "FETCH_HEAD", "ORIG_HEAD", "config", "index", "packed-refs", "shallow")
    return {
        "files": {name: (folder / name).read_bytes() for name in files if (folder / name).exists()},
        "config": run_git(clone, "config", "-l", "--show-origin"),
        "refs": run_git(clone, "for-each-ref"),
        "objects": run_git(clone, "count-objects", "-v"),
        "dangling": run_git(clone, "fsck", "--no-progress"),
        "logs": sorted(str(file) for file in (folder / "logs").rglob("*")),
        "work tree": sorted(file.name for file in clone.iterdir()),
    }


UNHELPFUL = {
    "commit.gpgsign": "true",
    "tag.gpgsign": "true",
    "push.gpgsign": "true",
    "gpg.program": "false",
    "push.followTags": "true",
    "push.default": "nothing",
    "push.recurseSubmodules": "on-demand",
    "push.useForceIfIncludes": "true",
    "fetch.prune": "true",
    "fetch.pruneTags": "true",
    "fetch.writeCommitGraph": "true",
    "fetch.fsckObjects": "true",
    "remote.origin.tagOpt": "--tags",
    "gc.auto": "1",
    "gc.autoDetach": "false",
    "core.abbrev": "4",
    "color.ui": "always",
    "protocol.version": "0",
}
"""What people have set, for reasons that are not ours."""
HOOKS = ("pre-push", "reference-transaction", "post-index-change", "pre-auto-gc", "monitor")


@pytest.mark.parametrize("refspec", ["+refs/*:refs/*", "+refs/heads/*:refs/remotes/origin/*"])
def test_no_setting_stops_a_run_and_no_run_changes_the_clone(forge: Forge, refspec: str) -> None:
    """Hooks of the user among them: one that refuses every push is a common one."""
    pushed(forge, "one")
    clone = cloned(forge)
    run_git(clone, "tag", "-a", "-m", "v1", "v1")
    for name, value in UNHELPFUL.items():
        run_git(clone, "config", name, value)
    run_git(clone, "config", "remote.origin.fetch", refspec)
    before = noticed(clone)
    ran = forge.folder / "ran"
    for hook in HOOKS:
        for folder in (clone / ".git" / "hooks", forge.folder / "own"):
            write_hook(folder, hook, f"echo {hook} >>{ran}; exit 1")
    config = (clone / ".git" / "config").read_bytes()
    run_git(clone, "config", "core.hooksPath", str(forge.folder / "own"))
    run_git(clone, "config", "core.fsmonitor", str(forge.folder / "own" / "monitor"))

    with leased(forge.backend()) as lease:
        lease.replace(b"document")
        lease.append([HEAD, record(0)])
    backend = forge.backend(clone)
    assert numbers(backend) == [0]
    with leased(backend) as lease:
        lease.append([record(1)])
        lease.replace(b"another")
        backend.leave("0123", "wkfl_1")
    assert backend.left(["0123"]) == {"0123": "wkfl_1"}
    backend.probe()

    assert not ran.exists()
    (clone / ".git" / "config").write_bytes(config)
    for hook in HOOKS:
        (clone / ".git" / "hooks" / hook).unlink()
    assert noticed(clone) == before
    assert {*forge.refs()} == {REF, f"{LEFT}/0123", "refs/heads/main"}, "no tag went with it"


@pytest.mark.parametrize("how", [("--depth=1",), (), ("--filter=blob:none",), ("--mirror",)])
def test_a_clone_stays_as_shallow_as_it_was(forge: Forge, how: tuple[str, ...]) -> None:
    forge.set("uploadpack.allowFilter", "true")
    pushed(forge, "one", "two", "three")
    clone = cloned(forge, *how)
    with leased(forge.backend()) as lease:
        lease.replace(b"document")
    folder = clone if "--mirror" in how else clone / ".git"

    def known() -> tuple[str, str]:
        return run_git(clone, "rev-parse", "--is-shallow-repository"), run_git(clone, "rev-list", "--all")

    before = known()
    backend = forge.backend(clone)
    assert backend.read().document == b"document"
    with leased(backend) as lease:
        lease.replace(b"another")
    assert known() == before
    assert (folder / "shallow").exists() == ("--depth=1" in how)
    assert forge.backend().read().document == b"another"


def test_what_git_keeps_for_us_may_go_at_any_time(forge: Forge) -> None:
    """It is fetched again: whatever is missing, of a fetch that was cut short too."""
    clone = forge.clone()
    with leased(forge.backend()) as lease:
        lease.replace(b"document")
        lease.append([HEAD, record(0, SEAL)])
        lease.append([record(1)])
    assert numbers(forge.backend(clone)) == [0, 1]
    kept = sorted(file for file in (clone / ".git" / "defendctl").glob("??/*") if file.is_file())
    assert len(kept) == 5, "a commit, its tree, the value, a document, sealed records"
    for file in kept:
        file.unlink()
        backend = forge.backend(clone)
        assert numbers(backend) == [0, 1]
        file.unlink()
        assert backend.read().document == b"document"
    with leased(forge.backend(clone)) as lease:
        lease.replace(b"another")


def test_what_was_fetched_long_ago_is_removed(forge: Forge) -> None:
    clone = forge.clone()
    with leased(forge.backend(clone)) as lease:
        lease.replace(b"document")
    folder = clone / ".git" / "defendctl"
    for file in folder.glob("??/*"):
        os.utime(file, (1, 1))
    with leased(forge.backend(clone)) as lease:
        lease.append([HEAD, record(0)])
    assert numbers(forge.backend(clone)) == [0]
    assert forge.backend(clone).read().document == b"document"
    assert all(file.stat().st_mtime > 1 for file in folder.glob("??/*"))


# What a fetch and a push carry


def test_a_fetch_is_as_small_after_many_writes(forge: Forge) -> None:
    """A commit has no parent, so that it brings what the register speaks of and no more."""
    with leased(forge.backend()) as lease:
        for serial in range(15):
            lease.replace(b"document %d" % serial)
        for _ in range(15):
            lease.beat()
    clone = forge.clone()
    forge.backend(clone).read()
    assert run_git(forge.bare, "rev-list", "--count", REF) == "1\n"
    assert len([*(clone / ".git" / "defendctl").glob("??/*")]) == 2 + 1 + 10, "the value and ten documents"


def test_each_commit_carries_what_the_last_one_held(forge: Forge) -> None:
    with leased(forge.backend()) as lease:
        lease.replace(b"document")
        lease.append([HEAD, record(0, SEAL)])
        lease.append([record(1, SEAL)])
    for number in range(2, 5):
        with leased(forge.backend(), f"run{number}") as lease:
            lease.append([record(number)])
    run_git(forge.bare, "gc", "--quiet", "--prune=now")
    assert numbers(forge.backend()) == [0, 1, 2, 3, 4]
    assert forge.backend().read().document == b"document"


def test_the_advice_restores_an_earlier_state(forge: Forge) -> None:
    clone = forge.clone()
    with leased(forge.backend(clone)) as lease:
        for serial in (1, 2):
            lease.replace(b'{\n  "serial": %d,\n  "writer": "w"\n}\n' % serial)
    newest, before = forge.backend(clone).versions()
    assert (newest.serial, before.serial) == (2, 1)
    subprocess.run(["sh", "-ec", before.restore.split("`")[1]], cwd=clone, check=True, capture_output=True)
    assert b'"serial": 1' in (clone / "state.json").read_bytes()


# Answers that are lost


@pytest.mark.parametrize("when", ["after", "before"])
def test_a_push_whose_answer_is_lost_is_settled_by_looking(
    forge: Forge, naps: list[float], when: str
) -> None:
    """The server dies right after the ref was moved, or right before."""
    count = 'cat >/dev/null; echo >>"$GIT_DIR/count"; '
    die = 'if [ -e "$GIT_DIR/armed" ]; then rm "$GIT_DIR/armed"; kill -9 $PPID; fi'
    forge.hook("pre-receive", f"{count} {die if when == 'before' else ''}")
    forge.hook("reference-transaction", f'[ "$1" = committed ] || exit 0; {die if when == "after" else ""}')
    armed, writes = forge.bare / "armed", forge.bare / "count"
    backend = forge.backend()
    armed.touch()
    lease = backend.lock(owner("alice"), print)
    armed.touch()
    lease.append([HEAD, record(0)])
    armed.touch()
    lease.append([record(1)])
    assert numbers(forge.backend()) == [0, 1]
    armed.touch()
    lease.replace(b"document")
    armed.touch()
    lease.release()
    assert not armed.exists()
    assert len(writes.read_text()) == (5 if when == "after" else 10), "what has landed is not pushed again"
    armed.touch()
    assert backend.leave("0123", "wkfl_1")
    assert not armed.exists()
    other = forge.backend()
    assert (other.read().document, other.held(), numbers(other)) == (b"document", None, [])
    assert other.left(["0123"]) == {"0123": "wkfl_1"}


def test_a_lock_file_that_was_left_on_the_server_is_no_other_run(forge: Forge, naps: list[float]) -> None:
    with leased(forge.backend()) as lease:
        left = forge.bare / f"{REF}.lock"
        left.touch()
        with pytest.raises(OSError, match="cannot lock ref"):
            lease.append([HEAD, record(0)])
        left.unlink()
    assert forge.backend().held() is None
    assert numbers(forge.backend()) == []


def test_git_that_does_not_answer_is_ended_with_all_it_started(
    forge: Forge, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clone = forge.clone()
    write_hook(tmp_path, "ssh", f"echo $$ >>{tmp_path}/pids; exec sleep 600")
    monkeypatch.setenv("GIT_SSH_COMMAND", str(tmp_path / "ssh"))
    backend = forge.backend(clone, "git+ssh://git@127.0.0.1/x?key=checkout")
    monkeypatch.setattr(asking, "SECONDS", 1)
    monkeypatch.setattr(swaps, "SOON", ())
    with pytest.raises(DefendctlError, match="cannot be reached: git did not answer within"):
        backend.read()
    for pid in (tmp_path / "pids").read_text().split():
        assert not is_running(int(pid))


def is_running(pid: int) -> bool:
    """One that was ended and that nobody has waited for is not."""
    shown = subprocess.run(["ps", "-o", "stat=", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip() not in ("", "Z", "ZN")


def test_nobody_is_asked_for_anything(
    forge: Forge, naps: list[float], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A question that no one answers would hang a job for ever; a command for ssh that was chosen stays."""
    clone = forge.clone()
    write_hook(tmp_path / "bin", "ssh", f'echo "$@" >{tmp_path}/asked; tty >{tmp_path}/tty; exit 255')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.delenv("GIT_SSH_COMMAND", raising=False)
    url = "git+ssh://git@127.0.0.1/x?key=checkout"
    with pytest.raises(DefendctlError):
        forge.backend(clone, url).read()
    assert "BatchMode=yes" in (tmp_path / "asked").read_text()
    assert "not a tty" in (tmp_path / "tty").read_text()

    run_git(clone, "config", "core.sshCommand", "ssh -o Chosen=yes")
    with pytest.raises(DefendctlError):
        forge.backend(clone, url).read()
    assert "Chosen=yes" in (tmp_path / "asked").read_text()
    assert "BatchMode" not in (tmp_path / "asked").read_text()


# Refusals


def refused(backend: RegisterBackend) -> DefendctlError:
    with pytest.raises(DefendctlError) as found:
        backend.lock(owner("alice"), print)
    assert found.value.exit_code == Exit.FAILED, found.value.message
    return found.value


def test_a_server_that_hides_the_namespace_is_told_by_its_name(forge: Forge, naps: list[float]) -> None:
    forge.set("receive.hideRefs", "refs/defendctl")
    error = refused(forge.backend())
    told = "origin refuses refs/defendctl/checkout: [remote rejected] (deny updating a hidden ref)"
    assert told in error.message
    assert "refs/defendctl/*" in (error.hint or "")
    assert naps == [], "it will not change its mind"


def test_a_server_that_shows_nothing_of_the_namespace_is_no_empty_place(
    forge: Forge, naps: list[float]
) -> None:
    """What is written there is not read: the probe says so, and no run begins a second state."""
    forge.set("uploadpack.hideRefs", "refs/defendctl")
    with pytest.raises(DefendctlError, match="does the server hide it"):
        forge.backend().probe()
    with suppress(DefendctlError):
        forge.backend().lock(owner("alice"), print)
    assert "hidden from those who read" in refused(forge.backend()).message


def test_a_server_that_lets_nobody_push_is_told_in_its_words(forge: Forge, naps: list[float]) -> None:
    forge.hook("pre-receive", "echo 'GH006: Protected ref update failed' >&2; exit 1")
    error = refused(forge.backend())
    assert "pre-receive hook declined" in error.message
    assert "GH006" in error.message
    assert forge.backend().leave("0123", "wkfl_1") is None


def test_a_right_that_goes_during_a_run_stops_it(forge: Forge) -> None:
    """What could not be written is told as such, and later nothing is."""
    warned: list[str] = []
    lease = forge.backend().lock(owner("alice"), warned.append)
    lease.append([HEAD, record(0)])
    forge.hook("pre-receive", "exit 1")
    for _ in range(2):
        with pytest.raises(OSError, match="hook declined"):
            lease.append([record(1)])
    lease.release()
    assert "state unlock alice" in warned[0]
    assert numbers(forge.backend()) == [0]


def test_what_cannot_be_opened_is_told_at_once(forge: Forge, tmp_path: Path) -> None:
    clone = forge.clone()
    for url, words in {
        "git+upstream?key=checkout": "git knows no remote upstream",
    }.items():
        with pytest.raises(DefendctlError) as found:
            forge.backend(clone, url)
        assert words in found.value.message
        assert found.value.exit_code == Exit.FAILED
    outside = tmp_path / "outside"
    outside.mkdir()
    with pytest.raises(DefendctlError, match="git knows no remote origin in"):
        forge.backend(outside)


def test_a_repository_that_is_not_there_is_no_empty_state(forge: Forge, naps: list[float]) -> None:
    backend = forge.backend(forge.clone(), f"git+file://{forge.folder}/nowhere.git?key=checkout")
    with pytest.raises(DefendctlError, match="cannot be read") as found:
        backend.read()
    assert "git ls-remote" in (found.value.hint or "")
    backend = forge.backend(forge.clone(), "git+git://127.0.0.1:1/x?key=checkout")
    with pytest.raises(DefendctlError, match="cannot be reached: unable to connect"):
        backend.read()


def test_without_git_that_is_what_is_told(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    clone, backend = forge.clone(), forge.backend()
    monkeypatch.setenv("PATH", "")
    for use in (backend.read, lambda: forge.backend(clone)):
        with pytest.raises(DefendctlError, match="git is not installed"):
            use()


def test_a_url_needs_no_repository_around_the_project(forge: Forge, tmp_path: Path) -> None:
    with leased(forge.backend()) as lease:
        lease.replace(b"document")
    outside = tmp_path / "outside"
    outside.mkdir()
    backend = forge.backend(outside, f"git+file://{forge.bare}?key=checkout")
    assert backend.read().document == b"document"
    with leased(backend) as lease:
        lease.replace(b"another")
    assert [file.name for file in outside.iterdir()] == [".defendctl"]
    assert forge.backend().read().document == b"another"


def test_where_a_remote_is_pushed_to_there_it_is_read(forge: Forge, tmp_path: Path) -> None:
    """A copy that others read from lags behind: a state that is read there is an old one."""
    copy = Forge(tmp_path / "copy")
    clone = forge.clone()
    run_git(clone, "remote", "set-url", "origin", str(copy.bare))
    run_git(clone, "remote", "set-url", "--push", "origin", str(forge.bare))
    with leased(forge.backend(clone)) as lease:
        lease.replace(b"document")
    assert forge.backend(clone).read().document == b"document"
    assert copy.refs() == {}
    run_git(clone, "remote", "set-url", "--push", "--add", "origin", str(copy.bare))
    with pytest.raises(DefendctlError, match="pushes to 2 places"):
        forge.backend(clone)


def test_no_message_holds_what_a_url_holds(forge: Forge, naps: list[float]) -> None:
    """`state.url` may hold none; the URL of a remote may."""
    clone = forge.clone()
    run_git(clone, "remote", "set-url", "origin", "http://sk_planted@127.0.0.1:1/x?access=sk_planted")
    backend = forge.backend(clone)
    with pytest.raises(DefendctlError) as found:
        backend.read()
    shown = f"{backend.where} {backend.journal} {found.value.message} {found.value.hint}"
    assert "sk_planted" not in shown
    assert "127.0.0.1:1/x" in shown


# What is none of ours


def test_a_ref_that_holds_something_else_is_left_alone(forge: Forge) -> None:
    pushed(forge, "one")
    run_git(forge.bare, "update-ref", REF, "refs/heads/main")
    before = forge.refs()
    for use in (forge.backend().read, lambda: forge.backend().lock(owner("alice"), print)):
        with pytest.raises(DamagedState, match="holds something else"):
            use()
    assert forge.refs() == before


def test_a_value_that_is_too_large_is_not_read(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = forge.backend().engine
    assert isinstance(engine, GitEngine)
    monkeypatch.setattr("defendctl.state.register.engine.LARGEST", 1 << 20)
    engine.swap(bytes((1 << 20) + 1), None, {}, ())
    for use in (forge.backend().read, forge.backend().held):
        with pytest.raises(DamagedState, match="larger than 1 MiB"):
            use()


def test_what_somebody_put_among_the_left_ids_is_told_and_believed_by_nobody(forge: Forge) -> None:
    pushed(forge, "one")
    for name in ("0123", "deep/er"):
        run_git(forge.bare, "update-ref", f"{LEFT}/{name}", "refs/heads/main")
    backend = forge.backend()
    assert backend.left(["0123"]) == {}
    assert [each.told for each in backend.strays(())] == ["0123 (it holds no usable id)"]
    backend.forget_left("0123")
    assert f"{LEFT}/0123" not in forge.refs()


def test_a_repository_that_lets_two_writers_win_is_refused(
    forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = forge.backend()
    engine = backend.engine
    assert isinstance(engine, GitEngine)
    swap = engine.remote.swap

    def careless(trees: Trees, ref: str, new: str, old: str | None) -> None:
        if old is None:
            swap(trees, ref, new, old)

    monkeypatch.setattr(type(engine.remote), "swap", lambda remote, *given: careless(*given))
    with pytest.raises(Precondition, match="4 writers won where one may"):
        backend.probe()
