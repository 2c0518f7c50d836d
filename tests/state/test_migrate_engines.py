"""A move between real places, ended at every step: from each of them to each other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from defendctl.model import Intent
from defendctl.state.document import from_text, to_text
from defendctl.state.register.backend import RegisterBackend
from tests.conftest import Project, custom
from tests.servers.buckets import at_azure, at_s3
from tests.servers.postgres import shared_postgres
from tests.state.ending import KILLED
from tests.state.forge import Forge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.conftest import Ran

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Spot:
    """Where a state may be, as `--to` says it."""

    url: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        return ["--to", self.url, *(word for o in self.options.items() for word in ("--option", "=".join(o)))]


def file(request: pytest.FixtureRequest) -> Spot:
    del request
    return Spot("defendctl.state.json")


def git(request: pytest.FixtureRequest) -> Spot:
    del request
    return Spot("git+origin?key=checkout")


def postgres(request: pytest.FixtureRequest) -> Spot:
    del request
    return Spot(f"{shared_postgres().url('apply')}?key={uuid.uuid4().hex}")


def seaweedfs(request: pytest.FixtureRequest) -> Spot:
    place = at_s3(request.getfixturevalue("weed").port, request.getfixturevalue("monkeypatch"))
    return Spot(place.url, place.options)


def azurite(request: pytest.FixtureRequest) -> Spot:
    place = at_azure(request.getfixturevalue("azure").port, request.getfixturevalue("monkeypatch"))
    return Spot(place.url, place.options)


PAIRS = (*combinations((file, git, postgres, seaweedfs), 2), (file, azurite))


@pytest.fixture
def bound(project: Project, tmp_path: Path) -> Project:
    """Two workflows that are bound, and a create whose answer a run had to leave."""
    clone = Project(Forge(tmp_path / "forge").clone(), project.server, project.env)
    clone.declare({"bot": custom(), "other": custom()})
    clone.apply("--new-state")
    state = from_text(clone.state_file.read_text())
    state.unresolved["open"] = Intent("0123abcd", "2031-01-01T00:00:00+00:00", {"name": "open"})
    clone.state_file.write_text(to_text(state))
    left = clone.root / "defendctl.state.json.0123abcd.0123456789abcdef.recovery"
    left.write_text("wkfl_answered")
    left.chmod(0o600)
    clone.settings()
    return clone


def migrated(project: Project, to: Spot) -> str:
    """The operator does what the messages say, until it is done; then the project file says where it is, as
    the command printed it, which is returned."""
    while True:
        ran = project.run_alone("state", "migrate", *to.words)
        if not unlocked(project, ran, to):
            break
    assert ran.code == 0, ran
    lines = "".join(line[2:] for line in ran.out.splitlines(keepends=True) if line.startswith("  "))
    return written(project, f"version: 1\n{lines}")


def written(project: Project, text: str) -> str:
    (project.root / "defendctl.yaml").write_text(text)
    return text


def unlocked(project: Project, ran: Ran, to: Spot) -> bool:
    found = re.search(r'defendctl (?:--state-url (?:"([^"]*)"|(\S+)) )?state unlock (\w+)', ran.err)
    if not found:
        return False
    there = found[1] or found[2]
    if there:
        project.ok("state", "unlock", found[3], "--state-url", there, *_with(project, to))
    else:
        project.ok("state", "unlock", found[3])
    return True


def _with(project: Project, to: Spot) -> list[str]:
    """The options of the place, which `--state-url` does not say."""
    if not to.options:
        return []
    said = ", ".join(f"{name}: {value}" for name, value in to.options.items())
    config = project.root / "unlock.yaml"
    config.write_text(f"version: 1\nstate: {{url: {to.url}, options: {{{said}}}}}\n")
    return ["--config", str(config)]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: "-".join(place.__name__ for place in pair))
def test_a_move_between_places_ends_in_one_state(
    bound: Project,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    pair: tuple[Callable[..., Spot], Callable[..., Spot]],
) -> None:
    """There and back, each ended at the same step: before it and after it, until there are no more."""
    first, second = (chosen(request) for chosen in pair)
    before = bound.json("outputs").json["outputs"]
    for place in (first, second, first)[pair[0] is file :]:  # where it was before, a place is used again
        migrated(bound, place)
    monkeypatch.setattr(RegisterBackend, "probe", lambda backend: None)  # it was tried now, and is long
    ways = ((first, second), (second, first))
    step, came = 0, True
    while came:
        step += 1
        both = [_moves(bound, step, *way, before) for way in ways]
        came = any(both)
    assert step > 15
    assert bound.server.count("POST") == 2


def _moves(bound: Project, step: int, here: Spot, there: Spot, before: object) -> bool:
    """Whether the move came so far. Whatever it left, one place goes on and the other does not."""
    old = (bound.root / "defendctl.yaml").read_text()
    came = ended_at(step, bound, "state", "migrate", *there.words)
    halfway = bound.run_alone("outputs")
    assert halfway.code in (0, 6), (step, halfway)
    assert (f"moved to {there.url}" in halfway.err) == (halfway.code == 6), (step, halfway)
    new = migrated(bound, there)
    written(bound, old)
    closed = bound.run_alone("apply", "--yes")
    assert closed.code == 6, (step, closed)
    assert f"moved to {there.url}" in closed.err, (step, closed)
    written(bound, new)
    assert bound.json("outputs").json["outputs"] == before, step
    listed = bound.ok("state", "list")
    assert "--id wkfl_answered" in listed.out, (step, listed)
    return came


def ended_at(step: int, project: Project, *arguments: str) -> bool:
    """Whether it came so far."""
    env = {**os.environ, **project.env, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.state.ending", str(step), *arguments]
    ran = subprocess.run(command, cwd=project.root, env=env, capture_output=True, text=True, check=False)
    assert "Traceback" not in ran.stderr, ran
    return ran.returncode == KILLED
