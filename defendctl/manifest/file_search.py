"""`file_search` of a workflow: ids of uploaded files, and files of the repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from defendctl.model import CONTENT
from defendctl.schema import models_manifest
from defendctl.schema.problems import check
from defendctl.yamltext.quote import kind_of

if TYPE_CHECKING:
    from defendctl.diagnostics import Span
    from defendctl.yamltext.node import Document, KeyPath
    from defendctl.yamltext.report import Report


_EITHER = "the id of an uploaded file, or a file of the repository like `{path: docs/policy.pdf}`"


@dataclass(frozen=True, slots=True)
class Named:
    """A file as a manifest names it, and where."""

    path: str
    span: Span


def named_files(body: Any, at: KeyPath, document: Document, report: Report) -> tuple[list[Named], bool]:
    """Those of the workflow at `at`, and whether every other item is an id."""
    items = body.get("file_search") if isinstance(body, dict) else None
    given = [
        _item(item, (*at, "file_search", index), document, report)
        for index, item in enumerate(items if isinstance(items, list) else ())
    ]
    return [file for file in given if isinstance(file, Named)], None not in given


def _item(item: Any, at: KeyPath, document: Document, report: Report) -> Named | str | None:
    """A file, an id, or None for what is neither."""
    if isinstance(item, dict):
        model = check(models_manifest.File, item, at, document, report)
        return Named(model.path, document.span((*at, "path"))) if model else None
    problem = _problem(item)
    if problem:
        code, message = problem
        report.error(code, message, document.span(at))
        return None
    return str(item)


def _problem(item: Any) -> tuple[str, str] | None:
    """Code and message for what is no id."""
    if not isinstance(item, str):
        hint = "" if item is None or isinstance(item, list) else " Put it in quotes if it is an id."
        return "wrong-type", f"An item of `file_search` must be {_EITHER}, found {kind_of(item)}.{hint}"
    if not item:
        return "invalid-value", "An item of `file_search` must not be empty."
    if CONTENT.fullmatch(item):
        message = f"This is what a file holds, and no id; write {_EITHER}."
        return "invalid-value", message
    return None
