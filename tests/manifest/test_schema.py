"""The committed schemas are those that the models give, and are made for editors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.manifest.schema import manifest_schema, project_schema, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = Path(__file__).parents[2] / "schemas"


@pytest.mark.parametrize(("name", "schema"), [("manifest", manifest_schema()), ("project", project_schema())])
def test_committed(name: str, schema: dict[str, Any]) -> None:
    file = SCHEMAS / f"{name}.schema.json"
    command = f"defendctl schema {name} --output schemas/{name}.schema.json"
    assert file.read_text(encoding="utf-8") == to_text(schema), f"run: {command}"


def parts(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from parts(child)


@pytest.mark.parametrize("schema", [manifest_schema(), project_schema()], ids=["manifest", "project"])
def test_made_for_editors(schema: dict[str, Any]) -> None:
    for part in parts(schema):
        assert not {"title", "default", "oneOf", "anyOf", "$ref"} & part.keys()
        assert len(part.get("enumDescriptions", ())) in (0, len(part.get("enum", ())))
        assert "errorMessage" not in part or "required" not in part
        assert "pattern" not in part or "patternErrorMessage" in part or part.get("type") == "string"


def test_every_key_is_described() -> None:
    workflow = manifest_schema()["properties"]["workflows"]["additionalProperties"]
    for name, field in workflow["properties"].items():
        assert field["markdownDescription"], name
        optional = name not in {*workflow["required"], "tolerance", "max_improvement_attempts"}
        assert ("Default: " in field["markdownDescription"]) == optional, name


def test_custom_metrics_are_metrics() -> None:
    custom, *_ = manifest_schema(["tone"])["properties"]["workflows"]["additionalProperties"]["allOf"]
    assert custom["then"]["properties"]["metrics"]["properties"]["tone"]["maximum"] == 1
