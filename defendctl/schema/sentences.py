"""Our sentences, put into a schema for every fault that an editor can find with it.

yaml-language-server takes `errorMessage` for a wrong type, value or key and for one that is missing; but
one for a node, so each required key gets a part of its own. For ranges, counts and repeated items it has only
its own words. Ours stand beside them, as the `deprecationMessage` of an `else`: other readers ignore it.
"""

from __future__ import annotations

from typing import Any

from defendctl.schema.texts import MISSING, NOUNS

Schema = dict[str, Any]

_COUNTS = ("minimum", "maximum", "minItems", "maxItems", "minProperties", "maxProperties", "maxLength")
_MEASURES = (*_COUNTS, "uniqueItems")
_TYPES = {"string": "text", "boolean": "true or false", "integer": "a whole number", "number": "a number"}
_TYPES |= {"array": "a list", "object": "a mapping", "null": "null"}


def spoken(schema: Schema, noun: str) -> Schema:
    """The schema with a sentence wherever there can be one. `noun` begins those about the whole document."""
    node = dict(schema)
    for key in node.get("required", ()):
        _call_required(node, key)
    _children(node, noun)
    if node.get("minLength") == 1:  # the server has its own words for a length, and takes ours for a pattern
        del node["minLength"]
        node = {"pattern": "[\\s\\S]", "patternErrorMessage": f"{noun} must not be empty.", **node}
    if "type" in node or "enum" in node or "const" in node:
        node.setdefault("errorMessage", _sentence(node, noun))
    measures = {key: node[key] for key in _MEASURES if key in node}
    if measures and "errorMessage" in node:
        node |= {"if": measures, "else": {"deprecationMessage": node["errorMessage"]}}
    if "required" in node and ("type" in node or "errorMessage" not in node):
        node["allOf"] = [*node.get("allOf", ()), *map(_lacking, node.pop("required"))]
    return node


def _children(node: Schema, noun: str) -> None:
    """Conditions stay as they are: nobody is told what they do not hold."""
    for name, child in node.get("properties", {}).items():
        if isinstance(child, dict):
            node["properties"] = {**node["properties"], name: spoken(child, f"`{name}`")}
    name = noun.strip("`")
    for key, words in (("items", "An item of"), ("additionalProperties", "A value of")):
        if isinstance(node.get(key), dict):
            node[key] = spoken(node[key], NOUNS.get(name, f"{words} {noun}"))
    for key in ("then", "else"):
        if key in node:
            node[key] = spoken(node[key], noun)
    if "allOf" in node:
        node["allOf"] = [spoken(part, noun) for part in node["allOf"]]


def _call_required(node: Schema, key: str) -> None:
    """Editors do not show it by themselves."""
    text = node.get("properties", {}).get(key, {}).get("markdownDescription", "Required")
    if "Required" not in text:
        text = text.removesuffix(" Default: none.")
        described = {**node["properties"][key], "markdownDescription": f"{text} Required."}
        node["properties"] = {**node["properties"], key: described}


def _lacking(key: str) -> Schema:
    return {"required": [key], "errorMessage": f"`{key}` is missing: {MISSING.get(key, 'add it.')}"}


def _sentence(node: Schema, noun: str) -> str:
    if "const" in node:
        return f"{noun} must be {_shown(node['const'])}."
    if "enum" in node:
        return f"{noun} must be {_either([_shown(value) for value in node['enum']])}."
    if node.get("additionalProperties") is False:
        keys = ", ".join(f"`{key}`" for key in node["properties"])
        empty = " that is not empty," if "minProperties" in node else ""
        return f"{noun} must be a mapping{empty} of these keys alone: {keys}."
    types = node["type"] if isinstance(node["type"], list) else [node["type"]]
    return f"{noun} must be {_either([_TYPES[name] for name in types])}{_bounds(node)}."


def _bounds(node: Schema) -> str:
    if "minimum" in node:
        return f" from {node['minimum']} to {node['maximum']}"
    least = node.get("minItems", node.get("minProperties", 0))
    words = ["" if not least else "that is not empty"]
    words += [f"of {node['maxProperties']} keys at most"] if "maxProperties" in node else []
    words += [f"of {node['maxLength']} characters at most"] if "maxLength" in node else []
    words += ["without repeated items"] if node.get("uniqueItems") else []
    said = " and ".join(word for word in words if word)
    return f" {said}" if said else ""


def _shown(value: Any) -> str:
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _either(words: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
