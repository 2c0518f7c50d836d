"""The models of label files → a JSON Schema that editors show well (see `schema`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.replay.labels import LABELS
from defendctl.schema import models_labels, texts
from defendctl.schema.editor import Schema, document_schema, metrics_of, properties_of
from defendctl.schema.sentences import spoken

if TYPE_CHECKING:
    from collections.abc import Sequence

_DAY = r"^\d{4}-\d{2}-\d{2}"
_ID = r"^(?!\.{1,2}$)[^\s\u0000-\u001f\u007f-\u009f]+$"
"""`usable_id`, as far as a pattern can say it."""


def label_schema(custom_metrics: Sequence[str] = ()) -> Schema:
    """The schema of a file that `labels:` names; it takes no key but ours."""
    schema = document_schema(models_labels.LabelFile, texts.LABEL_FILE)
    del schema["patternProperties"]
    schema["properties"]["labels"] |= {"items": _block(custom_metrics), "defaultSnippets": [_snippet()]}
    return spoken({"title": "defendctl labels", **schema}, "A label file")


def _block(custom_metrics: Sequence[str]) -> Schema:
    given = properties_of(models_labels.LabelEntry, texts.LABEL_BLOCK)
    given["drawn"] |= {"enumDescriptions": [*texts.DRAWN.values()]}
    given["window"] = {**texts.LABEL_BLOCK["window"], **_window()}
    metrics = metrics_of(custom_metrics)
    given["metric"] |= {"enum": [*metrics], "enumDescriptions": [*metrics.values()]}
    for label in LABELS:
        given[label] |= {"items": _id(), "uniqueItems": True}
    return {**_closed(given), "required": ["workflow", "drawn"]}


def _id() -> Schema:
    said = "An event id has 1 to 256 characters without blanks."
    return {"type": "string", "maxLength": 256, "pattern": _ID, "patternErrorMessage": said}


def _window() -> Schema:
    given = properties_of(models_labels.LabelWindow, texts.LABEL_WINDOW)
    for key in ("from", "to"):
        day = f"`{key}` must be a day like 2026-11-01, or a time like 2026-11-01T08:30:00Z."
        given[key] |= {"pattern": _DAY, "patternErrorMessage": day}
    lacks_end = {"required": ["to"], "errorMessage": f"`to` is missing: {texts.MISSING['window.to']}"}
    return {**_closed(given), "required": ["from", "events"], "allOf": [lacks_end]}


def _closed(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _snippet() -> Schema:
    return {
        "label": "block of labels",
        "description": "Events of one workflow, drawn in one way.",
        "body": [{"workflow": "${1:support-bot}", "drawn": "${2|uniform,flagged,found|}"}],
    }
