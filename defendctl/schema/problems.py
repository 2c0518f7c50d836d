"""What pydantic says about a value → a code, a place and a sentence for people."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from defendctl.diagnostics import suggest
from defendctl.model import LEVELS, MAX_RETRIES_LIMIT
from defendctl.schema.fields import MAX_COUNT, MAX_EVENTS, MAX_REPEATS
from defendctl.schema.models_policy import LEAST_CONFIDENCE, LEAST_RATE, MOST_CONFIDENCE, MOST_RATE
from defendctl.schema.texts import IN_OVERLAY, MISPLACED, MISSING, NO_FIELDS
from defendctl.yamltext.quote import found, kind_of, path_of, quoted
from defendctl.yamltext.report import LIMIT
from defendctl.yamltext.scalars import plain

if TYPE_CHECKING:
    from defendctl.yamltext.node import Document, KeyPath
    from defendctl.yamltext.report import Report


M = TypeVar("M", bound=BaseModel)

_EXPECTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number from 0 to 1",
    "finite_number": "a number from 0 to 1",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
_METRICS = {
    "Custom": "`metrics` of a custom workflow must be a mapping of metric to threshold, "
    "like `completeness: 0.8`",
    "AutomaticList": "`metrics` of an automatic workflow must be a list of metrics, or a mapping "
    "of metric to level",
}
_WORDS_OF_THE_API = {
    "threshold_type": "type",
    "automatic_tolerance": "tolerance",
    "automatic_hallucination_tolerance": "tolerance",
    "automatic_hallucination_tolerance_levels": "metrics",
    "automatic_hallucination_tolerance_values": "metrics",
    "custom_hallucination_threshold_values": "metrics",
    "max_improvement_attempt": "max_retries",
}
_OF_WORDS = frozenset({"bool_type", "int_type", "float_type", "finite_number"})
"""Kinds of fault where a word or a number stands, and no text."""
_SURE = 10
"""From here on a share was surely written in percent."""
_WITH_CONTENT = frozenset({"EventInput", "CaseInput", "LabelFile", "LabelEntry", "LabelWindow"})
_WITHOUT_DEFAULTS = frozenset({"File", "RuleEntry", "WaiverEntry"})
_SHARES = frozenset({"metrics", "min_threshold", "max_threshold_step", "max_flag_rate", "scores"})
_PARTS = {"rate": (LEAST_RATE, MOST_RATE), "confidence": (LEAST_CONFIDENCE, MOST_CONFIDENCE)}
_WHOLE = {
    **dict.fromkeys(("max_creates", "max_changes", "events"), (0, MAX_COUNT)),
    **dict.fromkeys(("last", "min_events"), (1, MAX_EVENTS)),
    **dict.fromkeys(("repeats", "quorum"), (1, MAX_REPEATS)),
}
_BOOLEANS = {"yes": "true", "on": "true", "no": "false", "off": "false"}


MAX_ITEMS = 10_000
"""In one list or mapping, the workflows aside: pydantic makes an error of each before we can stop."""


def check(model: type[M], data: Any, at: KeyPath, document: Document, report: Report) -> M | None:
    """The model of the data at `at`, or None with everything that is wrong in the report."""
    if isinstance(data, dict) and not _few(model, data, at, document, report):
        return None
    try:
        return model.model_validate(_without_most(model, data))
    except ValidationError as invalid:
        for error in invalid.errors(include_url=False):
            _tell(model, dict(error), at, document, report)
        return None


def _few(
    model: type[BaseModel], data: dict[str, Any], at: KeyPath, document: Document, report: Report
) -> bool:
    few = True
    for key, value in data.items():
        if key != "workflows" and isinstance(value, list | dict) and len(value) > MAX_ITEMS:
            message = f"{_key(model, key)} holds more than {MAX_ITEMS:,} items, the most that is read."
            report.error("too-many-items", message, document.span((*at, key), key=True))
            few = False
    return few


def _without_most(model: type[BaseModel], data: Any) -> Any:
    """Without all but so many unknown keys as the report takes."""
    if not isinstance(data, dict) or len(data) <= LIMIT:
        return data
    known = set(known_keys(model))
    unknown = islice((key for key in data if key not in known), LIMIT)
    return {key: data[key] for key in (*(known & data.keys()), *unknown)}


def _tell(
    model: type[BaseModel], error: dict[str, Any], at: KeyPath, document: Document, report: Report
) -> None:
    kind, loc = error["type"], error["loc"]
    path = (*at, *loc)
    if kind == "missing":
        code, message = "missing-key", _missing(model, loc, at)
        report.error(code, message, document.span(path[:-1], key=True))
    elif kind == "extra_forbidden":
        code, message = _unknown(model, loc)
        report.error(code, message, document.span(path, key=True))
    else:
        code, message = _wrong(model, error, at)
        report.error(code, message, document.span(path))


def _missing(model: type[BaseModel], loc: KeyPath, at: KeyPath) -> str:
    around = (*at, *loc[:-1])
    where = _name(around[-2:] if isinstance(around[-1], int) else around[-1:]) if around else "This document"
    ending = MISSING.get(".".join(map(str, loc)), MISSING.get(str(loc[-1]), "add it."))
    return f"{where} lacks `{loc[-1]}`: {ending}"


def _unknown(outer: type[BaseModel], loc: KeyPath) -> tuple[str, str]:
    key = str(loc[-1])
    model = _inner(outer, loc[:-1])
    if key == "tolerance" and model.__name__ in MISPLACED:
        return "key-not-for-type", MISPLACED[model.__name__]
    if key == "defaults" and model.__name__ == "Overlay":
        return "key-not-for-type", IN_OVERLAY
    if key.startswith("x-"):
        return "unknown-key", f"{_key(model, key)} is allowed at the top of a document only."
    return "unknown-key", f"The key {_key(model, key)} is not known here.{_what_instead(model, key)}"


def _what_instead(model: type[BaseModel], key: str) -> str:
    known = known_keys(model)
    ours = _WORDS_OF_THE_API.get(key)
    if ours in known:
        return f" It is called `{ours}` here."
    if ours == "tolerance" and model.__name__ in MISPLACED:
        return f" It is called `tolerance` here. {MISPLACED[model.__name__]}"
    if key in NO_FIELDS and "improvement_action" in known:
        return f" {NO_FIELDS[key]}"
    return suggest(key, known)


def _key(model: type[BaseModel], key: str) -> str:
    """Where prompts stand, a line of one may be taken for a key: only one that is nearly ours is named."""
    known = known_keys(model)
    hidden = model.__name__ in _WITH_CONTENT and key not in known and not suggest(key, known)
    return "`…`" if hidden else quoted(key)


def known_keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _inner(model: type[BaseModel], loc: KeyPath) -> type[BaseModel]:
    """The model in it at `loc`."""
    for step in loc:
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        inner = fields[str(step)].annotation
        assert isinstance(inner, type)
        assert issubclass(inner, BaseModel)
        model = inner
    return model


def _wrong(model: type[BaseModel], error: dict[str, Any], at: KeyPath) -> tuple[str, str]:
    """Code and message for a value that stands where it may but is not what it should be."""
    kind, loc, value = error["type"], error["loc"], error["input"]
    name = _name(loc or (at[-2:] if isinstance(at[-1], int) else at[-1:]))
    if loc == ("version",):
        quotes = " Write it without quotes." if value == "1" else ""
        said = kind_of(value) if isinstance(value, str) else found(value)
        return "invalid-value", f"`version` must be 1, the only one there is, found {said}.{quotes}"
    if loc == ("metrics",):
        return _metrics(model, value)
    if loc[:1] == ("metrics",) and kind in ("float_type", "literal_error"):
        return _metric_value(kind, name, value)
    if loc == ("expires",):
        return "invalid-value", f"`expires` must be a date like 2031-12-31, found {found(value)}."
    if kind == "literal_error":
        return "invalid-value", _choice(name, error["ctx"]["expected"], value)
    if kind in ("less_than_equal", "greater_than_equal"):
        percent = _percent(value) if _is_share(loc) and 2 <= value <= 100 else ""
        return "out-of-range", f"{name} must be {_range(loc)}, found {found(value)}.{percent}"
    if kind == "string_pattern_mismatch" and loc[-1:] in (("reason",), ("approver",)) and value.strip():
        return "placeholder", f"{name} still holds a placeholder: put your own words there."
    if kind == "string_too_long":
        most = error["ctx"]["max_length"]
        return "out-of-range", f"{name} must not have more than {most} characters, found {len(value)}."
    if kind in ("string_pattern_mismatch", "string_too_short", "too_short") and loc[1:2] != ("scores",):
        has_default = isinstance(loc[-1], str) and model.__name__ not in _WITHOUT_DEFAULTS
        hint = " Leave the key out for the default." if has_default else ""
        return "invalid-value", f"{name} must not be {'blank' if value else 'empty'}.{hint}"
    if loc[:2] == ("expect", "scores") and kind in ("too_short", "too_long"):
        return "wrong-type", f"{name} must be a list of two numbers, like [0, 0.5], found {kind_of(value)}."
    if loc[:1] == ("metrics",) and kind == "string_type":
        return "wrong-type", f"{name} must be the name of a metric, found {kind_of(value)}."
    said = found(value) if kind in _OF_WORDS else kind_of(value)
    return "wrong-type", f"{name} must be {_EXPECTED[kind]}, found {said}.{_hint(kind, value)}"


def _name(loc: KeyPath) -> str:
    words = path_of(step for step in loc if isinstance(step, str))
    return f"An item of {words}" if isinstance(loc[-1], int) else words


def _is_share(loc: KeyPath) -> bool:
    return not _SHARES.isdisjoint(loc) or loc[-1] in _PARTS


def _range(loc: KeyPath) -> str:
    if _is_share(loc):
        least, most = _PARTS.get(str(loc[-1]), (0, 1))
        return f"a number from {least:g} to {most:g}"
    fewest, greatest = _WHOLE.get(str(loc[-1]), (0, MAX_RETRIES_LIMIT))
    return f"a whole number from {fewest} to {greatest}"


def _metrics(model: type[BaseModel], value: Any) -> tuple[str, str]:
    if value is None or value in ([], {}):
        return "empty-metrics", "`metrics` is empty, so nothing would be guarded; name at least one metric."
    if model.__name__ == "Custom" and isinstance(value, list):
        return "wrong-type", f"{_METRICS['Custom']}; a list belongs to `type: automatic`."
    return "wrong-type", f"{_METRICS[model.__name__]}, found {kind_of(value)}."


def _metric_value(kind: str, name: str, value: Any) -> tuple[str, str]:
    if kind == "float_type":
        belongs = " Levels belong to `type: automatic`." if value in LEVELS else _hint(kind, value)
        return "wrong-type", f"{name} must be a number from 0 to 1, found {found(value)}.{belongs}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        belongs = "Thresholds belong to `type: custom`."
        return "wrong-type", f"{name} must be low, medium or high, found {found(value)}. {belongs}"
    return "invalid-value", _choice(name, "'low', 'medium' or 'high'", value)


def _percent(value: float) -> str:
    """Of a few, somebody may have meant anything: a threshold of 0.02 guards nothing."""
    meant = f" Write {value / 100:g}."
    return meant if value >= _SURE else f" If {value:g} % is meant, write {value / 100:g}."


def _choice(name: str, expected: str, value: Any) -> str:
    words = expected.replace("'", "")
    near = suggest(value, words.replace(" or ", ", ").split(", ")) if isinstance(value, str) else ""
    said = found(value) if isinstance(value, str) else kind_of(value)
    return f"{name} must be {words}, found {said}.{near}"


def _hint(kind: str, value: Any) -> str:
    """What would make the value right, where one small thing would."""
    if value is None and kind in ("string_type", "bool_type", "int_type", "list_type"):
        return " Leave the key out for the default."
    if kind == "string_type" and isinstance(value, bool | int | float):
        return " Put it in quotes if it is text."
    if kind == "bool_type" and isinstance(value, str) and value.lower() in _BOOLEANS:
        return f" Write {_BOOLEANS[value.lower()]}."
    if not isinstance(value, str) or kind not in ("bool_type", "int_type", "float_type") or len(value) > 60:
        return ""
    return "" if isinstance(plain(value), str) else " Write it without quotes."
