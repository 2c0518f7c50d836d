"""A document → its workflows, or everything that is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.manifest.declared import Declared, declared
from defendctl.manifest.defaults import check_defaults, filled
from defendctl.manifest.overlays import lay_over
from defendctl.schema import models_manifest
from defendctl.schema.checks import is_manifest, known_metrics, something_else, without_extensions
from defendctl.schema.problems import check

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from defendctl.manifest.overlays import Overlays
    from defendctl.yamltext.node import Document
    from defendctl.yamltext.report import Report


_A_MANIFEST = "A manifest holds `version: 1` and `workflows:` with a mapping of addresses to workflows"


def validate(
    document: Document, custom_metrics: Collection[str], report: Report, overlays: Overlays | None = None
) -> Iterator[tuple[Document, Declared]]:
    """Each address that the document declares, and in the report everything that is wrong with it.

    With it the document in which it stands whole: this one, or one with `defaults:` and overlays in it.
    """
    if not is_manifest(document.data):
        message = f"{_A_MANIFEST}, found {something_else(document.data)}."
        report.error("not-a-manifest", message, document.span(()))
        return
    data = without_extensions(document.data)
    check(models_manifest.Manifest, data, (), document, report)
    metrics = known_metrics(custom_metrics)
    if "defaults" in data:
        check_defaults(document, metrics, report)
    for address in addresses_in(document):
        whole = filled(document, address, report) if "defaults" in data else document
        laid = lay_over(whole, address, overlays, report) if overlays else whole
        if laid is not None:
            yield laid, declared(address, laid, metrics, report)


def addresses_in(document: Document) -> Collection[str]:
    """All that stand in a manifest, right or wrong."""
    workflows = document.data.get("workflows") if is_manifest(document.data) else None
    return workflows if isinstance(workflows, dict) else ()
