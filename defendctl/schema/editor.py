"""The models → JSON Schemas (draft-07) that editors show well.

Types, ranges and required keys come from the models. What editors need besides is added here: a description
that names the default (they do not show `default`, and would insert it), messages in words, and what depends
on `type` as if/then, with `X: false` for a key that does not belong, so that the message stands on that key.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from defendctl.model import ADDRESS, CONTENT, METRICS
from defendctl.policy.rules import CHECKS, FLAG_RATE, FLAG_RATE_CHECK, RETIRE
from defendctl.policy.waivers import WAIVABLE
from defendctl.schema import fields, models_manifest, models_policy, models_project, texts
from defendctl.schema.checks import ENVIRONMENT, KEY_VARIABLES, LONGEST_ENVIRONMENT
from defendctl.schema.editor_defaults import rules_of_defaults
from defendctl.schema.sentences import spoken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel


Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"
THRESHOLD = "${1:0.8}"  # in a snippet: text to type over
_UNWANTED = frozenset({"title", "description", "default"})


def manifest_schema(custom_metrics: Sequence[str] = ()) -> Schema:
    """The schema of one manifest document; the names in `custom_metrics` are metrics too."""
    schema = document_schema(models_manifest.Manifest, texts.MANIFEST)
    metrics = metrics_of(custom_metrics)
    schema["properties"]["defaults"] = {**texts.MANIFEST["defaults"], **_defaults(metrics)}
    schema["properties"]["workflows"] |= {
        "propertyNames": _addresses(),
        "defaultSnippets": _workflow_snippets(),
    }
    schema["properties"]["waivers"]["items"] = _waiver()
    over, alone = _each(_over_defaults(metrics)), _each(_workflow(metrics))
    whole = {"if": {"required": ["defaults"]}, "then": over, "else": alone}
    laid = rules_of_defaults(metrics, _laid_thresholds(), _laid_levels())
    return spoken({**schema, "allOf": [whole, *laid]}, "A manifest")


def overlay_schema(custom_metrics: Sequence[str] = ()) -> Schema:
    """The schema of a file that `overlays` of an environment name."""
    schema = document_schema(models_manifest.Overlay, texts.OVERLAY)
    laid = _over_manifest(metrics_of(custom_metrics))
    schema["properties"]["workflows"] |= {
        "propertyNames": _addresses(),
        "additionalProperties": {**laid, "type": ["object", "null"]},
    }
    schema["properties"]["waivers"]["items"] = _waiver()
    return spoken(schema, "An overlay")


def project_schema(custom_metrics: Sequence[str] = ()) -> Schema:
    """The schema of `defendctl.yaml`, which may name more metrics itself: then any word may be one."""
    schema = document_schema(models_project.ProjectFile, texts.PROJECT)
    for name, model in (
        ("api", models_project.Api),
        ("state", models_project.StateSection),
        ("lint", models_project.Lint),
    ):
        section = {"type": "object", "properties": properties_of(model, texts.SECTIONS[name])}
        schema["properties"][name] = {**texts.PROJECT[name], **section, "additionalProperties": False}
    schema["properties"]["state"]["allOf"] = _one_place()
    for name in ("manifests", "tests", "labels", "custom_metrics"):
        schema["properties"][name]["uniqueItems"] = True
    schema["properties"]["api"]["properties"]["key_variable"]["pattern"] = f"^{KEY_VARIABLES}$"
    schema["properties"]["policy"] = _policy()
    schema["properties"]["environments"] |= _environments()
    alone = _without(
        "state",
        "With `environments` each has a state of its own: move this into the one whose workflows it holds.",
    )
    known = _rule(_none_but(custom_metrics), _metrics_of_rules(metrics_of(custom_metrics)))
    rules = [_rule({"required": ["environments"]}, alone), known]
    return spoken({**schema, "allOf": rules}, "A project file")


def _none_but(custom_metrics: Sequence[str]) -> Schema:
    given = {"items": {"enum": [*custom_metrics]}} if custom_metrics else {"maxItems": 0}
    return {"properties": {"custom_metrics": given}}


def _metrics_of_rules(metrics: Mapping[str, str]) -> Schema:
    """Of every rule in a project file."""
    rule = {"properties": _metrics_of_rule(metrics)}
    policy = {"properties": {"policy": {"properties": {"rules": {"items": rule}}}}}
    each = {"properties": {"environments": {"additionalProperties": policy}}}
    return {"properties": {**policy["properties"], **each["properties"]}}


def _metrics_of_rule(metrics: Mapping[str, str]) -> Schema:
    return {"min_threshold": _thresholds(metrics), "require_metrics": {"items": _metric(metrics)}}


def _environments() -> Schema:
    given = properties_of(models_project.Environment, texts.ENVIRONMENT)
    for name, model, hints in (
        ("api", models_project.Api, texts.API),
        ("state", models_project.StateOfEnvironment, texts.STATE_OF_ENVIRONMENT),
    ):
        given[name] = {**texts.ENVIRONMENT[name], **_section(model, hints)}
    given["state"]["allOf"] = _one_place()
    given["api"]["properties"]["key_variable"]["pattern"] = f"^{KEY_VARIABLES}$"
    given["policy"] = {**_policy(), **texts.ENVIRONMENT["policy"]}
    given["overlays"]["uniqueItems"] = True
    names = _pattern(ENVIRONMENT, "A word like `staging`: lowercase letters, digits and single dashes.")
    return {
        "minProperties": 1,
        "propertyNames": {**names, "maxLength": LONGEST_ENVIRONMENT},
        "additionalProperties": {
            "type": ["object", "null"],
            "properties": given,
            "additionalProperties": False,
        },
    }


def _one_place() -> list[Schema]:
    """Of a state: a file, or a URL and its options."""
    both = _without("path", "A state has either `path` or `url`, not both; leave one of them out.")
    alone = _without("options", "`options` belongs to `url`; a state in a file takes none.")
    has_url = {"required": ["url"]}
    return [_rule(has_url, both), _rule({"not": has_url}, alone)]


def policy_schema(custom_metrics: Sequence[str] = ()) -> Schema:
    """The schema of a file that `policy.include` names."""
    schema = document_schema(models_policy.PolicyFile, texts.POLICY_FILE)
    schema["properties"]["rules"]["items"] = _rule_of_policy(metrics_of(custom_metrics))
    return spoken(schema, "A file of rules")


def metrics_of(custom_metrics: Sequence[str]) -> dict[str, str]:
    return {**METRICS, **dict.fromkeys(custom_metrics, "One of your organization's own metrics.")}


def to_text(schema: Mapping[str, Any]) -> str:
    """As it is committed; keys stand in the order in which editors offer them."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def document_schema(model: type[BaseModel], hints: texts.Hints) -> Schema:
    properties = properties_of(model, hints)
    properties["version"] = {**hints["version"], "type": "integer", "const": 1}
    return {
        "$schema": DRAFT,
        "type": "object",
        "required": model.model_json_schema()["required"],
        "properties": properties,
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
    }


def properties_of(model: type[BaseModel], hints: texts.Hints) -> Schema:
    """The properties of a model in the order of the hints, each with its hints."""
    generated = model.model_json_schema()["properties"]
    return {name: {**_clean(generated[name]), **hint} for name, hint in hints.items() if name in generated}


def _clean(node: Any) -> Any:
    """Without what pydantic adds and editors misuse. No key of ours has such a name."""
    if isinstance(node, list):
        return [_clean(item) for item in node]
    if isinstance(node, dict):
        return {key: _clean(value) for key, value in node.items() if key not in _UNWANTED}
    return node


def _workflow(metrics: Mapping[str, str]) -> Schema:
    given = properties_of(models_manifest.Untyped, texts.WORKFLOW)
    given["description"]["type"] = ["string", "null"]
    given["type"]["enumDescriptions"] = [*texts.TYPES.values()]
    given["tolerance"] |= _levels()
    given["improvement_action"] = {**texts.WORKFLOW["improvement_action"], **_actions()}
    given["file_search"] |= {"items": _file(), "uniqueItems": True}
    given["labels"] |= {
        "maxProperties": fields.MAX_LABELS,
        "propertyNames": _pattern(fields.LABEL_KEY, texts.LABELS),
        "additionalProperties": {"type": "string", **_pattern(fields.LABEL_VALUE, texts.LABEL_VALUE)},
    }
    given["run_mode"]["enumDescriptions"] = [*map(texts.run_mode, given["run_mode"]["enum"])]
    given["unmanaged"]["uniqueItems"] = True
    given["renamed_from"] |= _pattern(ADDRESS.pattern, f"{texts.ADDRESS_RULE.capitalize()}.")
    taken = {**_section(models_manifest.Import, texts.IMPORT), "required": ["workflow_id"]}
    given["import"] = {**texts.WORKFLOW["import"], **taken}
    return {
        "type": "object",
        "required": ["type", "metrics", "improvement_action"],
        "properties": given,
        "additionalProperties": False,
        "allOf": _rules(metrics),
    }


def _addresses() -> Schema:
    return _pattern(ADDRESS.pattern, f"{texts.ADDRESS_RULE.capitalize()}.")


def _each(workflow: Schema) -> Schema:
    return {"properties": {"workflows": {"additionalProperties": workflow}}}


def _defaults(metrics: Mapping[str, str]) -> Schema:
    """What the workflows of a document leave out, but for what no two of them share."""
    given = _fields(metrics, _any_metrics(metrics))
    shared = {name: shape for name, shape in given.items() if name not in models_manifest.OF_ONE_WORKFLOW}
    return _part(shared, "none")


def _over_defaults(metrics: Mapping[str, str]) -> Schema:
    """A workflow of a document with `defaults`, of which null takes a metric or a label away."""
    return _part(_fields_with_nulls(metrics), "that of `defaults`")


def _over_manifest(metrics: Mapping[str, str]) -> Schema:
    """What an overlay says of a workflow; null takes away what may go."""
    given = _fields_with_nulls(metrics)
    for name in given.keys() - {"type", "metrics", "improvement_action"}:
        given[name] = _or_null(given[name])
    given["improvement_action"] = _without_null(given["improvement_action"])
    return _part(given, "as in the manifest")


def _fields_with_nulls(metrics: Mapping[str, str]) -> Schema:
    given = _fields(metrics, _any_metrics_or_null(metrics))
    given["labels"]["additionalProperties"]["type"] = ["string", "null"]
    return given


def _fields(metrics: Mapping[str, str], any_metrics: Schema) -> Schema:
    """Those of a workflow whose type may stand elsewhere."""
    return {**_workflow(metrics)["properties"], "metrics": {**texts.WORKFLOW["metrics"], **any_metrics}}


def _part(given: Schema, default: str) -> Schema:
    """An object that may lack any of these fields, and what holds then."""
    told = {
        name: {**shape, "markdownDescription": _redefault(shape, default)} for name, shape in given.items()
    }
    both = _rule({"required": ["max_retries"]}, _without("max_improvement_attempts", texts.BOTH_NAMES))
    return {"type": "object", "properties": told, "additionalProperties": False, "allOf": [both]}


def _redefault(shape: Schema, default: str) -> str:
    text = shape["markdownDescription"].split(" Default: ")[0].removesuffix(" Required.")
    return f"{text} Default: {default}."


def _any_metrics(metrics: Mapping[str, str]) -> Schema:
    """In any form, for the type is not known here."""
    value = _any_value(["number", "string"], "A threshold from 0 to 1, or a level.")
    return _any_form(metrics, value, least=1)


def _any_metrics_or_null(metrics: Mapping[str, str]) -> Schema:
    message = "A threshold from 0 to 1, or a level. null removes it."
    return _any_form(metrics, _any_value(["number", "string", "null"], message), least=0)


def _any_value(kinds: list[str], message: str) -> Schema:
    return {
        "type": kinds,
        "minimum": 0,
        "maximum": 1,
        **_pattern(f"({'|'.join(texts.LEVELS)})", "A level is low, medium or high."),
        "errorMessage": message,
        "defaultSnippets": [{"label": "0.8", "body": THRESHOLD}],
    }


def _any_form(metrics: Mapping[str, str], value: Schema, *, least: int) -> Schema:
    return {
        **_listed_or_levels(metrics),
        **{"minItems": least, "minProperties": least},
        "properties": {name: {**value, **_metric_text(text)} for name, text in metrics.items()},
    }


def _without_null(schema: Schema) -> Schema:
    shown = zip(schema["enum"], schema["enumDescriptions"], strict=True)
    kept = {word: text for word, text in shown if word is not None}
    return {**schema, "enum": [*kept], "enumDescriptions": [*kept.values()]}


def _or_null(schema: Schema) -> Schema:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    values = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    told = {"enumDescriptions": [*schema["enumDescriptions"], "Taken away."]} if values else {}
    return {**schema, **values, **told, "type": [*dict.fromkeys([*kinds, "null"])]}


def _file() -> Schema:
    """Both shapes at once: the keywords for texts and those for mappings do not disturb each other."""
    return {
        "type": ["string", "object"],
        "minLength": 1,
        "allOf": [{"pattern": f"^(?!{CONTENT.pattern}$)", "patternErrorMessage": texts.FILE_ID}],
        "errorMessage": texts.FILE_ID,
        "required": models_manifest.File.model_json_schema()["required"],
        "properties": properties_of(models_manifest.File, texts.FILE),
        "additionalProperties": False,
        "defaultSnippets": [{"label": "path: docs/policy.pdf", "body": {"path": "${1:docs/policy.pdf}"}}],
    }


def _pattern(pattern: str, message: str) -> Schema:
    return {"pattern": f"^{pattern}$", "patternErrorMessage": message}


def _waiver() -> Schema:
    given = properties_of(models_policy.WaiverEntry, texts.WAIVER)
    given["field"] |= _pattern(
        f"({'|'.join(WAIVABLE)}|metrics\\..+)", "A path as the plan shows it, or `retire`."
    )
    given["to"] |= {"type": ["string", "number", "boolean", "null", "array"], "items": {"type": "string"}}
    rate = {"properties": {"to": {"type": ["number", "null"], "minimum": 0, "maximum": 1}}}
    retire, flag_rate = (_where("field", {"const": name}) for name in (RETIRE, FLAG_RATE))
    return {
        "type": "object",
        "required": models_policy.WaiverEntry.model_json_schema()["required"],
        "properties": given,
        "additionalProperties": False,
        "allOf": [
            {"if": retire, "else": {"required": ["to"]}},
            _rule(flag_rate, rate),
        ],
    }


def _policy() -> Schema:
    """Any word may be a metric here, for `custom_metrics` stand in the same file."""
    given = properties_of(models_policy.PolicySection, texts.POLICY)
    given["include"]["uniqueItems"] = True
    given["replay"] = {**texts.POLICY["replay"], **_section(models_policy.ReplaySection, texts.REPLAY)}
    given["rules"]["items"] = _rule_of_policy(None)
    return {**texts.PROJECT["policy"], "type": "object", "properties": given, "additionalProperties": False}


def _section(model: type[BaseModel], hints: texts.Hints) -> Schema:
    return {"type": "object", "properties": properties_of(model, hints), "additionalProperties": False}


def _rule_of_policy(metrics: Mapping[str, str] | None) -> Schema:
    given = properties_of(models_policy.RuleEntry, texts.RULE)
    given["id"]["pattern"] = f"^{models_policy.RULE_ID}$"
    for name in CHECKS:
        given[name]["markdownDescription"] += " Default: not checked."
    for name in ("no_loosening", "no_indeterminate", "no_retire"):
        given[name] |= {"const": True, "errorMessage": f"`{name}` {texts.OFF}"}
    for name, model, hints in (
        ("select", models_policy.Select, texts.SELECT),
        ("capabilities", models_policy.Capabilities, texts.CAPABILITIES),
    ):
        section = _section(model, hints)
        given[name] = {
            "markdownDescription": given[name]["markdownDescription"],
            **section,
            "minProperties": 1,
        }
    exact = _section(models_policy.ExactRate, texts.EXACT_RATE)
    given[FLAG_RATE_CHECK] |= {
        **{**exact, "required": [*texts.EXACT_RATE], "type": ["number", "object"]},
        **{"minimum": 0.0, "maximum": 1.0, "errorMessage": texts.FLAG_RATE},
    }
    for name, shape in _metrics_of_rule(metrics).items() if metrics is not None else ():
        given[name] |= shape
    return {
        "type": "object",
        "required": models_policy.RuleEntry.model_json_schema()["required"],
        "properties": given,
        "additionalProperties": False,
        "allOf": _one_check(),
    }


def _one_check() -> list[Schema]:
    """One of them, and with it none that is listed after it: the second is the one that is told."""
    none = {"properties": dict.fromkeys(CHECKS, False)}
    lacking = {"required": [CHECKS[0]], "errorMessage": f"{texts.ONE_CHECK}; this one has none."}
    others = "A rule holds exactly one check, and this is a second one; split it."
    return [
        _rule(none, {"allOf": [lacking]}),
        *(
            _rule({"required": [check]}, {"properties": dict.fromkeys(later, False), "errorMessage": others})
            for check, later in ((check, CHECKS[n + 1 :]) for n, check in enumerate(CHECKS[:-1]))
        ),
    ]


def _levels() -> Schema:
    return {"enum": [*texts.LEVELS], "enumDescriptions": [*texts.LEVELS.values()]}


def _actions() -> Schema:
    return {
        "enum": [*texts.ACTIONS, *texts.OLD_ACTIONS],
        "enumDescriptions": [*texts.ACTIONS.values(), *texts.OLD_ACTIONS.values()],
        "errorMessage": "`improvement_action` must be fixit, regenerate or none.",
    }


def _rules(metrics: Mapping[str, str]) -> list[Schema]:
    """What depends on another key. `errorMessage` has a `then` of its own, for it replaces other messages."""
    custom, automatic = _where("type", {"const": "custom"}), _where("type", {"const": "automatic"})
    listed, mapped = _where("metrics", {"type": "array"}), _where("metrics", {"type": "object"})
    old_action = _where("improvement_action", {"enum": [*texts.OLD_ACTIONS]})
    return [
        _rule(custom, {"properties": {"metrics": _thresholds(metrics)}}),
        _rule(custom, _without("tolerance", texts.MISPLACED["Custom"])),
        _rule(automatic, {"properties": {"metrics": _listed_or_levels(metrics)}}),
        _rule({"allOf": [automatic, listed]}, {"required": ["tolerance"]}),
        _rule(
            {"allOf": [automatic, mapped]},
            _without("tolerance", texts.MISPLACED["AutomaticLevels"]),
        ),
        _rule(
            {"required": ["max_retries"]},
            _without("max_improvement_attempts", texts.BOTH_NAMES),
        ),
        _rule(old_action, {"properties": {"improvement_action": {"deprecated": True}}}),
    ]


def _rule(condition: Schema, then: Schema) -> Schema:
    return {"if": condition, "then": then}


def _where(key: str, value: Schema) -> Schema:
    return {"required": [key], "properties": {key: value}}


def _without(key: str, message: str) -> Schema:
    return {"properties": {key: False}, "errorMessage": message}


def _thresholds(metrics: Mapping[str, str]) -> Schema:
    shape = _clean(models_manifest.Custom.model_json_schema()["properties"]["metrics"])
    threshold = {**shape["additionalProperties"], "defaultSnippets": [{"label": "0.8", "body": THRESHOLD}]}
    return {
        **shape,
        "properties": {name: {**threshold, **_metric_text(text)} for name, text in metrics.items()},
        "additionalProperties": False,
        "errorMessage": f"A threshold for each metric, like `completeness: 0.8`. {_known(metrics)}",
        "defaultSnippets": [{"label": "completeness: 0.8", "body": {"completeness": THRESHOLD}}],
    }


def _listed_or_levels(metrics: Mapping[str, str]) -> Schema:
    """Both shapes at once: the keywords for lists and those for mappings do not disturb each other."""
    levels = _clean(models_manifest.AutomaticLevels.model_json_schema()["properties"]["metrics"])
    level = {**levels["additionalProperties"], **_levels()}
    return {
        **levels,
        "type": ["array", "object"],
        "minItems": 1,
        "uniqueItems": True,
        "items": _metric(metrics),
        "properties": {name: {**level, **_metric_text(text)} for name, text in metrics.items()},
        "additionalProperties": False,
        "errorMessage": "A list of metrics, each once and at least one, or a mapping of metric to level "
        f"(low, medium or high). {_known(metrics)}",
    }


def _laid_thresholds() -> Schema:
    """Over the metrics of `defaults`, of which null removes one."""
    each = {"type": ["number", "null"], "minimum": 0, "maximum": 1, "errorMessage": texts.LAID_THRESHOLD}
    shape = "`metrics` of a custom workflow must be a mapping of metric to threshold."
    return {"type": "object", "additionalProperties": each, "errorMessage": shape}


def _laid_levels() -> Schema:
    return {"additionalProperties": {"enum": [*texts.LEVELS, None], "errorMessage": texts.LAID_LEVEL}}


def _metric(metrics: Mapping[str, str]) -> Schema:
    return {
        "type": "string",
        "enum": [*metrics],
        "enumDescriptions": [*metrics.values()],
        "errorMessage": _known(metrics),
    }


def _metric_text(text: str) -> Schema:
    return {"markdownDescription": f"{text} Default: not measured."}


def _known(metrics: Mapping[str, str]) -> str:
    return f"Metrics are {', '.join(metrics)}; {texts.OWN_METRICS}"


def _workflow_snippets() -> list[Schema]:
    action = "${3|fixit,regenerate,none|}"
    custom = {"type": "custom", "metrics": {"completeness": "${2:0.8}"}, "improvement_action": action}
    automatic = {
        "type": "automatic",
        "tolerance": "${2|low,medium,high|}",
        "metrics": ["${4:completeness}"],
        "improvement_action": action,
    }
    return [
        _snippet("custom workflow", texts.TYPES["custom"], custom),
        _snippet("automatic workflow", texts.TYPES["automatic"], automatic),
    ]


def _snippet(label: str, description: str, workflow: Schema) -> Schema:
    return {"label": label, "description": description, "body": {"${1:support-bot}": workflow}}
