"""What a manifest and the project file may hold: the one source of validation and of the JSON Schema.

A workflow's model is chosen by its `type` in `validate`, for a union would put its tags into error paths.
Names of metrics, keys that exclude one another and repeated items are checked there too.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from defendctl.schema.fields import (
    Action,
    Item,
    Level,
    Model,
    Retries,
    RunMode,
    Text,
    Threshold,
    Unmanaged,
    Version,
    as_description,
    not_empty,
)


class Manifest(Model):
    """One document; keys that begin with `x-` are taken out before. Each waiver is checked by itself."""

    schema_: str = Field("", alias="$schema")
    version: Version
    defaults: Any = None
    workflows: dict[str, Any]
    waivers: list[Any] = []


class Overlay(Model):
    """One document of an overlay; what it holds is checked where it is laid over the rest."""

    schema_: str = Field("", alias="$schema")
    version: Version
    workflows: dict[str, Any] = {}
    waivers: list[Any] = []


class Import(Model):
    """A workflow that exists and is to be bound here."""

    workflow_id: Item


class File(Model):
    """A file of the repository that is to be searched; where it is and what it holds is seen to later."""

    path: Text


class Common(Model):
    """What every workflow may hold. An empty name stands for the address."""

    name: Text = ""
    description: Annotated[str, BeforeValidator(as_description)] = ""
    improvement_action: Action
    max_retries: Retries = 10
    max_improvement_attempts: Retries = 10  # the old name of max_retries
    web_search: bool = False
    context_awareness: bool = False
    file_search: list[Any] = []  # ids and Files, each checked by itself
    run_mode: RunMode = "precision"  # without it nothing is advised
    labels: dict[str, str] = {}
    unmanaged: list[Unmanaged] = []
    renamed_from: Item = ""
    import_: Import = Field(Import.model_construct(workflow_id="-"), alias="import")


class Custom(Common):
    type: Literal["custom"]
    metrics: Annotated[dict[str, Threshold], Field(min_length=1)]


class AutomaticList(Common):
    type: Literal["automatic"]
    tolerance: Level
    metrics: Annotated[list[str], Field(min_length=1)]


class AutomaticLevels(Common):
    type: Literal["automatic"]
    metrics: Annotated[dict[str, Level], Field(min_length=1)]


class Untyped(Common):
    """A workflow whose type is missing or wrong: the rest of it is still checked."""

    type: Literal["custom", "automatic"]
    tolerance: Level = "low"
    metrics: Annotated[Any, BeforeValidator(not_empty)]


OF_ONE_WORKFLOW = frozenset({"name", "renamed_from", "import"})
"""What would be wrong as a default, for no two workflows share it."""


class Defaults(Common):
    """What the workflows of a document leave out. Which metrics fit is seen where they are filled in."""

    type: Literal["custom", "automatic"] = "custom"
    tolerance: Level = "low"
    metrics: Annotated[Any, BeforeValidator(not_empty)] = None
    improvement_action: Action = "none"


Workflow = Custom | AutomaticList | AutomaticLevels | Untyped
