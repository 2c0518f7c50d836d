"""A state that is missing, foreign, damaged, newer or older: 6, nothing sent, and every byte as it was."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from defendctl.state.document import from_text, to_text
from tests.conftest import custom

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Project

LINEAGE = "11111111-2222-3333-4444-555555555555"
READERS = [["plan"], ["drift"], ["show", "a"], ["outputs"], ["state", "list"]]
WRITERS = [
    ["apply", "--yes"],
    ["import", "c", "wkfl_1"],
    ["state", "mv", "a", "c"],
    ["state", "rm", "a"],
    ["state", "resolve", "a", "--not-created", "--now"],
]


@pytest.fixture
def bound(project: Project) -> Project:
    project.declare({"a": custom(), "b": custom()})
    project.apply()
    project.settings(state={"lineage": project.state["lineage"]})
    return project


def _truncated(project: Project) -> None:
    data = project.state_file.read_bytes()
    project.state_file.write_bytes(data[: len(data) // 2])


def _empty(project: Project) -> None:
    project.state_file.write_bytes(b"")


def _edited(project: Project) -> None:
    text = project.state_file.read_text()
    project.state_file.write_text(text.replace('"serial": ', '"serial": 1', 1))


def _conflict(project: Project) -> None:
    text = project.state_file.read_text()
    project.state_file.write_text(f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> theirs\n")


def _not_utf8(project: Project) -> None:
    project.state_file.write_bytes(b"\xff\xfe\x00")


def _other_json(project: Project) -> None:
    project.state_file.write_text('[{"format_version": 1}]')


def _deep(project: Project) -> None:
    project.state_file.write_text("[" * 200_000)


def _newer(project: Project) -> None:
    project.state_file.write_text(json.dumps({"format_version": 4, "anything": []}))


def _incomplete(project: Project) -> None:
    import hashlib

    body = {"format_version": 1, "serial": 1}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    checksum = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    project.state_file.write_text(json.dumps({**body, "checksum": checksum}))


def _missing(project: Project) -> None:
    project.state_file.unlink()


def _foreign(project: Project) -> None:
    state = from_text(project.state_file.read_text())
    state.lineage = LINEAGE
    project.state_file.write_text(to_text(state))


def _directory(project: Project) -> None:
    project.state_file.unlink()
    project.state_file.mkdir()


def _pipe(project: Project) -> None:
    project.state_file.unlink()
    os.mkfifo(project.state_file)


def _damaged_journal(project: Project) -> None:
    project.journal.write_bytes(b"nonsense\nmore nonsense\n")


def _foreign_journal(project: Project) -> None:
    from defendctl.state.records import bound
    from tests.state.given import begun

    journal = begun(project.journal, "f00", (LINEAGE, 3, "w", None))
    journal.append([bound("lost", "op", "wkfl_lost")])
    journal.close()


UNUSABLE = [
    _truncated,
    _empty,
    _edited,
    _conflict,
    _not_utf8,
    _other_json,
    _deep,
    _newer,
    _incomplete,
    _missing,
    _foreign,
    _directory,
    _pipe,
    _damaged_journal,
    _foreign_journal,
]


@pytest.mark.parametrize("spoil", UNUSABLE, ids=lambda spoil: spoil.__name__.strip("_"))
def test_a_state_that_cannot_be_used(bound: Project, spoil: Callable[[Project], None]) -> None:
    spoil(bound)
    bound.server.forget_requests()
    before = bound.files()
    for command in [*READERS, *WRITERS]:
        ran = bound.run(*command)
        assert ran.code == 6, (command, ran)
        assert ran.out == ""
        assert ran.err.startswith("error: ")
    assert bound.files() == before
    assert bound.server.requests() == []


@pytest.mark.parametrize("spoil", [_truncated, _missing, _conflict, _edited])
def test_the_newest_good_copy_is_named(bound: Project, spoil: Callable[[Project], None]) -> None:
    good = bound.state_file.read_bytes()
    spoil(bound)
    ran = bound.ok("plan", code=6)
    named = next(word for word in ran.err.split() if word.endswith(".json") and "backups" in word)
    shutil.copy(named, bound.state_file)
    assert bound.state_file.read_bytes() == good
    bound.assert_settled()


def test_what_a_foreign_journal_binds_is_named(bound: Project) -> None:
    _foreign_journal(bound)
    assert "lost → wkfl_lost" in bound.ok("plan", code=6).err


def test_missing_without_a_lineage_is_empty(project: Project) -> None:
    project.declare({"a": custom()})
    assert project.plan().json["lineage"] is None
    assert project.plan().json["serial"] == 0
    project.apply()
    assert project.state["lineage"]


def test_another_api_host(bound: Project) -> None:
    before = bound.files()
    bound.env["DEEP_RAILS_BASE_URL"] = "https://other.invalid"
    for command in (["plan"], ["apply", "--yes"], ["drift"], ["show", "a"], ["import", "c", "wkfl_1"]):
        ran = bound.ok(*command, code=6)
        assert "other.invalid" in ran.err
    assert bound.files() == before


def test_an_older_state(bound: Project) -> None:
    """A `git revert` of the state is a rollback: apply refuses, plan warns."""
    old = bound.state_file.read_bytes()
    bound.declare({"a": custom(), "b": custom(), "c": custom()})
    bound.apply()
    newest = bound.state_file.read_bytes()
    bound.state_file.write_bytes(old)
    bound.server.forget_requests()
    plan = bound.plan()
    assert [d["code"] for d in plan.json["diagnostics"]] == ["older-state"]
    assert plan.actions() == {"c": "create"}
    ran = bound.ok("apply", "--yes", code=6)
    assert "rolled back" in ran.err
    assert bound.state_file.read_bytes() == old
    assert bound.server.count("POST") == 0
    bound.state_file.write_bytes(newest)
    bound.assert_settled()


def test_two_states_of_one_serial(bound: Project) -> None:
    """Two machines applied from the same state; the other one's state is here now."""
    state = from_text(bound.state_file.read_text())
    state.writer = "somebody else"
    bound.state_file.write_text(to_text(state))
    bound.ok("apply", "--yes", code=6)


def test_ten_copies_are_kept(bound: Project) -> None:
    for n in range(15):
        bound.declare({"a": custom(description=f"{n}"), "b": custom()})
        bound.apply()
    copies = sorted((bound.root / ".defendctl" / "backups" / bound.state_file.name).iterdir())
    assert len(copies) == 10
    assert copies[-1].read_bytes() == bound.state_file.read_bytes()


def test_the_state_keeps_its_mode_and_a_link_stays_a_link(bound: Project) -> None:
    elsewhere = bound.root / "elsewhere.json"
    bound.state_file.rename(elsewhere)
    elsewhere.chmod(0o600)
    bound.state_file.symlink_to(elsewhere)
    bound.declare({"a": custom(description="d"), "b": custom()})
    bound.apply()
    assert bound.state_file.is_symlink()
    assert elsewhere.stat().st_mode & 0o777 == 0o600
    bound.assert_settled()


def test_the_state_is_sorted_and_holds_no_secret(bound: Project) -> None:
    text = bound.state_file.read_text()
    assert text.endswith("}\n")
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"
    assert list(bound.state["bindings"]) == ["a", "b"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(bound: Project) -> None:
    before = bound.state_bytes()
    bound.declare({"a": custom(), "b": custom(), "c": custom()})
    bound.root.chmod(0o500)
    try:
        bound.ok("apply", "--yes", code=1)
    finally:
        bound.root.chmod(0o700)
    assert bound.state_bytes() == before
    assert bound.server.count("POST") == 2


def test_the_sandbox_leaves_the_projects_state_alone(bound: Project) -> None:
    before = bound.state_bytes()
    bound.server.forget_requests()
    bound.apply("--sandbox")
    assert bound.plan("--sandbox", "--detailed-exitcode").json["changes"] == []
    assert bound.state_bytes() == before
    assert bound.server.requests() == []
    state = json.loads((bound.root / ".defendctl" / "sandbox.state.json").read_text())
    assert state["api_host"] == "sandbox"
