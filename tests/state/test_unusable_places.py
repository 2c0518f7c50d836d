"""A state that cannot be used, on real places, through the command line: refused, never taken for none."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.state.document import from_text, to_text
from defendctl.state.open import open_backend
from defendctl.state.place import Place, parse_place
from defendctl.state.postgres import backend as of_postgres
from defendctl.state.register import swaps
from defendctl.state.register.objects import REGISTER, Objects
from tests.bad.golden import assert_inert
from tests.conftest import Project, custom, few_quick
from tests.servers.buckets import at_s3
from tests.servers.postgres import shared_postgres
from tests.state.forge import REF, Forge, run_git
from tests.state.test_backend_contract import owner, refuse_to_warn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from defendctl.state.backend import Backend


@dataclass
class Kept:
    """A project whose state is in a place."""

    project: Project
    place: Place
    remove: Callable[[], object]
    """What is there, as somebody would by hand."""
    away: Callable[[], Place]
    """Nobody answers any more: where the same state is then."""

    def say(self, place: Place, **more: Any) -> None:
        state = {"url": place.url, "options": dict(place.options), **more}
        self.project.settings(state={key: value for key, value in state.items() if value})

    def backend(self) -> Backend:
        return open_backend(self.place, self.project.root)

    def document(self) -> str:
        return (self.backend().read().document or b"").decode()

    def put(self, document: bytes) -> None:
        lease = self.backend().lock(owner("somebody"), refuse_to_warn)
        lease.replace(document)
        lease.release()


def git(project: Project, request: pytest.FixtureRequest) -> Kept:
    forge = Forge(request.getfixturevalue("tmp_path") / "forge")
    clone, place = Project(forge.clone(), project.server, project.env), parse_place("git+origin?key=checkout")

    def away() -> Place:
        forge.bare.rename(forge.bare.with_name("gone"))
        return place

    return Kept(clone, place, lambda: run_git(forge.bare, "update-ref", "-d", REF), away)


def postgres(project: Project, request: pytest.FixtureRequest) -> Kept:
    cluster, key = shared_postgres(), uuid.uuid4().hex
    nowhere = cluster.url("apply", port=request.getfixturevalue("unused_port"))
    return Kept(
        project,
        Place("postgres", cluster.url("apply"), key),
        lambda: cluster.sql(f"update defendctl.state set version = null where key = '{key}'"),
        lambda: Place("postgres", nowhere, key),
    )


def seaweedfs(project: Project, request: pytest.FixtureRequest) -> Kept:
    place = at_s3(request.getfixturevalue("weed").port, request.getfixturevalue("monkeypatch"))
    nowhere = {"endpoint": f"http://127.0.0.1:{request.getfixturevalue('unused_port')}"}
    return Kept(
        project, place, lambda: Objects(place)._delete([REGISTER]), lambda: replace(place, options=nowhere)
    )


@pytest.fixture(
    params=[git, *(pytest.param(each, marks=pytest.mark.slow) for each in (postgres, seaweedfs))],
    ids=lambda place: place.__name__,
)
def kept(project: Project, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """One workflow is bound, and its lineage is pinned."""
    monkeypatch.setattr(of_postgres, "PATIENCE", 0.1)
    monkeypatch.setattr(swaps, "pause", lambda seconds: None)
    made: Kept = request.param(project, request)
    made.say(made.place)
    made.project.declare({"bot": custom()})
    made.project.apply("--new-state")
    return made


ASKING = ("plan", "apply --yes", "drift")
"""These ask the API too."""
READING = ("outputs", "state list", "show bot", "state pull")


def assert_refused(kept: Kept, code: int, words: str, commands: Sequence[str] = (*ASKING, *READING)) -> None:
    posts = kept.project.server.count("POST")
    for command in commands:
        ran = kept.project.run_alone(*command.split())
        assert (ran.code, ran.out) == (code, ""), (command, ran)
        assert words in ran.err, (command, ran)
        assert_inert(ran.err)
    assert kept.project.server.count("POST") == posts


def test_one_that_does_not_answer(kept: Kept) -> None:
    lineage = from_text(kept.document()).lineage
    kept.say(kept.away(), lineage=lineage)
    assert_refused(kept, 1, "error: ")


def test_one_that_is_gone(kept: Kept) -> None:
    kept.remove()
    assert_refused(kept, 6, "there is no state at")


DAMAGED = (b"", b"{", b"not a state", b"\x1b[31m::error::\xff", b"{}", b"[]")


@pytest.mark.parametrize("document", few_quick(DAMAGED, b""))
def test_one_that_is_damaged(kept: Kept, document: bytes) -> None:
    kept.put(document)
    assert_refused(kept, 6, "error: ")


def test_a_newer_one(kept: Kept) -> None:
    kept.put(json.dumps({**json.loads(kept.document()), "format_version": 99}).encode())
    assert_refused(kept, 6, "newer")


@pytest.mark.parametrize("changes", [{"lineage": "another"}, {"environment": "elsewhere"}])
def test_one_of_another_project(kept: Kept, changes: dict[str, Any]) -> None:
    kept.put(to_text(replace(from_text(kept.document()), **changes)).encode())
    assert_refused(kept, 6, *changes.values())


def test_one_of_another_api(kept: Kept) -> None:
    """What is bound may be told; nothing is asked of a host that knows none of it."""
    kept.put(to_text(replace(from_text(kept.document()), api_host="api.elsewhere.example")).encode())
    assert_refused(kept, 6, "api.elsewhere.example", ASKING)
