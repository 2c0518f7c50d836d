"""Each rule of the protocol of a shared state, taken out of a copy of the package: its test must notice.

What each run does over a real store is for `tests/crash/`; here is which test holds which rule.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Patch = tuple[str, str, str]
"""Module, what stands there once, what comes instead."""


@dataclass(frozen=True)
class Rule:
    name: str
    test: str
    patches: tuple[Patch, ...]


def _rule(name: str, test: str, *patches: Patch) -> Rule:
    return Rule(name, test, patches)


RULES = (
    _rule(
        "fence of the register",
        "state/test_register.py::test_a_lock_is_broken_though_the_answer_was_lost",
        (
            "state/register/swaps.py",
            "                raise Lost from failed\n",
            "                expected = found[1] if found else None\n",
        ),
    ),
    _rule(
        "fence of PostgreSQL",
        "state/postgres/test_fence.py::test_a_write_that_waits_while_the_lock_is_broken_is_refused",
        (
            "state/postgres/statements.py",
            'and s.epoch = %(epoch)s and s.owner->>\'id\' = %(id)s"""',
            'and %(epoch)s > 0 and %(id)s <> \'\'"""',
        ),
    ),
    _rule(
        "nonce",
        "state/test_backend_contract.py::test_the_beat_changes_with_every_sign_of_life[memory]",
        ("state/register/swaps.py", "nonce=secrets.token_hex(8)", 'nonce=""'),
    ),
    _rule(
        "read-back after a refusal",
        "state/test_register.py::test_a_lost_answer_is_settled_by_looking",
        ("state/register/swaps.py", "if found and found[0] == value:", "if False:"),
    ),
    _rule(
        "read-back of records in PostgreSQL",
        "state/postgres/test_lost.py::test_each_step_of_a_lease_is_done_once[append-after]",
        ("state/postgres/lease.py", 'if [row["line"] for row in there] != lines:', "if True:"),
    ),
    _rule(
        "read-back of a document in PostgreSQL, by its nonce",
        "state/postgres/test_lost.py::test_a_document_whose_answer_was_lost_is_kept_once[after]",
        (
            "state/postgres/lease.py",
            "            ) or self._ask(statements.REPLACED, nonce=nonce)",
            "            )",
        ),
    ),
    _rule(
        "carry-over in a commit",
        "state/test_git_register.py::test_each_commit_carries_what_the_last_one_held",
        (
            "state/register/git.py",
            "entries = {name: self._entries[name] for name in kept}",
            "entries: dict[str, Entry] = {}",
        ),
    ),
    _rule(
        "after a write in doubt nothing is written",
        "state/test_register.py::test_a_place_that_stays_silent_is_given_up_and_then_nothing_is_written",
        (
            "state/register/lease.py",
            "        if self._failed:\n            raise self._failed\n        register = drawn",
            "        register = drawn",
        ),
    ),
    _rule(
        "after a write in doubt nothing is written to PostgreSQL",
        "state/postgres/test_lost.py::test_a_server_that_stands_still_is_not_waited_for",
        ("state/postgres/lease.py", "        if self._why:\n", "        if False:\n"),
    ),
    _rule(
        "keys for ids that are left",
        "state/test_register.py::test_an_operation_of_any_name_keeps_its_id",
        ("state/register/left.py", "engine.put(name_of(op), data)", 'engine.put("left", data)'),
    ),
    _rule(
        "keys for ids that are left in PostgreSQL",
        "state/test_backend_contract.py::test_an_id_that_was_left_is_found_by_its_operation_and_forgotten_with_it"
        "[postgres]",
        ("state/postgres/tables.py", "primary key (key, op, workflow_id)", "primary key (key)"),
    ),
    _rule(
        "a journal before the POST",
        "engine/test_overlap.py::test_bindings_share_a_write_with_the_next_intents",
        (
            "engine/create.py",
            "        written = memory.record(records.intent(address, Intent(op, now, sent, replaces)))\n",
            "        written = boottime()\n",
        ),
    ),
    _rule(
        "send limit",
        "engine/test_overlap.py::test_a_run_that_slept_while_its_intent_was_written_sends_nothing",
        ("engine/create.py", "if boottime() - written > memory.send_limit:", "if False:"),
    ),
    _rule(
        "a lock ends by no clock, but by silence that was seen",
        "state/test_waiting.py::test_who_waits_less_than_the_silence_breaks_nothing",
        (
            "state/waiting.py",
            "self._since < self._backend.silence",
            "self._since < 0",
        ),
    ),
    _rule(
        "lineage",
        "state/test_state_file.py::test_a_state_that_cannot_be_used[foreign]",
        ("state/store.py", "if self.lineage and bare.lineage != self.lineage:", "if False:"),
    ),
    _rule(
        "probe of a repository",
        "state/test_git_register.py::test_a_repository_that_lets_two_writers_win_is_refused",
        ("state/register/git.py", "if sum(won) != 1 or self._wins(ref, first, None):", "if False:"),
    ),
    _rule(
        "probe of an object store",
        "state/objects/test_race.py::test_a_store_that_lets_two_win_is_found",
        ("state/register/race.py", "    if len(won) > 1:\n", "    if False:\n"),
        (
            "state/register/race.py",
            'if any(_won(write, name, b"late", late) for late in (None, first)):',
            "if False:",
        ),
    ),
)


def house(folder: Path, rule: Rule) -> None:
    """A copy of package and tests without this rule."""
    for name in ("defendctl", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for module, before, after in rule.patches:
        path = folder / "defendctl" / module
        text = path.read_text()
        assert text.count(before) == 1, f"{rule.name}: {module} holds {text.count(before)} × {before!r}"
        path.write_text(text.replace(before, after))


def noticed(folder: Path, test: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "slow or not slow"]
    return subprocess.run(
        [*command, f"tests/{test}"], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_that_is_taken_out_is_noticed(rule: Rule, tmp_path: Path) -> None:
    house(tmp_path, rule)
    ran = noticed(tmp_path, rule.test)
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED, ran.stdout[-3000:]
