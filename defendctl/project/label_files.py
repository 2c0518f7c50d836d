"""The label files of a project → the blocks in them, or everything that is wrong with them.

No message quotes a text that may be content: an id only where it looks like one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import Diagnostic, Span
from defendctl.model import METRICS, usable_id
from defendctl.project.suite_files import list_labels
from defendctl.replay.labels import LABELS, MAX_LABELLED, LabelBlock, Window
from defendctl.schema.checks import is_meant_as, repeated, something_else, unknown_metrics
from defendctl.yamltext.loader import load
from defendctl.yamltext.quote import quoted
from defendctl.yamltext.report import LIMIT, Report, Stop
from defendctl.yamltext.source import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from defendctl.project.project import Project
    from defendctl.replay.labels import Label
    from defendctl.schema.checks import Fault
    from defendctl.schema.models_labels import LabelEntry
    from defendctl.yamltext.node import Document


_A_FILE = "A label file holds one document, `version: 1` and `labels:` with a list of blocks"
_KEYS = ("version", "labels")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
"""What a time begins with, of the spellings that Python reads."""
Subject = tuple[str | None, str]
"""A metric, or None for the whole verdict, and an event id: what has one label."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What the files say, in their order. Do not use it while `diagnostics` holds an error."""

    blocks: tuple[LabelBlock, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    """Among them a warning for each label that two files disagree about."""


def read_labels(project: Project, cwd: Path) -> Labels:
    """Every problem of every file is in the diagnostics; that an address is declared is not asked here."""
    listed = list_labels(project, cwd)
    run = _Reading({*METRICS, *project.custom_metrics})
    for file in listed.files:
        run.read(file, shown(file, cwd))
    return Labels(tuple(run.blocks), (*listed.diagnostics, *run.diagnostics, *run.disagreements[:LIMIT]))


class _Reading:
    """`_said` holds what the files before said of an event, `_here` what this file has said so far."""

    def __init__(self, metrics: Collection[str]) -> None:
        self.blocks: list[LabelBlock] = []
        self.diagnostics: list[Diagnostic] = []
        self.disagreements: list[Diagnostic] = []
        self._metrics = metrics
        self._said: dict[Subject, tuple[Label, Span]] = {}
        self._here: dict[Subject, tuple[Label, Span]] = {}
        self._homes: dict[str, tuple[str, Span]] = {}

    def read(self, file: Path, name: str) -> None:
        documents, loaded = load(file, name)
        report = Report(name, loaded)
        with report.stopping():
            if not loaded and len(documents) != 1:
                span = documents[1].span(()) if documents else Span(name, 1, 1)
                report.error("not-labels", f"{_A_FILE}.", span)
            for document in documents[:1]:
                self._document(document, report)
        self._said = {**self._here, **self._said}
        self._here = {}
        self.diagnostics += [*loaded, *report.diagnostics]

    def _document(self, document: Document, report: Report) -> None:
        from defendctl.schema.models_labels import LabelFile
        from defendctl.schema.problems import check

        data = document.data
        if not is_meant_as(data, ("labels",)):
            report.error("not-labels", f"{_A_FILE}, found {something_else(data)}.", document.span(()))
            return
        check(LabelFile, data, (), document, report)
        entries = data.get("labels")
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            self._block(index, entry, document, report)

    def _block(self, index: int, entry: Any, document: Document, report: Report) -> None:
        from defendctl.schema.models_labels import LabelEntry as Model
        from defendctl.schema.problems import check

        at = ("labels", index)
        model = check(Model, entry, at, document, report)
        faults = list(_faults(entry, self._metrics)) if isinstance(entry, dict) else []
        for path, code, message in faults:
            report.error(code, message, document.span((*at, *path)))
        if model is None or faults:
            return
        block = _built(model, document.span((*at, "workflow")))
        for label in LABELS:
            for number, event_id in enumerate(getattr(block, label)):
                self._label(block, label, event_id, document.span((*at, label, number)), report)
        self.blocks.append(block)

    def _label(self, block: LabelBlock, label: Label, event_id: str, span: Span, report: Report) -> None:
        home, first = self._homes.setdefault(event_id, (block.address, span))
        if home != block.address:
            message = (
                f"{quoted(event_id)} is an event of {quoted(home)} in {_place(first)}; an event has one."
            )
            report.error("labelled-elsewhere", message, span)
        if len(self._homes) > MAX_LABELLED:
            message = f"The label files hold more than {MAX_LABELLED:,} ids, the most that are read."
            raise Stop("too-many-items", message, span)
        self._agree((block.metric, event_id), label, span, report)

    def _agree(self, subject: Subject, label: Label, span: Span, report: Report) -> None:
        """Twice in one file is a slip; two files are two people."""
        earlier, there = self._here.setdefault(subject, (label, span))
        if earlier != label:
            message = f"{quoted(subject[1])} stands under `{earlier}` in {_place(there)} already; keep one."
            report.error("conflicting-labels", message, span)
        other, elsewhere = self._said.get(subject, (label, span))
        if other != label:
            message = (
                f"{quoted(subject[1])} stands under `{other}` in {_place(elsewhere)}: as long as the files "
                "disagree it counts as unsure."
            )
            self.disagreements.append(Diagnostic("warning", "labels-disagree", message, span))


def _place(span: Span) -> str:
    return f"{span.file}:{span.line}"


def _faults(entry: dict[str, Any], metrics: Collection[str]) -> Iterator[Fault]:
    """What no model says."""
    metric = entry.get("metric")
    for _, code, message in unknown_metrics({"metric": [metric]}, "metric", metrics) if metric else ():
        yield ("metric",), code, message
    by = entry.get("by")
    if isinstance(by, str) and not by.isprintable():
        yield ("by",), "invalid-value", "`by` must not hold control or invisible characters."
    window = entry.get("window")
    yield from _times(window) if isinstance(window, dict) else ()
    yield from chain(_ids(entry), repeated(entry, LABELS))


def _ids(entry: dict[str, Any]) -> Iterator[Fault]:
    for label in LABELS:
        items = entry.get(label)
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, str) and item and not usable_id(item):
                yield (label, index), "unusable-id", "An event id has 1 to 256 characters without blanks."


def _times(window: dict[str, Any]) -> Iterator[Fault]:
    found = {key: _moment(window[key]) for key in ("from", "to") if isinstance(window.get(key), str)}
    for key, moment in found.items():
        if moment is None:
            message = f"`{key}` must be a day like 2026-11-01, or a time like 2026-11-01T08:30:00Z."
            yield ("window", key), "invalid-value", message
    since, until = found.get("from"), found.get("to")
    if since and until and since.date() > until.date():
        yield ("window", "to"), "out-of-range", "The window ends before it begins: `from` comes first."


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if _DAY.match(text) else None
    except ValueError:
        return None


def _built(model: LabelEntry, span: Span) -> LabelBlock:
    given = model.model_fields_set
    window = model.window
    return LabelBlock(
        address=model.workflow,
        drawn=model.drawn,
        should_be_flagged=tuple(model.should_be_flagged),
        should_pass=tuple(model.should_pass),
        unsure=tuple(model.unsure),
        metric=model.metric or None,
        by=model.by or None,
        window=Window(window.from_, window.to, window.events) if "window" in given else None,
        span=span,
    )
