"""What is wrong in one workflow that no model can say."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Any

from defendctl.model import ADDRESS, DEFAULTS, usable_id
from defendctl.schema import fields
from defendctl.schema.checks import Fault, repeated, unknown_metrics
from defendctl.schema.texts import ADDRESS_RULE, BOTH_NAMES
from defendctl.yamltext.quote import quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from defendctl.yamltext.node import Document, KeyPath
    from defendctl.yamltext.report import Report


_LABEL = (
    "letters, digits, `.`, `_` and `-`, a letter or digit first and last, 63 at most "
    "(a name may have a prefix like `example.com/`)"
)


def rules_hold(
    body: dict[str, Any], at: KeyPath, metrics: Collection[str], document: Document, report: Report
) -> bool:
    """What no model says: whether all of it holds."""
    sound = True
    repeats = repeated(body, ("metrics", "file_search", "unmanaged"))
    unknown = unknown_metrics(body, "metrics", metrics)
    for path, code, message in chain(
        _both_names(body), repeats, unknown, _labels(body), of_one(str(at[-1]), body)
    ):
        report.error(code, message, document.span((*at, *path), key=True))
        sound = False
    return sound


def _both_names(body: dict[str, Any]) -> Iterator[Fault]:
    if {"max_retries", "max_improvement_attempts"} <= body.keys():
        yield ("max_improvement_attempts",), "conflicting-keys", BOTH_NAMES


def _labels(body: dict[str, Any]) -> Iterator[Fault]:
    given = body.get("labels")
    labels = given if isinstance(given, dict) else {}
    if len(labels) > fields.MAX_LABELS:
        message = f"A workflow has {fields.MAX_LABELS} labels at most, found {len(labels)}."
        yield ("labels",), "too-many-items", message
    for name, value in labels.items():
        if not re.fullmatch(fields.LABEL_KEY, name):
            yield (
                ("labels", name),
                "invalid-label",
                f"{quoted(name)} cannot be the name of a label: {_LABEL}.",
            )
        if isinstance(value, str) and not re.fullmatch(fields.LABEL_VALUE, value):
            message = f"{quoted(value)} cannot be the value of a label: {_LABEL}."
            yield ("labels", name), "invalid-label", message


_OLD_NAMES = {"max_retries": ("max_retries", "max_improvement_attempts")}


def of_one(address: str, body: dict[str, Any]) -> Iterator[Fault]:
    """Path, code and message of each fault in one workflow."""
    old = body.get("renamed_from")
    if isinstance(old, str) and old == address:
        yield ("renamed_from",), "invalid-rename", f"{quoted(old)} is this same address."
    elif isinstance(old, str) and not ADDRESS.fullmatch(old):
        message = f"{quoted(old, 'This')} cannot have been an address: {ADDRESS_RULE}."
        yield ("renamed_from",), "invalid-rename", message
    taken = body.get("import")
    workflow_id = taken.get("workflow_id") if isinstance(taken, dict) else None
    if isinstance(workflow_id, str) and not usable_id(workflow_id):
        message = "A workflow id has 1 to 256 characters without blanks."
        yield ("import", "workflow_id"), "unusable-id", message
    yield from _set_and_unmanaged(body)


def _set_and_unmanaged(body: dict[str, Any]) -> Iterator[Fault]:
    left = body.get("unmanaged")
    for name in dict.fromkeys(n for n in left if isinstance(n, str)) if isinstance(left, list) else ():
        for key in _OLD_NAMES.get(name, (name,)) if name in DEFAULTS else ():
            if key in body:
                message = f"`{key}` has a value here and is `unmanaged` too; keep one of them."
                yield (key,), "conflicting-keys", message
