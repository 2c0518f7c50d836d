"""The JSON Schemas, as committed under `schemas/`."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def schema(kind: str, custom_metrics: Sequence[str] = ()) -> str:
    """The text of one schema; each knows the project's own metrics."""
    return _text(kind, tuple(custom_metrics))


@cache  # doctor asks for the same one twice
def _text(kind: str, custom_metrics: tuple[str, ...]) -> str:
    from defendctl.schema.editor import (
        manifest_schema,
        overlay_schema,
        policy_schema,
        project_schema,
        to_text,
    )
    from defendctl.schema.editor_labels import label_schema
    from defendctl.schema.editor_suite import suite_schema

    if kind == "manifest":
        return to_text(manifest_schema(custom_metrics))
    if kind == "overlay":
        return to_text(overlay_schema(custom_metrics))
    if kind == "project":
        return to_text(project_schema(custom_metrics))
    if kind == "policy":
        return to_text(policy_schema(custom_metrics))
    if kind == "tests":
        return to_text(suite_schema(custom_metrics))
    if kind == "labels":
        return to_text(label_schema(custom_metrics))
    return to_text(_of_document(kind))


def _of_document(kind: str) -> dict[str, Any]:
    """Of what is printed as JSON."""
    from defendctl.render.json.contract import PlanDocument, document_schema
    from defendctl.render.tune.tune_json import TuneDocument

    shapes: dict[str, Any] = {"plan": PlanDocument, "tune": TuneDocument}
    return document_schema(shapes[kind], f"defendctl {kind}")
