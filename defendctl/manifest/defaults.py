"""`defaults:` of a document: what its workflows leave out, each metric and each label by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.manifest.faults import rules_hold
from defendctl.manifest.file_search import named_files
from defendctl.manifest.layers import document as alone
from defendctl.manifest.layers import lay
from defendctl.schema import models_manifest
from defendctl.schema.problems import check
from defendctl.yamltext.node import span_of
from defendctl.yamltext.quote import kind_of, quoted

if TYPE_CHECKING:
    from collections.abc import Collection

    from defendctl.yamltext.node import Document, Place
    from defendctl.yamltext.report import Report

KEY = "defaults"


def check_defaults(document: Document, metrics: Collection[str], report: Report) -> None:
    """What is wrong with them, whether or not a workflow takes it over."""
    body = document.data[KEY]
    check(models_manifest.Defaults, body, (KEY,), document, report)
    if not isinstance(body, dict):
        return
    rules_hold(body, (KEY,), metrics, document, report)
    named_files(body, (KEY,), document, report)
    for key in models_manifest.OF_ONE_WORKFLOW & body.keys():
        message = f"`{key}` is about one workflow and cannot be a default for all."
        report.error("not-a-default", message, document.span((KEY, key), key=True))
    metrics_below = body.get("metrics")
    for name, value in metrics_below.items() if isinstance(metrics_below, dict) else ():
        if value is None:
            message = f"Below `defaults` there is no metric {quoted(name)} that null could remove."
            report.error("nothing-to-remove", message, document.span((KEY, "metrics", name)))
    if not isinstance(metrics_below, list | dict | None):
        message = f"`metrics` must be a mapping or a list of metrics, found {kind_of(metrics_below)}."
        report.error("wrong-type", message, document.span((KEY, "metrics")))


def filled(document: Document, address: str, report: Report) -> Document:
    """The workflow with what it leaves out."""
    workflows = document.root.items["workflows"]
    lower, upper = document.root.items[KEY], workflows.items[address]

    def tell(code: str, message: str, place: Place) -> None:
        report.error(code, message, span_of(document.file, place))

    body = lay(lower, upper, tell, overlay=False)
    return alone(document.file, address, workflows.keys[address], body, ())
