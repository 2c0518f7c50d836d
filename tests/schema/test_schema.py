"""The committed schemas are those that the models give, and are made for editors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.render import own
from defendctl.schema.editor import manifest_schema, overlay_schema, policy_schema, project_schema, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = [manifest_schema(), overlay_schema(), project_schema(), policy_schema()]
SCHEMAS = Path(__file__).parents[2] / "schemas"


@pytest.mark.parametrize(
    ("name", "schema"),
    [("manifest", manifest_schema()), ("overlay", overlay_schema()), ("project", project_schema())],
)
def test_committed(name: str, schema: dict[str, Any]) -> None:
    file = SCHEMAS / f"{name}.schema.json"
    command = f"defendctl schema {name} --output schemas/{name}.schema.json"
    assert file.read_text(encoding="utf-8") == to_text(schema), f"run: {command}"


@pytest.mark.parametrize("file", sorted(SCHEMAS.glob("*.json")), ids=lambda file: file.name)
def test_a_newer_one_may_take_its_place(file: Path) -> None:
    assert own.schema("schema", file.read_text(encoding="utf-8"))


def parts(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from parts(child)


@pytest.mark.parametrize("schema", ALL)
def test_made_for_editors(schema: dict[str, Any]) -> None:
    for part in parts(schema):
        assert not {"title", "default", "oneOf", "anyOf", "$ref"} & part.keys()
        assert len(part.get("enumDescriptions", ())) in (0, len(part.get("enum", ())))
        if "required" in part and "errorMessage" in part:
            assert part.keys() == {"required", "errorMessage"}, "it would replace other messages"
            assert len(part["required"]) == 1
        assert "pattern" not in part or "patternErrorMessage" in part or part.get("type") == "string"


def without_conditions(node: Any) -> Any:
    """Nobody is told that an `if` does not hold, and snippets are no schemas."""
    if isinstance(node, dict):
        kept = node.keys() - {"if", "defaultSnippets"}
        return {key: without_conditions(node[key]) for key in kept}
    return [without_conditions(item) for item in node] if isinstance(node, list) else node


@pytest.mark.parametrize("schema", ALL)
def test_every_fault_has_a_sentence(schema: dict[str, Any]) -> None:
    for part in parts(without_conditions(schema)):
        if isinstance(part.get("type"), str | list) or isinstance(part.get("required"), list):
            assert "errorMessage" in part, part


@pytest.mark.parametrize("schema", ALL)
def test_every_key_is_described_with_its_default(schema: dict[str, Any]) -> None:
    described = [item for part in parts(schema) for item in part.get("properties", {}).items()]
    for name, field in described:
        text = field.get("markdownDescription", "Required") if field else "Required"
        assert "Default: " in text or "equired" in text, name


def test_custom_metrics_are_metrics() -> None:
    whole, *_ = manifest_schema(["tone"])["allOf"]
    custom, *_ = whole["else"]["properties"]["workflows"]["additionalProperties"]["allOf"]
    assert custom["then"]["properties"]["metrics"]["properties"]["tone"]["maximum"] == 1
