"""A state that moves: what it takes along, what stands in its way, and a move that ends at any moment."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.model import Intent
from defendctl.state.document import from_text, to_text
from defendctl.state.local.backend import LocalBackend, LocalLease
from defendctl.state.open import ENGINES
from tests.conftest import Project, custom, few_quick
from tests.state import elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Ran


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(ENGINES, "git", elsewhere.ENGINE)
    elsewhere.calls.clear()
    elsewhere.faults.clear()
    yield
    elsewhere.faults.clear()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"git+{tmp_path}/store?key=checkout"


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "store" / "checkout.json"


@pytest.fixture
def bound(project: Project) -> Project:
    """Its state is in a file, and has something in it."""
    project.declare({"bot": custom(), "other": custom()})
    project.apply()
    project.settings()
    return project


def follow(project: Project, ran: Ran) -> None:
    """Put into the project file what the command printed for it."""
    lines = "".join(line[2:] for line in ran.out.splitlines(keepends=True) if line.startswith("  "))
    (project.root / "defendctl.yaml").write_text(f"version: 1\n{lines}")


def ids(project: Project) -> dict[str, str]:
    return dict(project.json("outputs").json["outputs"])


def test_what_is_bound_moves_and_the_old_place_says_where(bound: Project, url: str, there: Path) -> None:
    before = ids(bound)
    ran = bound.ok("state", "migrate", "--to", url)
    assert "probe" in elsewhere.calls
    old = bound.state
    assert (old["format_version"], old["moved_to"]) == (3, url)
    assert from_text(there.read_text()).moved_to is None
    for command in (
        "plan",
        "apply --yes",
        "outputs",
        "state list",
        "drift",
        "show bot",
        "state rm bot",
        "state pull",
        "state mv bot x",
        "doctor",
    ):
        refused = bound.run_alone(*command.split())
        assert refused.code == 6, command
        assert url in refused.err + refused.out
    follow(bound, ran)
    assert ids(bound) == before
    bound.assert_settled()
    bound.apply()
    assert bound.server.count("POST") == 2


def test_the_lines_for_an_environment_and_its_options(bound: Project, url: str) -> None:
    bound.settings(environments={"staging": {}})
    bound.declare({"bot": custom()})
    bound.ok("apply", "--yes", "--new-state", "--env", "staging")
    ran = bound.ok("state", "migrate", "--to", url, "--env", "staging")
    assert re.search(
        r"  environments:\n    staging:\n      state:\n        url: git\+.*\n        lineage: ", ran.out
    )


def test_moving_is_done_once_and_says_so_again(bound: Project, url: str, there: Path) -> None:
    first = bound.ok("state", "migrate", "--to", url)
    files = bound.state_bytes(), there.read_bytes()
    assert bound.ok("state", "migrate", "--to", url).out == first.out
    assert (bound.state_bytes(), there.read_bytes()) == files


def test_there_and_back_again(bound: Project, url: str, there: Path) -> None:
    follow(bound, bound.ok("state", "migrate", "--to", url))
    bound.declare({"bot": custom(), "other": custom(), "third": custom()})
    bound.apply()
    before = ids(bound)
    back = bound.json("state", "migrate", "--to", "defendctl.state.json").json
    assert "path: defendctl.state.json" in back["project_file"]
    assert json.loads(there.read_text())["moved_to"] == "defendctl.state.json"
    assert bound.state["format_version"] == 2
    (bound.root / "defendctl.yaml").write_text("version: 1\n" + back["project_file"])
    assert ids(bound) == before
    bound.assert_settled()
    follow(bound, bound.ok("state", "migrate", "--to", url))
    assert ids(bound) == before
    bound.apply()


def test_between_two_places_that_are_no_file(bound: Project, url: str, tmp_path: Path) -> None:
    follow(bound, bound.ok("state", "migrate", "--to", url))
    second = f"git+{tmp_path}/second?key=checkout"
    before = ids(bound)
    follow(bound, bound.ok("state", "migrate", "--to", second))
    assert ids(bound) == before
    follow(bound, bound.ok("state", "migrate", "--to", url))
    assert ids(bound) == before
    bound.assert_settled()


def test_an_open_create_moves_with_what_is_known_of_it(bound: Project, url: str, there: Path) -> None:
    bound.declare({"bot": custom(), "other": custom(), "lost": custom()})
    bound.server.fault("lost-after", "POST")
    bound.run("apply", "--yes")
    op = bound.state["unresolved"]["lost"]["op"]
    recovery = bound.root / f"defendctl.state.json.{op}.0123456789abcdef.recovery"
    recovery.write_text("wkfl_answered")
    recovery.chmod(0o600)
    follow(bound, bound.ok("state", "migrate", "--to", url))
    assert json.loads(there.with_suffix(".left").read_text()) == {op: "wkfl_answered"}
    assert not recovery.exists()
    assert "--id wkfl_answered" in bound.run("state", "list").out


def test_a_journal_that_was_left_is_folded_first(bound: Project, url: str) -> None:
    from defendctl.state import records
    from defendctl.state.lines import encode, head, stamp

    state = from_text(bound.state_file.read_text())
    left = [head("j", stamp(state)), records.retired("other")]
    bound.journal.write_bytes(b"".join(map(encode, left)))
    follow(bound, bound.ok("state", "migrate", "--to", url))
    assert set(ids(bound)) == {"bot"}


def put(there: Path, text: str) -> None:
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_text(text)


def another(bound: Project, **changes: Any) -> str:
    return to_text(replace(from_text(bound.state_file.read_text()), **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"lineage": "another-lineage"},
        {"serial": 99, "writer": "another"},
        {"writer": "migrate0123456789abcdef"},
        {"moved_to": "git+elsewhere?key=x"},
        {"moved_to": "defendctl.state.json", "serial": 99},
        {"moved_to": "defendctl.state.json", "lineage": "another-lineage"},
    ],
)
def test_another_state_in_the_way_is_named_and_left(
    bound: Project, url: str, there: Path, changes: dict[str, Any]
) -> None:
    put(there, another(bound, **changes))
    before = bound.state_bytes(), there.read_bytes()
    ran = bound.run("state", "migrate", "--to", url)
    assert ran.code == 6
    assert "only one of them can be the state" in ran.err
    assert str(bound.state_file) in ran.err
    assert url in ran.err
    assert (bound.state_bytes(), there.read_bytes()) == before


@pytest.mark.parametrize("content", ["", "not a state", "{}"])
def test_what_is_no_state_is_left_too(bound: Project, url: str, there: Path, content: str) -> None:
    put(there, content)
    assert bound.run("state", "migrate", "--to", url).code == 6
    assert there.read_text() == content


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--to", "nonsense"], "no known scheme"),
        (["--to", "postgres://a:hunter2@db/x?key=a"], "must not hold a password"),
        (["--to", "git+origin"], "must say which state"),
        (["--to", "defendctl.state.json"], "already"),
        (["--to", "git+origin?key=a", "--option", "region=x"], "not known here"),
        (["--to", "s3://b/a", "--option", "secret=hunter2"], "not known here"),
        (["--to", "s3://b/a", "--option", "region"], "NAME=VALUE"),
        (["--to", "git+origin?key=a", "--sandbox"], "sandbox"),
        ([], "--to"),
    ],
)
def test_what_is_no_place_to_move_to_is_a_usage_error(bound: Project, arguments: list[str], why: str) -> None:
    ran = bound.run("state", "migrate", *arguments)
    assert (ran.code, ran.out) == (64, "")
    assert why in ran.err
    assert "hunter2" not in ran.err


def test_nothing_moves_from_where_nothing_is(project: Project, url: str, there: Path) -> None:
    assert project.run("state", "migrate", "--to", url).code != 0
    project.settings()
    ran = project.run("state", "migrate", "--to", url)
    assert ran.code == 6
    assert "no state at" in ran.err
    assert not there.exists()


def test_a_place_that_fails_its_probe_gets_nothing(bound: Project, url: str, there: Path) -> None:
    elsewhere.faults["probe"] = elsewhere.unreachable()
    before = bound.state_bytes()
    assert bound.run("state", "migrate", "--to", url).code == 1
    assert bound.state_bytes() == before
    assert not there.exists()


def test_a_place_that_loses_what_is_written_gets_no_state(
    bound: Project, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_whole = LocalLease.replace

    def lossy(lease: LocalLease, document: bytes) -> None:
        put_whole(lease, document.replace(b'"bot"', b'"bat"'))

    monkeypatch.setattr(LocalLease, "replace", lossy)
    before = bound.state_bytes()
    ran = bound.run("state", "migrate", "--to", url)
    assert ran.code == 6
    assert "gave back something else" in ran.err
    assert bound.state_bytes() == before


def test_who_holds_the_lock_there_is_named_with_the_command_for_that_place(
    bound: Project, url: str, there: Path
) -> None:
    from dataclasses import asdict

    from defendctl.state.owner import this_run

    put(there.with_suffix(".held"), json.dumps(asdict(replace(this_run(), id="gone"))))
    ran = bound.run("state", "migrate", "--to", url)
    assert ran.code == 6
    assert f'--state-url "{url}" state unlock gone' in ran.err
    bound.ok("state", "unlock", "gone", "--state-url", url)
    bound.ok("state", "migrate", "--to", url)


def test_branches_that_still_hold_the_old_file_are_named(bound: Project, url: str) -> None:
    def git(*words: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *words], cwd=bound.root, check=True, capture_output=True)

    git("init", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--message=a")
    git("branch", "feature")
    bound.ok("state", "migrate", "--to", url)
    git("commit", "--all", "--message=b")
    assert bound.json("state", "migrate", "--to", url).json["branches"] == ["feature"]


STEPS = (
    (LocalBackend, "lock"),
    (LocalLease, "replace"),
    (LocalLease, "drop_journal"),
    (LocalLease, "release"),
    (elsewhere.Elsewhere, "probe"),
    (elsewhere.Elsewhere, "read"),
    (elsewhere.Elsewhere, "leave"),
    (LocalBackend, "forget_left"),
)
KILLED = 9


def ended_at(step: int, project: Project, *arguments: str) -> bool:
    """Runs a command in a process that ends by itself before or after the call of that number. Whether it
    came so far."""
    child = os.fork()
    if child == 0:
        count = 0

        def tick() -> None:
            nonlocal count
            count += 1
            if count == step:
                os._exit(KILLED)

        for owner, name in STEPS:
            setattr(owner, name, _ticking(getattr(owner, name), tick))
        project.run_alone(*arguments)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == KILLED


def _ticking(called: Any, tick: Any) -> Any:
    @wraps(called)
    def call(*arguments: Any) -> Any:
        tick()
        result = called(*arguments)
        tick()
        return result

    return call


def unlocked(project: Project, ran: Ran) -> bool:
    """Does what the message says of a run that is gone. Whether there was one."""
    found = re.search(r"defendctl (?:--state-url \"(.*)\" )?state unlock (\w+)", ran.err)
    if found:
        said = ["--state-url", found[1]] if found[1] else []
        project.ok(*said, "state", "unlock", found[2])
    return bool(found)


@pytest.mark.parametrize("way", few_quick(["from a file", "to a file", "between"], "from a file"))
def test_a_move_that_is_killed_at_any_step_ends_in_one_state(
    bound: Project, url: str, there: Path, tmp_path: Path, way: str
) -> None:
    """Before each step and after it; what the operator then does is what the messages say."""
    state = from_text(bound.state_file.read_text())
    state.unresolved["open"] = Intent(
        "0123abcd", "2031-01-01T00:00:00+00:00", {"name": "open"}, answered=None
    )
    bound.state_file.write_text(to_text(state))
    (bound.root / "defendctl.state.json.0123abcd.0123456789abcdef.recovery").write_text("wkfl_answered")
    (bound.root / "defendctl.state.json.0123abcd.0123456789abcdef.recovery").chmod(0o600)
    to = url
    if way != "from a file":
        follow(bound, bound.ok("state", "migrate", "--to", url))
        to = "defendctl.state.json" if way == "to a file" else f"git+{tmp_path}/second?key=checkout"
    before = ids(bound)
    step = 0
    while True:
        step += 1
        came = ended_at(step, bound, "state", "migrate", "--to", to)
        halfway = bound.run_alone("outputs")
        assert halfway.code in (0, 6), halfway
        assert (f"moved to {to}" in halfway.err) == (halfway.code == 6), halfway
        ran = bound.run_alone("state", "migrate", "--to", to)
        while unlocked(bound, ran):
            ran = bound.run_alone("state", "migrate", "--to", to)
        assert ran.code == 0, (step, ran)
        old = bound.run_alone("outputs")
        assert old.code == 6, (step, old)
        follow(bound, ran)
        assert ids(bound) == before, step
        listed = bound.run("state", "list")
        assert "--id wkfl_answered" in listed.out, (step, listed)
        assert listed.code == 0
        if not came:
            break
        # and back, so that the next step is tried from the same place; each place has held the state before
        here = bound.run_alone("state", "list")
        assert here.code == 0
        to = _back(bound, to, url, way)
    assert step > 15


def _back(bound: Project, to: str, url: str, way: str) -> str:
    """The state stands where it moved to: the next move is the other way, and is killed one step later."""
    first = {"from a file": "defendctl.state.json", "to a file": url, "between": url}[way]
    second = {"from a file": url, "to a file": "defendctl.state.json"}.get(way)
    if to != first:
        return first
    return second or f"git+{bound.root.parent}/second?key=checkout"
