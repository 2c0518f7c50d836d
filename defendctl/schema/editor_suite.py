"""The models of test files → a JSON Schema that editors show well (see `schema`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from defendctl.model import ADDRESS
from defendctl.schema import fields, models_suite, texts
from defendctl.schema.editor import Schema, document_schema, metrics_of, properties_of
from defendctl.schema.sentences import spoken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def suite_schema(custom_metrics: Sequence[str] = ()) -> Schema:
    """The schema of a file that `tests:` names."""
    schema = document_schema(models_suite.SuiteFile, texts.SUITE)
    schema["properties"]["defaults"] |= _section(_case_keys(models_suite.CaseDefaults))
    schema["properties"]["tests"] |= {
        "propertyNames": {
            "pattern": f"^{ADDRESS.pattern}$",
            "patternErrorMessage": f"{texts.ADDRESS_RULE.capitalize()}.",
        },
        "additionalProperties": _case(metrics_of(custom_metrics)),
        "defaultSnippets": [_snippet()],
    }
    needed = [_unless_default(key) for key in ("workflow", "model_used")]
    return spoken({**schema, "allOf": needed}, "A test file")


def _unless_default(key: str) -> Schema:
    """Each case says it itself where the defaults do not."""
    given = {"required": ["defaults"], "properties": {"defaults": {"required": [key]}}}
    each = {"properties": {"tests": {"additionalProperties": {"required": [key]}}}}
    return {"if": given, "else": each}


def _case(metrics: Mapping[str, str]) -> Schema:
    """`workflow` and `model_used` may stand in the defaults instead."""
    given = _case_keys(models_suite.CaseEntry)
    given["input"] = {**texts.CASE["input"], **_input()}
    given["expect"] = {**texts.CASE["expect"], **_expect(metrics)}
    return {**_section(given), "required": ["input", "output", "expect"]}


def _case_keys(model: type[models_suite.CaseDefaults]) -> Schema:
    given = properties_of(model, texts.CASE)
    given["cost"] |= {"type": "number", "minimum": 0, "maximum": fields.MAX_COUNT}
    return given


def _input() -> Schema:
    given = properties_of(models_suite.CaseInput, texts.CASE_INPUT)
    turn = {"role": {"type": "string"}, "content": {"type": "string"}}
    given["context"] |= {
        "type": ["string", "array"],
        "errorMessage": "`context` must be a text, or a list of texts and of turns.",
        "items": {
            "type": ["string", "object"],
            "errorMessage": "This must be a text, or a mapping with the texts `role` and `content`.",
            "required": ["role", "content"],
            "properties": turn,
            "additionalProperties": False,
        },
    }
    either = {"required": ["user_prompt"]}
    need = {"required": ["system_prompt"]}
    return {**_section(given), "allOf": [{"if": {"not": either}, "then": need}]}


def _expect(metrics: Mapping[str, str]) -> Schema:
    given = properties_of(models_suite.Expect, texts.EXPECT)
    side = {"type": "string", "enum": [*texts.SIDES], "enumDescriptions": [*texts.SIDES.values()]}
    given["result"] |= side
    given["improvement"] |= {"enumDescriptions": [*texts.OUTCOMES.values()]}
    given["metrics"] |= _by_metric(metrics, side)
    pair = given["scores"].pop("additionalProperties")
    two = {"errorMessage": "This must be a list of two numbers, like [0, 0.5]."}
    given["scores"] |= _by_metric(metrics, {**pair, **two})
    return {
        "type": ["string", "object"],
        "errorMessage": "`expect` must be flagged or passes, or a mapping that says more.",
        "properties": given,
        "additionalProperties": False,
        "minProperties": 1,
        "allOf": [{"if": {"type": "string"}, "then": side}],
        "defaultSnippets": [{"label": word, "body": word} for word in texts.SIDES],
    }


def _by_metric(metrics: Mapping[str, str], each: Any) -> Schema:
    named = {name: {**each, "markdownDescription": said} for name, said in metrics.items()}
    return {"properties": named, "additionalProperties": False}


def _section(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _snippet() -> Schema:
    case = {
        "workflow": "${2:support-bot}",
        "model_used": "${3:our-model}",
        "input": {"user_prompt": "${4:What was asked}"},
        "output": "${5:What was answered}",
        "expect": "${6|flagged,passes|}",
    }
    return {
        "label": "test case",
        "description": "An output, and what must be said of it.",
        "body": {"${1:name}": case},
    }
