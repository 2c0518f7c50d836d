"""drift --write: what is live goes into the files that say otherwise, one line for one value."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from defendctl.diagnostics import DefendctlError, Usage, suggest
from defendctl.editing.edit import Edit, edited
from defendctl.editing.remarks import remarked
from defendctl.editing.rewrite import Rewrite, rewrite
from defendctl.manifest.resolve import overlay_files
from defendctl.model import (
    ACTIONS,
    FIELDS,
    LEVELS,
    MAX_RETRIES_LIMIT,
    METRICS,
    FieldPath,
    field_of,
    is_metric,
    metric_of,
    metric_path,
    only_console,
    split_metrics,
)
from defendctl.operations.fmt import read_again, with_mark
from defendctl.operations.foresight import foresee
from defendctl.plan.drift import Fate
from defendctl.plan.uploads import has_id
from defendctl.schema.fields import NOT_BLANK

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from defendctl.diagnostics import Span
    from defendctl.manifest.desired import Desired
    from defendctl.model import Workflow
    from defendctl.operations.foresight import NewFault
    from defendctl.operations.workspace import Workspace
    from defendctl.plan.drift import Drifted, FieldEdit


STATUS: Final = "only the console can change it"
CONFLICT: Final = "git changed too; name the address with --overwrite to take what is live"
UNDECLARED: Final = "no manifest declares this address any more"
TYPE: Final = "a type cannot be changed line by line; write type and metrics by hand, as `show` lists them"
FILES: Final = "it names files of the repository, and ids would replace them; change it by hand"
NOT_VALID: Final = "no manifest can hold this value"
UNKNOWN_METRIC: Final = "no metric of this name is known; list it under `custom_metrics` first"
ELSEWHERE: Final = "other lines would give it another meaning; change it by hand"

NAME: Final = "the name of its file holds characters that cannot be shown, so the file cannot be found"

At = tuple[str, FieldPath]
"""Address and path."""


def check_ignored(workspace: Workspace, names: Sequence[str]) -> None:
    """Raises Usage for what is neither a field nor the path of a metric."""
    metrics = (metric_path(name) for name in (*METRICS, *workspace.project.custom_metrics))
    known = (*FIELDS, "status", "capabilities", *metrics)
    for name in names:
        if name not in known and not name.startswith("capabilities."):
            near = suggest(name, known) or f" There are: {', '.join(known)}."
            raise Usage(f"--ignore {name!r}: there is no such field or path.{near}")


def check_overwritten(entries: Sequence[Drifted], addresses: Sequence[str]) -> None:
    """Raises Usage for an address that has no conflict, for then something else was meant."""
    known = [e.address for e in entries if any(f.origin == "conflict" for f in e.fields)]
    for address in addresses:
        if address not in known:
            right = suggest(address, known) or (
                f" There are: {', '.join(known[:5])}." if known else " There is none."
            )
            raise Usage(f"--overwrite {address!r}: no conflict was found there.{right}")


def write_back(
    workspace: Workspace,
    paths: Sequence[Path],
    desired: Desired,
    entries: Sequence[Drifted],
    overwrite: Collection[str] = (),
    remark: str = "",
) -> list[Drifted]:
    """The entries with the fate of each difference. Raises DefendctlError, and says what was written then.

    `desired` is what stands in `paths`, or in all manifests; a `remark` goes behind each threshold written.
    """
    run = _Run(workspace, paths, desired, remark)
    for entry in entries:
        run.take(entry, overwrite)
    run.write()
    return [replace(e, fates={f.path: run.fates[e.address, f.path] for f in e.fields}) for e in entries]


@dataclass(slots=True)
class _Run:
    """One writing; gathers what is to be said and what cannot be."""

    workspace: Workspace
    paths: Sequence[Path]
    desired: Desired
    remark: str = ""
    fates: dict[At, Fate] = field(default_factory=dict)
    wanted: dict[str, dict[FieldPath, Any]] = field(default_factory=dict)
    """Address → path → value; None for a metric that is gone."""
    hides: set[str] = field(default_factory=set)
    first_reasons: dict[str, str] = field(default_factory=dict)
    """Address → what was wrong with its values as they would be written first."""

    def take(self, entry: Drifted, overwrite: Collection[str]) -> None:
        workflow = self.desired.workflows.get(entry.address)
        metrics = {*METRICS, *self.workspace.project.custom_metrics}
        for edit in entry.fields:
            why = _why_not(entry, edit, workflow, metrics, entry.address in overwrite)
            if why:
                self.fates[entry.address, edit.path] = Fate(reason=why)
            else:
                self.wanted.setdefault(entry.address, {})[edit.path] = edit.now

    def write(self) -> None:
        """Judged as a whole before anything is written; what came out wrong is left out."""
        rewrites = self._rewrites()
        after, wrong = self._judge(rewrites)
        while wrong:
            self._drop(wrong)
            rewrites = self._rewrites()
            after, wrong = self._judge(rewrites)
        rewrite(rewrites)
        self._warn_of_shared(rewrites)
        for address, values in self.wanted.items():
            self.fates |= {(address, path): Fate(after.places[address, path]) for path in values}

    def _warn_of_shared(self, rewrites: Sequence[Rewrite]) -> None:
        """What stands in a manifest counts in each environment, though it was edited in one."""
        project = self.workspace.project
        own = {os.path.realpath(file) for file in overlay_files(project, self.workspace.cwd)}
        for one in rewrites if project.environment else ():
            if os.path.realpath(one.path) not in own:
                self.workspace.settings.warn(
                    f"{one.shown} was written, and applies in other environments too"
                )

    def _rewrites(self) -> list[Rewrite]:
        by_file: dict[str, list[Edit]] = defaultdict(list)
        for address, values in self.wanted.items():
            for file, some in self._homes(address, values).items():
                metrics = _metrics(self.desired.workflows[address], values)
                by_file[file].append(Edit(address, some, metrics, address in self.hides))
        for file in [file for file in by_file if not (self.workspace.cwd / file).exists()]:
            for edit in by_file.pop(file):
                self._refuse(edit.address, dict.fromkeys(edit.values, NAME))
        found = (self._rewrite(file, edits) for file, edits in sorted(by_file.items()))
        return [one for one in found if one.after != one.before]

    def _homes(self, address: str, values: Mapping[FieldPath, Any]) -> dict[str, dict[FieldPath, Any]]:
        """File → what is written there: where it is named, else in an overlay that names the workflow."""
        homes: dict[str, dict[FieldPath, Any]] = defaultdict(dict)
        own = self.desired.places[address, ""].file
        overlaid = self.desired.overlaid.get(address, {})
        last = max({span.file for span in overlaid.values()} - {own}, default=own)
        for path, value in values.items():
            place = self.desired.places[address, path]
            stands = place != self.desired.places[address, field_of(path) if "." in path else ""]
            named = overlaid.get(path) or _of_all(path, overlaid)
            homes[named.file if named else place.file if stands else last][path] = value
        return homes

    def _rewrite(self, file: str, edits: Sequence[Edit]) -> Rewrite:
        path = self.workspace.cwd / file
        before, text = read_again(path, file)
        done = edited(text, edits)
        after = done.text
        for (address, value), why in done.refused.items():
            self._refuse(address, {value: why})
        for edit in edits if self.remark else ():
            kept = edit.values.keys() & self.wanted[edit.address].keys()
            metrics = [name for path in kept if (name := metric_of(path))]
            after = remarked(after, edit.address, metrics, self.remark)
        return Rewrite(path, file, before, with_mark(before, after))

    def _refuse(self, address: str, reasons: Mapping[FieldPath, str]) -> None:
        for path, why in reasons.items():
            self.wanted[address].pop(path)
            self.fates[address, path] = Fate(reason=why)

    def _judge(self, rewrites: Sequence[Rewrite]) -> tuple[Desired, dict[str, str]]:
        """What the manifests would say; address → why not, where that is wrong or something else."""
        contents = {os.path.realpath(one.path): one.after for one in rewrites}
        after, faults = self._foresee(contents)
        wanted = {a: _changed(w, self.wanted.get(a, {})) for a, w in self.desired.workflows.items()}
        strange = {a: ELSEWHERE for a in wanted if after.workflows.get(a) != wanted[a]}
        return after, strange | {a: _not_valid(fault) for fault in faults for a in self._blamed(fault)}

    def _foresee(self, contents: Mapping[str, bytes]) -> tuple[Desired, list[NewFault]]:
        return foresee(self.workspace, self.paths or None, contents) if contents else (self.desired, [])

    def _blamed(self, fault: NewFault) -> Collection[str]:
        """One that stands where nothing is written is everybody's."""
        return [fault.address] if fault.address in self.wanted else self.wanted

    def _drop(self, wrong: Mapping[str, str]) -> None:
        """First a metric is hidden instead of taken out; then the whole address is given up.

        Raises DefendctlError if only others are wrong.
        """
        if not wrong.keys() & self.wanted.keys():
            raise DefendctlError(
                f"writing would change {', '.join(sorted(wrong)[:5])} too: nothing was written"
            )
        for address in wrong.keys() & self.wanted.keys():
            why = self.first_reasons.setdefault(address, wrong[address])
            if None in self.wanted[address].values() and address not in self.hides:
                self.hides.add(address)
            else:
                gone = self.wanted.pop(address)
                self.fates |= {(address, path): Fate(reason=why) for path in gone}


def _not_valid(fault: NewFault) -> str:
    where = f" of {fault.environment}" if fault.environment else ""
    return f"the manifests{where} would not be valid with it ({fault.diagnostic.code}); change it by hand"


def _of_all(path: FieldPath, overlaid: Mapping[str, Span]) -> Span | None:
    """Where the level of a metric is said if an overlay has a tolerance for a list that stands elsewhere."""
    alone = not any(is_metric(FieldPath(other)) for other in overlaid)
    return overlaid.get("tolerance") if alone and is_metric(path) else None


def _why_not(
    entry: Drifted, edit: FieldEdit, workflow: Workflow | None, metrics: Collection[str], overwrite: bool
) -> str | None:
    path = edit.path
    if only_console(path):
        return STATUS
    if workflow is None:
        return UNDECLARED
    if edit.origin == "conflict" and not overwrite:
        return CONFLICT
    if path == "type" or (is_metric(path) and any(f.path == "type" for f in entry.fields)):
        return TYPE
    if path == "file_search" and not has_id(workflow.file_search):
        return FILES
    metric = metric_of(path)
    if metric is not None:
        return _why_not_metric(metric, edit.now, workflow, metrics)
    return None if _fits(path, edit.now) else NOT_VALID


def _why_not_metric(name: str, value: Any, workflow: Workflow, metrics: Collection[str]) -> str | None:
    if value is None:
        return None
    if name not in metrics:
        return UNKNOWN_METRIC
    custom = workflow.type == "custom"
    fits = isinstance(value, float) and 0 <= value <= 1 if custom else value in LEVELS
    return None if fits else NOT_VALID


def _fits(path: FieldPath, value: Any) -> bool:
    match path:
        case "name":
            return isinstance(value, str) and re.search(NOT_BLANK, value) is not None
        case "improvement_action":
            return value in ACTIONS
        case "max_retries":
            return isinstance(value, int) and 0 <= value <= MAX_RETRIES_LIMIT
        case "file_search":
            return all(value)
    return True


def _metrics(workflow: Workflow, values: Mapping[FieldPath, Any]) -> dict[str, Any]:
    """All of them, with what is changed."""
    _, changed = split_metrics(values)
    return {name: value for name, value in {**workflow.metrics, **changed}.items() if value is not None}


def _changed(workflow: Workflow, values: Mapping[FieldPath, Any]) -> Workflow:
    fields, _ = split_metrics(values)
    return replace(workflow, **fields, metrics=dict(sorted(_metrics(workflow, values).items())))
