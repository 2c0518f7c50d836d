"""import --from: many workflows taken under their addresses at once, or none of them.

Order: everything is checked, new manifests are written under temporary names, all bindings become durable
in one write, and then the manifests get their names. Whoever dies in between has bindings without manifests,
which the same command completes. The other way round an apply could create each workflow a second time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from defendctl.command import command
from defendctl.diagnostics import ApiError, DefendctlError, Invalid, KeyRefused
from defendctl.engine.parallel import in_parallel
from defendctl.exits import Exit, worst_exit
from defendctl.model import ADDRESS, ADDRESS_RULE, usable_id
from defendctl.operations.adopt import Undeclared, bind_all, remember_api, taken_over, undeclared
from defendctl.operations.beginning import begin_state, require_beginning
from defendctl.operations.declared_names import ALL_THE_SAME, DeclaredNames
from defendctl.operations.expressible import check_expressible
from defendctl.operations.new_manifests import Written
from defendctl.operations.pairs import FORMS, read_pairs
from defendctl.operations.uploads import with_uploads
from defendctl.plan.identity import another_id
from defendctl.yamltext.quote import short
from defendctl.yamltext.report import Report
from defendctl.yamltext.source import shown

if TYPE_CHECKING:
    from pathlib import Path

    from defendctl.diagnostics import Diagnostic, Span
    from defendctl.model import Binding, Observed, State, Workflow
    from defendctl.operations.pairs import Pair
    from defendctl.operations.progress import Progress
    from defendctl.operations.workspace import Workspace
    from defendctl.state.session import Session


_NO_PAIR = frozenset({"not-a-pair", "invalid-address", "unusable-id"})
"""With one of these it may be another file, and what it holds must not get into a URL."""


class RefusedList(Invalid):
    """Every problem of a list; exits 7 if one of its addresses has an unresolved create, 6 if a workflow has
    the name of another."""

    def __init__(self, found: list[Diagnostic], exit_code: int) -> None:
        super().__init__(found)
        self.exit_code = exit_code


@dataclass(slots=True)
class Imported:
    """What became of the pairs. `to_paste`: undeclared ones, for which nothing was done."""

    bound: dict[str, Binding] = field(default_factory=dict)
    already: int = 0
    files: list[Path] = field(default_factory=list)
    to_paste: list[Undeclared] = field(default_factory=list)

    @property
    def assumed(self) -> list[str]:
        return sorted({name for binding in self.bound.values() for name in binding.assumed})


def import_from(
    workspace: Workspace,
    file: Path,
    write: Path | None,
    parallelism: int,
    progress: Progress,
    *,
    now: bool = False,
) -> Imported:
    """Raises Refused with every problem of every pair; then nothing was done."""
    desired = workspace.desired(None, filling=True)
    report = Report(shown(file, workspace.cwd))
    with workspace.store.session(workspace.settings.warn) as session:
        workspace.check_host(session.state)
        require_beginning(workspace, session)
        declared = with_uploads(desired, session.state).workflows
        names = DeclaredNames(declared)
        checking = _Checking(report, session.state, None if now else names)
        found: dict[str, Observed] = {}
        pairs: list[Pair] = []
        missing: list[Undeclared] = []
        written = Written(workspace, write) if write else None
        with report.stopping():
            given = read_pairs(file, report)
            if not (given.pairs or report.diagnostics):
                raise DefendctlError(f"{file} names no workflow", f"it may be {FORMS}")
            pairs = checking.usable(given.pairs)
            if not given.sure and any(problem.code in _NO_PAIR for problem in report.diagnostics):
                raise RefusedList(report.diagnostics, checking.exit_code)
            todo = [p for p in pairs if p.address not in declared or not checking.is_bound(p)]
            found, evidence = _read(workspace, todo, checking, parallelism, progress)
            missing = [undeclared(a, observed) for a, observed in found.items() if a not in declared]
            if written:
                spans = {p.address: p.span for p in pairs}
                check_expressible(missing, spans, workspace.project.custom_metrics, report)
                written.check(missing, spans, report)
                _check_renames(missing, desired.renamed, spans, report)
        if report.diagnostics:
            raise RefusedList(report.diagnostics, checking.exit_code)
        done = Imported(already=sum(checking.is_bound(p) for p in pairs))
        if missing and not written:
            done.to_paste = missing
            return done
        workflows = declared | {m.address: m.workflow for m in missing}
        done.bound = _bindings(pairs, checking, workflows, found)
        if written:
            with written.ready(missing) as move:
                _record(workspace, session, done.bound, evidence)
                done.files = move()
            if done.files:
                written.warn()
        else:
            _record(workspace, session, done.bound, evidence)
        for address in done.bound:
            warning = names.warning(address, found[address])
            if warning:
                workspace.settings.warn(warning)
        return done


def _check_renames(
    missing: list[Undeclared], renamed: dict[str, str], spans: dict[str, Span], report: Report
) -> None:
    """An address that another says it is renamed from cannot be declared beside it."""
    now = {old: new for new, old in renamed.items()}
    for one in missing:
        if one.address in now:
            message = (
                f"{now[one.address]} is declared as renamed from {one.address}: import it under that address."
            )
            report.error("invalid-rename", message, spans[one.address])


def _bindings(
    pairs: list[Pair], checking: _Checking, workflows: dict[str, Workflow], found: dict[str, Observed]
) -> dict[str, Binding]:
    return {
        p.address: taken_over(p.workflow_id, workflows[p.address], found[p.address])
        for p in pairs
        if not checking.is_bound(p)
    }


def _record(workspace: Workspace, session: Session, bound: dict[str, Binding], evidence: set[str]) -> None:
    if bound:
        remember_api(workspace, session, evidence)
        begin_state(workspace, session)
        signed = {address: session.signed(binding, "import") for address, binding in bound.items()}
        session.edit(lambda state: bind_all(state, signed))


def _read(
    workspace: Workspace, todo: list[Pair], checking: _Checking, parallelism: int, progress: Progress
) -> tuple[dict[str, Observed], set[str]]:
    """What is live of each pair, and what the answers tell of the API; no key is needed for nothing."""
    if not todo:
        return {}, set()
    with workspace.api() as api:

        def read(workflow_id: str) -> Observed | ApiError | None:
            try:
                return api.read(workflow_id)
            except KeyRefused:
                raise
            except ApiError as error:
                return error
            finally:
                progress.step()

        progress.start("Reading", len(todo))
        answers = in_parallel(read, {p.address: p.workflow_id for p in todo}, parallelism)
        return checking.sound(todo, answers), api.evidence


class _Checking:
    """What is wrong with the pairs, said at the line of each."""

    def __init__(self, report: Report, state: State, names: DeclaredNames | None) -> None:
        """`names` is None where it does not matter whose a workflow has."""
        self._report, self._state, self._names = report, state, names
        self._bound = {b.workflow_id: address for address, b in state.bindings.items()}
        self.exit_code: int = Exit.FAILED

    def is_bound(self, pair: Pair) -> bool:
        """By an earlier run: nothing is left to do but perhaps its manifest."""
        binding = self._state.bindings.get(pair.address)
        return binding is not None and binding.workflow_id == pair.workflow_id

    def usable(self, pairs: list[Pair]) -> list[Pair]:
        """Those that can be read."""
        addresses: dict[str, Span] = {}
        ids: dict[str, Span] = {}
        sound = []
        for pair in pairs:
            fault = self._fault(pair) or _again(pair, addresses, ids)
            addresses.setdefault(pair.address, pair.span)
            ids.setdefault(pair.workflow_id, pair.span)
            if fault:
                self._report.error(*fault, pair.span)
            else:
                sound.append(pair)
        return sound

    def _fault(self, pair: Pair) -> tuple[str, str] | None:
        address, workflow_id = pair.address, pair.workflow_id
        if not ADDRESS.fullmatch(address):
            return "invalid-address", f"This cannot be an address: {ADDRESS_RULE}."
        if not usable_id(workflow_id):
            return "unusable-id", "A workflow id has 1 to 256 characters without blanks."
        if address in self._state.unresolved:
            self.exit_code = Exit.UNKNOWN
            settle = f"`{command('state resolve {} --id {}', address, workflow_id)}` settles it"
            unknown = f"{address} has a create with an unknown outcome"
            return "unresolved", f"{unknown}; {settle}, if this is what it made."
        if self.is_bound(pair):
            return None
        if address in self._state.bindings:
            bound = short(self._state.bindings[address].workflow_id)
            forget = f"`{command('state rm {}', address)}` forgets that"
            return "bound-already", f"{address} is bound to {bound} already; {forget}."
        if workflow_id in self._bound:
            return "bound-already", f"{short(workflow_id)} is bound to {self._bound[workflow_id]} already."
        return None

    def sound(self, pairs: list[Pair], answers: dict[str, Observed | ApiError | None]) -> dict[str, Observed]:
        """The answers that can be taken."""
        found = {}
        missing = sum(answer is None for answer in answers.values())
        host = " Is this the right key and the right host?" if missing == len(pairs) > 1 else ""
        for pair in pairs:
            answer = answers[pair.address]
            fault = _unfit(pair, answer, host) or self._mistaken(pair, answer)
            if fault:
                self._report.error(*fault, pair.span)
            elif answer is not None and not isinstance(answer, ApiError):
                found[pair.address] = answer
        return found

    def _mistaken(self, pair: Pair, answer: Observed | ApiError | None) -> tuple[str, str] | None:
        if self._names is None or answer is None or isinstance(answer, ApiError):
            return None
        whose = self._names.of_another(pair.address, answer)
        if whose is None:
            return None
        self.exit_code = worst_exit({self.exit_code, Exit.PRECONDITION})
        return "name-of-another", f"{whose}; {ALL_THE_SAME}."


def _again(pair: Pair, addresses: dict[str, Span], ids: dict[str, Span]) -> tuple[str, str] | None:
    if pair.address in addresses:
        return "duplicate-address", f"{pair.address} is already in line {addresses[pair.address].line}."
    if pair.workflow_id in ids:
        line = ids[pair.workflow_id].line
        return (
            "duplicate-id",
            f"{short(pair.workflow_id)} is already in line {line}, for another address.",
        )
    return None


def _unfit(pair: Pair, answer: Observed | ApiError | None, host: str) -> tuple[str, str] | None:
    workflow_id = short(pair.workflow_id)
    if answer is None:
        return "missing", f"The API answers 404 for {workflow_id}.{host}"
    if isinstance(answer, ApiError):
        return "unreadable", f"{answer.message}."
    if answer.workflow_id != pair.workflow_id:
        said = another_id(workflow_id, answer.workflow_id).removeprefix("the")
        named = "; if that is the one, name it in this line" if usable_id(answer.workflow_id) else ""
        return "other-id", f"The{said}{named}."
    if answer.status != "active":
        mend = "activate it in the console, or leave this line out"
        return "inactive", f"{workflow_id} has the status {short(answer.status)}: {mend}."
    return None
