"""A file that says one event → a Submission, or everything that is wrong with it."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import Invalid, Span
from defendctl.event import DEFAULT_RUN_MODE, Submission, Turn
from defendctl.schema.checks import without_extensions
from defendctl.yamltext.loader import load
from defendctl.yamltext.quote import kind_of
from defendctl.yamltext.report import Report
from defendctl.yamltext.source import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from defendctl.schema import models_suite
    from defendctl.schema.checks import Fault
    from defendctl.yamltext.node import Document, KeyPath


INPUT = "model_input"
_AN_EVENT = "An event is a mapping with `user_prompt`, `model_output` and `model_used`"
_CONTEXT = "a text, or a list of texts and of turns like `{role: user, content: …}`"


def read_submission(file: Path, cwd: Path) -> tuple[Submission, dict[str, Span]]:
    """The event and where each of its keys stands. Raises Invalid with every problem; JSON is YAML."""
    name = shown(file, cwd)
    documents, loaded = load(cwd / file, name)
    report = Report(name, loaded)
    submission = None
    with report.stopping():
        if not loaded and (len(documents) != 1 or not isinstance(documents[0].data, dict)):
            report.error("not-an-event", _not_one(documents), _span(documents, name))
        elif not loaded:
            submission = _read(documents[0], report)
    if submission is None or loaded or report.diagnostics:
        raise Invalid([*loaded, *report.diagnostics])
    return submission, _places(documents[0])


def _read(document: Document, report: Report) -> Submission | None:
    """Its input stands in it, or as in the vendor's own requests under `model_input`."""
    from defendctl.schema.models_suite import CaseInput, EventInput
    from defendctl.schema.problems import check

    data = without_extensions(document.data)
    model = check(EventInput, data, (), document, report)
    at: KeyPath = ()
    given: models_suite.EventInput | models_suite.CaseInput | None = model
    inner = data
    if INPUT in data:
        report_faults(_twice(data), (), document, report)
        at, inner = (INPUT,), data[INPUT]
        given = check(CaseInput, inner, at, document, report)
    sound = not isinstance(inner, dict) or report_faults(faults(inner), at, document, report)
    return _submission(model, given) if model and given and sound else None


def _twice(data: dict[str, Any]) -> Iterator[Fault]:
    from defendctl.schema.models_suite import CaseInput

    for key in data.keys() & CaseInput.model_fields.keys():
        yield (key,), "conflicting-keys", f"`{key}` belongs in `{INPUT}`, which is there: move it in."


def _places(document: Document) -> dict[str, Span]:
    given = document.data.get(INPUT)
    inner = {key: document.span((INPUT, key)) for key in given} if isinstance(given, dict) else {}
    return {key: document.span((key,)) for key in ("", *document.data)} | inner


def report_faults(given: Iterator[Fault], at: KeyPath, document: Document, report: Report) -> bool:
    """Whether there were none."""
    sound = True
    for path, code, message in given:
        report.error(code, message, document.span((*at, *path)))
        sound = False
    return sound


def faults(data: dict[str, Any]) -> Iterator[Fault]:
    """What no model says of the prompts and the context in it."""
    if not data.keys() & {"user_prompt", "system_prompt"}:
        yield (), "missing-key", "There is neither a `user_prompt` nor a `system_prompt`: add one."
    context = data.get("context")
    if "context" not in data or isinstance(context, str):
        return
    if not isinstance(context, list):
        yield ("context",), "wrong-type", f"`context` must be {_CONTEXT}, found {kind_of(context)}."
        return
    yield from chain.from_iterable(_item(index, item) for index, item in enumerate(context))


def _item(index: int, item: Any) -> Iterator[Fault]:
    if isinstance(item, str):
        return
    turn = isinstance(item, dict) and item.keys() == {"role", "content"}
    if not turn or not all(isinstance(value, str) for value in item.values()):
        said = "An item of `context` must be a text, or a mapping with the texts `role` and `content`"
        yield ("context", index), "wrong-type", f"{said}, found {kind_of(item)}."


def context_of(value: Any) -> tuple[str | Turn, ...]:
    """Of one that has no fault."""
    items = [value] if isinstance(value, str) else value or []
    return tuple(item if isinstance(item, str) else Turn(item["role"], item["content"]) for item in items)


def _submission(
    model: models_suite.EventInput, given: models_suite.EventInput | models_suite.CaseInput
) -> Submission:
    return Submission(
        model_output=model.model_output,
        model_used=model.model_used,
        run_mode=model.run_mode or DEFAULT_RUN_MODE,
        user_prompt=given.user_prompt or None,
        system_prompt=given.system_prompt or None,
        context=context_of(given.context),
        ground_truth=given.ground_truth or None,
        nametag=model.nametag or None,
    )


def _not_one(documents: list[Document]) -> str:
    if len(documents) == 1:
        return f"{_AN_EVENT}, found {kind_of(documents[0].data)}."
    return f"{_AN_EVENT}; the file must hold exactly one."


def _span(documents: list[Document], name: str) -> Span:
    return documents[min(len(documents), 2) - 1].span(()) if documents else Span(name, 1, 1)
