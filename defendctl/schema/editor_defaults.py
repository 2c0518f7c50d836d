"""What a document with `defaults:` asks of its workflows, for editors.

A rule here says: where `defaults` are so and the workflow itself is so, this must hold too. The type that a
workflow has may be its own or that of `defaults`. Whether the metrics of `defaults` fit a workflow that has
another type than they were meant for is seen by `validate` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from defendctl.schema import texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


Schema = dict[str, Any]
Rule = tuple[list[Schema], list[Schema], Schema]
"""What holds of `defaults`, what of a workflow, and what the workflow must be then."""

_EMPTY = "`metrics` is empty, so nothing would be guarded; name at least one metric."
_LIST, _MAPPING = {"type": "array"}, {"type": "object"}


def rules_of_defaults(metrics: Mapping[str, str], thresholds: Schema, levels: Schema) -> list[Schema]:
    """`thresholds` and `levels`: what the metrics of each type may be where null removes one."""
    return [
        _condition(*rule)
        for rules in (
            _required(),
            _fitting(thresholds, levels),
            _tolerances(),
            _lists(),
            _nulls(metrics),
        )
        for rule in rules
    ]


def _condition(defaults: Iterable[Schema], workflow: list[Schema], then: Schema) -> Schema:
    given = {"required": ["defaults"], "properties": {"defaults": {"allOf": [_MAPPING, *defaults]}}}
    each = {"if": {"allOf": workflow}, "then": then} if workflow else then
    return {"if": given, "then": {"properties": {"workflows": {"additionalProperties": each}}}}


def _has(key: str, value: Schema | None = None) -> Schema:
    return {"required": [key], "properties": {key: value}} if value else {"required": [key]}


def _lacks(key: str, value: Schema | None = None) -> Schema:
    return {"not": _has(key, value)}


def _is(name: str) -> Schema:
    return _has("type", {"const": name})


def _of_type(name: str) -> list[tuple[list[Schema], list[Schema]]]:
    """Where a workflow says so itself, and where `defaults` say it."""
    return [([], [_is(name)]), ([_is(name)], [_lacks("type")])]


def _required() -> Iterator[Rule]:
    for key in ("type", "metrics", "improvement_action"):
        yield [_lacks(key)], [], {"required": [key]}
    some = {"minItems": 1, "minProperties": 1, "errorMessage": _EMPTY}
    yield [_lacks("metrics")], [], {"properties": {"metrics": some}}
    texts_alone = {"additionalProperties": {"type": "string", "errorMessage": "`defaults` have no labels."}}
    yield [_lacks("labels")], [], {"properties": {"labels": texts_alone}}


def _fitting(thresholds: Schema, levels: Schema) -> Iterator[Rule]:
    for name, shape in (("custom", thresholds), ("automatic", levels)):
        for defaults, workflow in _of_type(name):
            yield defaults, workflow, {"properties": {"metrics": shape}}
    numbers, words = (
        _has("metrics", {**_MAPPING, "not": {"additionalProperties": {"type": one}}})
        for one in ("string", "number")
    )
    for name, below in (("custom", words), ("custom", _has("metrics", _LIST)), ("automatic", numbers)):
        said = f"`metrics` is missing: those of `defaults` do not fit `type: {name}`."
        for defaults, workflow in _of_type(name):
            own = {"required": ["metrics"], "errorMessage": said}
            yield [*defaults, below], workflow, {"allOf": [own]}


def _tolerances() -> Iterator[Rule]:
    for defaults, workflow in _of_type("custom"):
        yield [*defaults, _lacks("metrics", _LIST)], workflow, _without_tolerance("Custom")
    needed = {"required": ["tolerance"]}
    for defaults, workflow in _of_type("automatic"):
        mapped = [*workflow, _has("metrics", _MAPPING)]
        yield [*defaults, _lacks("metrics", _LIST)], mapped, _without_tolerance("AutomaticLevels")
        listed = [*workflow, _has("metrics", _LIST)]
        yield [*defaults, _lacks("tolerance"), _lacks("metrics", _MAPPING)], listed, needed
        unsaid = [*workflow, _lacks("metrics")]
        yield [*defaults, _lacks("tolerance"), _has("metrics", _LIST)], unsaid, needed


def _without_tolerance(model: str) -> Schema:
    return {"properties": {"tolerance": False}, "errorMessage": texts.MISPLACED[model]}


def _lists() -> Iterator[Rule]:
    listed = [_has("metrics", _LIST), _lacks("tolerance")]
    some = {"minItems": 1, "errorMessage": _EMPTY}
    yield [_has("metrics", _MAPPING)], [], {"properties": {"metrics": some}}
    mapping = {"type": "object", "errorMessage": f"{texts.LIST_OVER_MAPPING}."}
    yield [_has("metrics", _MAPPING), _lacks("tolerance")], listed, {"properties": {"metrics": mapping}}


def _nulls(metrics: Mapping[str, str]) -> Iterator[Rule]:
    for name in metrics:
        listed = {"type": "array", "contains": {"const": name}}
        absent = [_lacks("metrics", {**_MAPPING, "required": [name]}), _lacks("metrics", listed)]
        said = {
            "type": ["number", "string"],
            "errorMessage": f"There is no metric `{name}` to remove here.",
        }
        yield absent, [_has("metrics", _MAPPING)], {"properties": {"metrics": {"properties": {name: said}}}}
