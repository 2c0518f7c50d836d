"""What is asked after a run was ended: nothing lost, nothing twice, and the messages are enough."""

from __future__ import annotations

import re
import shlex
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from defendctl.model import CANARY
from tests.operations import jobs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.crash.scenarios import Arena, Subject

_RECEIPT = re.compile(r"defendctl state resolve (\S+) --id ([^\s`]+)")
_KEPT = re.compile(r"(\S+): its id is kept in ")
_UNRESOLVED = re.compile(r"  x (\S+) .*\n.* has an unknown outcome\n.* a workflow named '(.*)'\n")
_TRACEBACK = re.compile(r"Traceback|this is a defect of defendctl")
LEFT = (".tmp", ".journal")
SETTLE_SECONDS = 0.05
"""Time for the API to finish what the ended run had asked of it."""


@dataclass
class Ended:
    """A run, as it ended."""

    fault: str
    fired: bool
    code: int
    out: str
    err: str
    answered: bool = False
    """Whether it got every answer, so that it must have recorded or told every id."""

    @property
    def receipts(self) -> list[tuple[str, str]]:
        return _receipts(self.err)


@dataclass
class Verdict:
    harness: str
    fault: str
    fired: bool = True
    lost: int = 0
    twice: int = 0
    half: int = 0
    """Files that are neither as before nor as after."""
    litter: int = 0
    """Files that are there in the end and belong to nobody."""
    unknown: int = 0
    commands: int = 0
    problems: list[str] = field(default_factory=list)

    def fail(self, *problems: str) -> None:
        self.problems += [problem for problem in problems if problem]

    def __str__(self) -> str:
        return f"{self.harness}, {self.fault}: " + "; ".join(self.problems or ["as it should be"])


def _receipts(text: str) -> list[tuple[str, str]]:
    """As a shell reads them: `"@canary"` is @canary."""
    found = [(*shlex.split(address), workflow_id) for address, workflow_id in _RECEIPT.findall(text)]
    return [(address, workflow_id) for address, workflow_id in found if workflow_id != "WORKFLOW_ID"]


def judge(harness: str, arena: Arena, ended: Ended) -> Verdict:
    """Never raises for what a defect could do: everything is told in the verdict."""
    verdict = Verdict(harness, ended.fault, ended.fired)
    time.sleep(SETTLE_SECONDS)
    arena.server.heal()
    if _TRACEBACK.search(ended.out + ended.err):
        verdict.fail(f"it ended in a traceback: {ended.err[-300:]}")
    try:
        _whole(arena, verdict)
        if arena.scenario.again:
            _again(arena, verdict)
        else:
            _covered(arena, ended, verdict)
            _kept(arena.project, ended, verdict)
            _obey(arena.project, ended, verdict)
            _complete(arena, verdict)
        arena.scenario.holds(arena.project)
        _clean(arena, verdict)
    except AssertionError as error:
        verdict.fail(f"the operator did not get through: {str(error)[:600]}")
        with suppress(AssertionError):
            _count_twice(arena, verdict)
    return verdict


def _whole(arena: Arena, verdict: Verdict) -> None:
    """Each file of the project is as it was or as it will be, and none is gone that stays."""
    found = {k: v for k, v in jobs.content(arena.project).items() if not k.endswith(".tmp")}
    half = {k for k, v in found.items() if v not in (arena.before.get(k), arena.after.get(k))}
    gone = (arena.before.keys() & arena.after.keys()) - found.keys()
    verdict.half = len(half | gone)
    verdict.fail(*(f"neither as before nor as after: {name}" for name in sorted(half | gone)))


def _again(arena: Arena, verdict: Verdict) -> None:
    """The same command, and the files are as after it."""
    ran = arena.project.run(*arena.command)
    verdict.commands += 1
    found = jobs.content(arena.project)
    verdict.fail(
        *(f"not done by the next run: {k}: {ran}" for k in arena.after if found.get(k) != arena.after[k])
    )
    _count_twice(arena, verdict)


def _clean(arena: Arena, verdict: Verdict) -> None:
    known = arena.before.keys() | arena.after.keys()
    left = {p.name for p in arena.root.rglob("*") if p.name.endswith(LEFT)}
    left |= jobs.content(arena.project).keys() - known
    verdict.litter = len(left)
    verdict.fail(*(f"left behind: {name}" for name in sorted(left)))


def _covered(arena: Arena, ended: Ended, verdict: Verdict) -> None:
    """Every workflow is bound, remembered, covered by an unresolved create, or its id was printed."""
    listed = arena.project.json("state", "list").json
    known = set(_ids(listed))
    unresolved = {each["address"] for each in listed["unresolved"]}
    printed = {workflow_id for _, workflow_id in ended.receipts}
    live = {w["workflow_id"]: w["name"] for w in arena.server.workflows()}
    covered = known | printed | {i for i, name in live.items() if address_of(name) in unresolved}
    lost = (arena.bound | live.keys()) - covered
    verdict.unknown, verdict.lost = len(unresolved), len(lost)
    verdict.fail(*(f"lost: {live.get(i, i)}" for i in sorted(lost)))
    if ended.answered:
        untold = live.keys() - arena.there - known - printed
        verdict.fail(*(f"the id was neither recorded nor told: {live[i]}" for i in sorted(untold)))
    if ended.code == 0 and ended.fired and unresolved:
        verdict.fail("exit 0 in spite of an unresolved create")
    _count_twice(arena, verdict)


def _kept(project: Subject, ended: Ended, verdict: Verdict) -> None:
    """What the run says it kept is told again by the next one, unless it had been recorded after all."""
    kept = set(_KEPT.findall(ended.err))
    if kept:
        told = {workflow_id for _, workflow_id in _receipts(project.ok("state", "list").out)}
        known = told | set(_ids(project.json("state", "list").json))
        forgotten = {address for address, workflow_id in ended.receipts if workflow_id not in known}
        verdict.fail(*(f"its id was kept and is not found: {a}" for a in sorted(kept & forgotten)))


def _obey(project: Subject, ended: Ended, verdict: Verdict) -> None:
    """Do what was printed, and no more than that."""
    for address, workflow_id in ended.receipts:
        project.ok("state", "resolve", address, "--id", workflow_id)
        verdict.commands += 1
    verdict.commands += operate(project)
    if verdict.commands > 1 + verdict.unknown + len(ended.receipts):
        verdict.fail(f"{verdict.commands} commands for {verdict.unknown} unknown creates")


def operate(project: Subject) -> int:
    """Settle what `plan` says must be settled, then apply. Returns how many commands that took."""
    commands = _settle_canary(project)
    printed = project.run("plan")
    assert printed.code in (0, 7), printed
    known = dict(_receipts(printed.out))
    for address, name in _UNRESOLVED.findall(printed.out):
        truth = ["--id", known[address]] if address in known else _truth(project, name)
        project.ok("state", "resolve", address, *truth)
        commands += 1
    if "No changes" not in project.ok("plan").out:
        project.ok("apply", "--yes")
        commands += 1
    return commands


def _settle_canary(project: Subject) -> int:
    """It is in no plan; `test --create-canary` would ask for this."""
    unresolved = [each["address"] for each in project.json("state", "list").json["unresolved"]]
    if CANARY not in unresolved:
        return 0
    made = [name for name in project.server.names() if address_of(name) == CANARY]
    project.ok("state", "resolve", CANARY, *_truth(project, made[0] if made else CANARY))
    return 1


def _truth(project: Subject, name: str) -> list[str]:
    """What the console shows under that name, and is not ours yet."""
    known = set(_ids(project.json("state", "list").json))
    found = [w["workflow_id"] for w in project.server.workflows() if w["name"] == name]
    strange = [workflow_id for workflow_id in found if workflow_id not in known]
    return ["--id", strange[-1]] if strange else ["--not-created", "--now"]


def _complete(arena: Arena, verdict: Verdict) -> None:
    """The plan is empty, each address has its workflow, none is a stranger, and nothing lies around."""
    project = arena.project
    project.assert_settled()
    writes = project.server.count("PUT") + project.server.count("POST")
    _count_twice(arena, verdict)
    listed = project.json("state", "list").json
    live = {w["workflow_id"]: w["name"] for w in arena.server.workflows()}
    strangers = sorted(live.keys() - set(_ids(listed)))
    verdict.lost = max(verdict.lost, len(strangers))
    verdict.fail(*(f"in the end a stranger: {live[i]}" for i in strangers))
    bound = {each["address"]: live.get(each["workflow_id"]) for each in listed["bindings"]}
    verdict.fail(*(f"{a} is bound to {name}" for a, name in bound.items() if name != a))
    again = project.run("apply", "--yes")
    if again.code != 0 or project.server.count("PUT") + project.server.count("POST") != writes:
        verdict.fail(f"another apply did something: {again}")


def address_of(name: str) -> str:
    return CANARY if "canary" in name else name


def _count_twice(arena: Arena, verdict: Verdict) -> None:
    counts = Counter(arena.server.names())
    twice = [n for n, count in counts.items() if count > 1 + (n in arena.scenario.replaced)]
    if len(twice) > verdict.twice:
        verdict.twice = len(twice)
        verdict.fail(*(f"exists twice: {name}" for name in twice))


def _ids(listed: Any) -> Iterator[str]:
    yield from (each["workflow_id"] for each in [*listed["bindings"], *listed["retired"]])
    yield from [listed["canary"]] if "canary" in listed else []


def table(verdicts: Iterable[Verdict]) -> str:
    """By harness and fault."""
    rows: dict[tuple[str, str], list[Verdict]] = {}
    for each in verdicts:
        rows.setdefault((each.harness, each.fault), []).append(each)
    lines = [
        _ROW.format(
            "harness", "fault", "runs", "hit", "lost", "twice", "half", "litter", "unknown", "commands", "bad"
        )
    ]
    lines += [_row(harness, fault, found) for (harness, fault), found in sorted(rows.items())]
    lines.append(_row("all", "", [each for found in rows.values() for each in found]))
    return "\n".join(lines)


_ROW = "{:<26} {:<24} {:>6} {:>6} {:>5} {:>6} {:>5} {:>7} {:>8} {:>9} {:>4}"


def _row(harness: str, fault: str, found: list[Verdict]) -> str:
    names = ("fired", "lost", "twice", "half", "litter", "unknown", "commands")
    sums = [sum(getattr(v, name) for v in found) for name in names]
    return _ROW.format(harness, fault, len(found), *sums, sum(bool(v.problems) for v in found))
