"""A workflow as it is declared in one file."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from defendctl.manifest.faults import rules_hold
from defendctl.manifest.file_search import named_files
from defendctl.manifest.places import placed
from defendctl.model import ADDRESS, Workflow
from defendctl.schema import models_manifest
from defendctl.schema.problems import check
from defendctl.schema.texts import ADDRESS_RULE
from defendctl.yamltext.quote import quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from defendctl.diagnostics import Span
    from defendctl.manifest.file_search import Named
    from defendctl.manifest.places import Placed
    from defendctl.yamltext.node import Document, KeyPath
    from defendctl.yamltext.report import Report


@dataclass(frozen=True, slots=True)
class Declared:
    """An address where it stands; the workflow is None if anything is wrong with it."""

    address: str
    span: Span
    workflow: Workflow | None
    placed: Placed
    labels: Mapping[str, str]
    renamed_from: str = ""
    imports: str = ""
    """The id of a workflow that is to be bound here."""
    files: Sequence[Named] = ()
    run_mode: str | None = None
    """What the application is advised to submit in; no field of the workflow, for it is never sent."""


def declared(address: str, document: Document, metrics: Collection[str], report: Report) -> Declared:
    """An address that stands in the document."""
    at: KeyPath = ("workflows", address)
    body = document.data["workflows"][address]
    span = document.span(at, key=True)
    valid = ADDRESS.fullmatch(address) is not None
    if not valid:
        report.error("invalid-address", _invalid(address), span)
    model = check(_model(body), body, at, document, report)
    sound = not isinstance(body, dict) or rules_hold(body, at, metrics, document, report)
    workflow = canonical(address, model) if valid and sound and model is not None else None
    files, known = named_files(body, at, document, report)
    workflow = workflow if known else None
    declared = Declared(address, span, workflow, placed(address, document), {}, files=files)
    if model is None:
        return declared
    imports = model.import_.workflow_id if "import_" in model.model_fields_set else ""
    return replace(
        declared,
        labels=model.labels,
        renamed_from=model.renamed_from,
        imports=imports,
        run_mode=model.run_mode if "run_mode" in model.model_fields_set else None,
    )


def _invalid(address: str) -> str:
    near = re.sub("[^a-z0-9._-]+", "-", address[:63].lower()).strip("._-")
    named = quoted(address, "This")
    hint = f" Try `{near}`." if ADDRESS.fullmatch(near) and address in named else ""
    return f"{named} cannot be an address: {ADDRESS_RULE}.{hint}"


def _model(body: Any) -> type[models_manifest.Workflow]:
    kind = body.get("type") if isinstance(body, dict) else None
    if kind == "custom":
        return models_manifest.Custom
    if kind == "automatic":
        return (
            models_manifest.AutomaticLevels
            if isinstance(body.get("metrics"), dict)
            else models_manifest.AutomaticList
        )
    return models_manifest.Untyped


def canonical(address: str, model: models_manifest.Workflow) -> Workflow:
    """The one shape everything after this works with, but for the files that are still to be read."""
    old_name = "max_improvement_attempts" in model.model_fields_set
    return Workflow(
        name=model.name or address,
        type=model.type,
        metrics=_canonical_metrics(model),
        improvement_action=model.improvement_action,
        description=model.description,
        max_retries=model.max_improvement_attempts if old_name else model.max_retries,
        web_search=model.web_search,
        context_awareness=model.context_awareness,
        file_search=tuple(sorted(item for item in model.file_search if isinstance(item, str))),
        unmanaged=frozenset(model.unmanaged),
    )


def _canonical_metrics(model: models_manifest.Workflow) -> dict[str, float | str]:
    if isinstance(model, models_manifest.AutomaticList):
        return dict.fromkeys(sorted(model.metrics), model.tolerance)
    return dict(sorted(model.metrics.items()))
