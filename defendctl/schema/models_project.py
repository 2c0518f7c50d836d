"""What the project file may hold, but for its policy."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from defendctl.schema.fields import Model, Text, Version
from defendctl.schema.models_policy import PolicySection


class Api(Model):
    base_url: Text = ""
    key_variable: Text = "DEEPRAILS_API_KEY"
    generation: Literal["auto", "2025-10-07", "2025-10-22", "2025-11-10", "2025-12-07"] = "auto"
    uploads: bool = False


class StateSection(Model):
    path: Text = "defendctl.state.json"
    url: Text = ""
    lineage: Text = ""
    options: dict[str, Text] = {}


LintLevel = Literal["error", "warning", "ignore"]
"""`off` would be false to a reader of YAML 1.1."""


class Lint(Model):
    """How grave each finding of `lint` is."""

    correctness_in_automatic: LintLevel = Field("warning", alias="correctness-in-automatic")
    import_for_all: LintLevel = Field("warning", alias="import-for-all")
    replay_no_context: LintLevel = Field("warning", alias="replay-no-context")
    replay_no_ground_truth: LintLevel = Field("warning", alias="replay-no-ground-truth")
    replay_super_fast_search: LintLevel = Field("warning", alias="replay-super-fast-search")
    retries_without_action: LintLevel = Field("warning", alias="retries-without-action")
    retries_zero: LintLevel = Field("warning", alias="retries-zero")
    run_mode_of_generation: LintLevel = Field("warning", alias="run-mode-of-generation")
    run_mode_without_search: LintLevel = Field("warning", alias="run-mode-without-search")
    same_name: LintLevel = Field("warning", alias="same-name")
    threshold_one: LintLevel = Field("warning", alias="threshold-one")
    threshold_zero: LintLevel = Field("warning", alias="threshold-zero")
    unpinned_state: LintLevel = Field("warning", alias="unpinned-state")


class StateOfEnvironment(StateSection):
    path: Text = ""


class Environment(Model):
    """One of `environments:`; what it leaves out is as at the top, but for the state, which is its own."""

    api: Api = Api.model_construct()
    state: StateOfEnvironment = StateOfEnvironment.model_construct()
    policy: PolicySection = PolicySection.model_construct()
    overlays: list[Text] = []


class ProjectFile(Model):
    """`defendctl.yaml`; keys that begin with `x-` are taken out before."""

    schema_: str = Field("", alias="$schema")
    version: Version
    manifests: Annotated[list[Text], Field(min_length=1)] = ["workflows"]
    tests: list[Text] = []
    labels: list[Text] = []
    api: Api = Api.model_construct()
    state: StateSection = StateSection.model_construct()
    custom_metrics: list[Text] = []
    lint: Lint = Lint.model_construct()
    policy: PolicySection = PolicySection.model_construct()
    environments: Annotated[dict[str, Any], Field(min_length=1)] = {}
