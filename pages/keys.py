"""A page for each kind of file, from its JSON Schema: every key, where it stands, and what it means."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from defendctl.operations.schema import schema
from pages.markdown import code, prose, table

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS: Final = {
    "manifest": "a manifest, as it lies under `workflows/`. In words: [Manifests](../manifests.md).",
    "overlay": "an overlay of an environment. In words: [Environments](../../how-to/environments.md).",
    "project": "`defendctl.yaml`. In words: [The project file](../project-file.md).",
    "policy": "a file that `policy.include` names. In words: [Policies](../../how-to/policy.md).",
    "tests": "a file that `tests:` names. In words: [Tests](../../how-to/tests.md).",
    "labels": "a file that `labels:` names. In words: [Labels](../../labels.md).",
    "plan": "what `plan --format json` prints and `plan --out` writes. It is read, never written by hand.",
}


def pages() -> dict[str, str]:
    """`reference/keys/KIND.md` → text."""
    return {f"reference/keys/{kind}.md": _page(kind) for kind in KINDS}


def keys(kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Each key as a path (`workflows.NAME.metrics`) with its schema, in the order of the schema."""
    whole = json.loads(schema(kind))
    return list(dict(_below(whole, whole, "", ())).items())


def _page(kind: str) -> str:
    rows = [[code(path), _type(part), _meaning(part)] for path, part in keys(kind)]
    return (
        f"# Keys of {kind} files\n\nEvery key of {KINDS[kind]}\n"
        "`NAME` stands for a name of yours, `[]` for each "
        f"item of a list. `defendctl schema {kind}` prints the JSON Schema.\n\n"
        + table(["key", "is", "meaning"], rows)
    )


def _below(
    whole: dict[str, Any], part: dict[str, Any], path: str, seen: tuple[str, ...]
) -> Iterator[tuple[str, dict[str, Any]]]:
    reference = part.get("$ref", "")
    if reference in seen:
        return
    if reference:
        part, seen = whole["definitions"][reference.rpartition("/")[2]], (*seen, reference)
    for name, value in part.get("properties", {}).items():
        inner = f"{path}.{name}" if path else name
        yield inner, value
        yield from _below(whole, value, inner, seen)
    for value in [part.get("additionalProperties"), *part.get("patternProperties", {}).values()]:
        if isinstance(value, dict):
            yield from _below(whole, value, f"{path}.NAME" if path else "NAME", seen)
    if isinstance(part.get("items"), dict):
        yield from _below(whole, part["items"], f"{path}[]", seen)
    for choice in [*part.get("anyOf", []), *part.get("oneOf", [])]:
        yield from _below(whole, choice, path, seen)


def _type(part: dict[str, Any]) -> str:
    if "const" in part:
        return code(json.dumps(part["const"]))
    if "enum" in part:
        return ", ".join(code(one if isinstance(one, str) else json.dumps(one)) for one in part["enum"])
    if "$ref" in part:
        return "object"
    kinds = part.get("type") or [_type(one) for one in part.get("anyOf", part.get("oneOf", []))]
    return ", ".join([kinds] if isinstance(kinds, str) else dict.fromkeys(kinds))


def _meaning(part: dict[str, Any]) -> str:
    return prose(part.get("markdownDescription") or part.get("description") or "")
