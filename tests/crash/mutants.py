"""Seeded defects: what each takes out of the protocol, and the harness that must notice.

A patch must match exactly once, so that it fails loudly when the code moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.crash.bench import Bench, Case
from tests.crash.scenarios import copy_package

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.verdict import Verdict

LIMIT = 60
"""So many runs a harness has to notice a defect."""

Patch = tuple[str, str, str]
"""Module, what stands there, what comes instead."""


@dataclass(frozen=True)
class Mutant:
    name: str
    harness: str
    scenario: str
    patches: tuple[Patch, ...]
    later: bool
    """Whether the defect is in what later runs do, so that these must have it too."""

    def package(self, folder: Path) -> Path:
        """A copy of the package with this defect."""
        package = copy_package(folder)
        for module, before, after in self.patches:
            path = package / "defendctl" / module
            text = path.read_text()
            assert text.count(before) == 1, f"{self.name}: {module} holds {text.count(before)} × {before!r}"
            path.write_text(text.replace(before, after))
        return package


_IN_PLACE = (
    ("durable.py", 'target.with_name(f".defendctl-{os.urandom(8).hex()}.tmp")', "target"),
    ("durable.py", "os.O_EXCL | os.O_NOFOLLOW", "os.O_TRUNC"),
    ("state/local/backend.py", "            self._check()\n            new", "            new"),
)
_INTENT_LATE = (
    (
        "engine/create.py",
        "        written = memory.record(records.intent(address, Intent(op, now, sent, replaces)))\n",
        "        written = boottime()\n        intent.append(Intent(op, now, sent, replaces))\n",
    ),
    ("engine/create.py", "    def before_send(", "    intent: list[Intent] = []\n\n    def before_send("),
    (
        "engine/create.py",
        "        outcome = remote.create(sent, before_send)\n",
        "        outcome = remote.create(sent, before_send)\n"
        "        memory.record(records.intent(address, intent[0]))\n",
    ),
)
_RETRIES = (
    ("api/outcome.py", "if answer.status in REFUSED else", "if answer.status in (*REFUSED, 500) else"),
    (
        "engine/create.py",
        "return outcome.wait if isinstance(outcome, Refused) and outcome.status == 429 else None",
        "return 0.0 if isinstance(outcome, Refused) and outcome.status in (429, 500) else None",
    ),
)
_ALONE = (
    ("state/local/journal.py", "os.O_CREAT | os.O_EXCL | os.O_APPEND", "os.O_CREAT | os.O_APPEND"),
    ("state/local/lock.py", "        kernel.acquire()\n", ""),
    (
        "state/local/backend.py",
        "        if version_of(read_bytes(self._backend.path)) != self._version:",
        "        if False:",
    ),
    ("state/local/journal.py", "if not _still_ours(self.path, self._fd, self._size):", "if False:"),
)
_NO_SYNC = (
    ("durable.py", "RDONLY)\n    try:\n        os.fsync(fd)", "RDONLY)\n    try:\n        pass"),
    ("durable.py", "                os.fsync(folders[folder])", "                pass"),
)
_UNSEEN = ("if address in state.unresolved:\n        return _un", "if False:\n        return _un")
_ABSENT = ("if binding:\n        return _", "if binding and world.live.get(address):\n        return _")
_UNMARKED = ("records.sending(change.address, hidden, ", "records.sending(change.address, (), ")


def _mutant(name: str, harness: str, *patches: Patch, where: str = "creates", later: bool = False) -> Mutant:
    return Mutant(name, harness, where, patches, later)


MUTANTS = (
    _mutant("the state is written in place", "power cut", *_IN_PLACE),
    _mutant(
        "the journal is not synced",
        "power cut",
        ("state/local/journal.py", "            os.fsync(self._fd)\n", ""),
    ),
    _mutant("folders are not synced", "power cut", *_NO_SYNC),
    _mutant(
        "names of new folders are not synced",
        "power cut",
        ("durable.py", "        sync_folder(each.parent)\n", "        pass\n"),
        where="elsewhere",
    ),
    _mutant("the intent is written after the POST", "power cut", *_INTENT_LATE),
    _mutant(
        "a POST over a used connection",
        "power cut",
        ("api/transport.py", "_connection(fresh=before_send is not None)", "_connection(fresh=False)"),
    ),
    _mutant(
        "an fsync error is swallowed",
        "fsync fails",
        (
            "state/local/journal.py",
            "            self._take_back()\n            self._broken = True\n            raise\n",
            "            pass\n",
        ),
        where="first",
    ),
    _mutant("a 500 is tried again", "answers", *_RETRIES),
    _mutant(
        "redirects are followed",
        "answers",
        ("api/connection.py", "if network.proxy is None else", "if False else"),
        ("api/connection.py", "proxy=_proxy(network)", "proxy=None"),
        ("api/connection.py", "follow_redirects=False", "follow_redirects=True"),
    ),
    _mutant(
        "a lost answer means not created",
        "answers",
        ("api/client.py", "return Unknown(str(error))", "return Unsent(str(error))"),
    ),
    _mutant(
        "an intent of an earlier run is dropped",
        "kill at a call",
        ("plan/build.py", *_UNSEEN),
        later=True,
    ),
    _mutant(
        "the journal of an earlier run is not read",
        "kill at a call",
        ("state/local/backend.py", "if journal else None", "if False else None"),
        later=True,
    ),
    _mutant("a manifest is written in place", "power cut", *_IN_PLACE[:2], where="fmt"),
    _mutant(
        "what a killed run left is not removed",
        "kill at a call",
        ("durable.py", "                _sweep(folder)\n", "                pass\n"),
        where="begin",
        later=True,
    ),
    _mutant("no lock and no compare-and-swap", "runs at once", *_ALONE),
    _mutant(
        "no pause limit",
        "sleeper",
        ("engine/create.py", "if boottime() - written > memory.send_limit:", "if False:"),
    ),
    _mutant(
        "the journal is not looked at after an append",
        "broken lock",
        (
            "state/local/journal.py",
            "        self._size += len(data)\n        self._check()\n",
            "        self._size += len(data)\n",
        ),
    ),
    _mutant(
        "a 404 means that there is none", "a 404", ("plan/build.py", *_ABSENT), where="mixed", later=True
    ),
    _mutant(
        "a PUT leaves without a mark",
        "a lost update",
        ("engine/update.py", *_UNMARKED),
        where="hidden",
        later=True,
    ),
)
SOUND = sorted({(mutant.harness, mutant.scenario) for mutant in MUTANTS})


def hunt(mutant: Mutant, folder: Path) -> tuple[int, Verdict | None]:
    """How many runs it took, and the one that noticed; None if none did."""
    package = mutant.package(folder / "package")
    with Bench(folder, package, alone=mutant.later) as bench:
        for number in range(min(LIMIT, bench.size(mutant.harness, mutant.scenario))):
            verdict = bench.run(Case(mutant.harness, mutant.scenario, number))
            if verdict.problems:
                return number + 1, verdict
    return LIMIT, None


def sound(harness: str, scenario: str, folder: Path) -> list[Verdict]:
    """As many runs of the package as it is."""
    with Bench(folder) as bench:
        numbers = range(min(LIMIT, bench.size(harness, scenario)))
        return [bench.run(Case(harness, scenario, number)) for number in numbers]


_ROW = "{:<42} {:<15} {:>5}  {}"
HEADING = _ROW.format("defect", "caught by", "runs", "as")


def row(mutant: Mutant, runs: int, verdict: Verdict | None) -> str:
    noticed = f"{verdict.fault}: {verdict.problems[0][:90]}" if verdict else "NOT CAUGHT"
    return _ROW.format(mutant.name, mutant.harness, runs, noticed)
