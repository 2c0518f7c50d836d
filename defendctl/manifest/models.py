"""What a manifest and the project file may hold: the one source of validation and of the JSON Schema.

A workflow's model is chosen by its `type` in `validate`, for a union would put its tags into error paths.
Names of metrics, keys that exclude one another and repeated items are checked there too.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from defendctl.model import MAX_RETRIES_LIMIT

OLD_ACTIONS = {"regen": "regenerate", "do_nothing": "none", None: "none"}
NOT_BLANK = r"[^\s\u001c-\u001f\u0085\ufeff]"
"""Written out, because the engines behind Python, Rust and editors differ in what `\\s` is."""


def _whole(value: Any) -> Any:
    """5.0 is an integer, as in JSON Schema."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _action(value: Any) -> Any:
    return OLD_ACTIONS.get(value, value) if value is None or isinstance(value, str) else value


def _description(value: Any) -> Any:
    return "" if value is None else value


def _not_empty(value: Any) -> Any:
    if value is None or value in ([], {}):
        raise ValueError("empty")
    return value


def _positive_zero(value: float) -> float:
    return value + 0.0


Whole = BeforeValidator(_whole)
Version = Annotated[int, Field(ge=1, le=1), Whole]  # a Literal would take true
Text = Annotated[str, Field(pattern=NOT_BLANK)]
Item = Annotated[str, Field(min_length=1)]
Level = Literal["low", "medium", "high"]
Threshold = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), AfterValidator(_positive_zero)]
Retries = Annotated[int, Field(ge=0, le=MAX_RETRIES_LIMIT), Whole]
Action = Annotated[Literal["fixit", "regenerate", "none"], BeforeValidator(_action)]


class Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Manifest(Model):
    """One document; keys that begin with `x-` are taken out before."""

    schema_: str = Field("", alias="$schema")
    version: Version
    workflows: dict[str, Any]


class Common(Model):
    """What every workflow may hold. An empty name stands for the address."""

    name: Text = ""
    description: Annotated[str, BeforeValidator(_description)] = ""
    improvement_action: Action
    max_retries: Retries = 10
    max_improvement_attempts: Retries = 10  # the old name of max_retries
    web_search: bool = False
    context_awareness: bool = False
    file_search: list[Item] = []


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
    metrics: Annotated[Any, BeforeValidator(_not_empty)]


Workflow = Custom | AutomaticList | AutomaticLevels | Untyped


class Api(Model):
    base_url: Text = ""
    generation: Literal["auto", "2025-10-07", "2025-10-22", "2025-11-10", "2025-12-07"] = "auto"


class State(Model):
    path: Text = "defendctl.state.json"
    lineage: Text = ""


LintLevel = Literal["error", "warning", "ignore"]
"""`off` would be false to a reader of YAML 1.1."""


class Lint(Model):
    """How grave each finding of `lint` is."""

    correctness_in_automatic: LintLevel = Field("warning", alias="correctness-in-automatic")
    replay_no_context: LintLevel = Field("warning", alias="replay-no-context")
    replay_no_ground_truth: LintLevel = Field("warning", alias="replay-no-ground-truth")
    replay_super_fast_search: LintLevel = Field("warning", alias="replay-super-fast-search")
    retries_without_action: LintLevel = Field("warning", alias="retries-without-action")
    retries_zero: LintLevel = Field("warning", alias="retries-zero")
    same_name: LintLevel = Field("warning", alias="same-name")
    threshold_one: LintLevel = Field("warning", alias="threshold-one")
    threshold_zero: LintLevel = Field("warning", alias="threshold-zero")


class ProjectFile(Model):
    """`defendctl.yaml`; keys that begin with `x-` are taken out before."""

    schema_: str = Field("", alias="$schema")
    version: Version
    manifests: Annotated[list[Text], Field(min_length=1)] = ["workflows"]
    api: Api = Api()
    state: State = State()
    custom_metrics: list[Text] = []
    lint: Lint = Lint.model_validate({})
