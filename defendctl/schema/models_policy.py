"""What a policy, a rule and a waiver may hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from defendctl.schema.fields import (
    MAX_EVENTS,
    NO_PLACEHOLDER,
    NOT_BLANK,
    Count,
    Item,
    Level,
    Model,
    Retries,
    Text,
    Threshold,
    Version,
    Whole,
)

LEAST_RATE, MOST_RATE = 0.001, 0.999
LEAST_CONFIDENCE, MOST_CONFIDENCE = 0.5, 0.9999
"""No number of events is sure of a rate of nothing, or of all that could ever be."""
RULE_ID = r"[a-z]([a-z0-9._-]{0,61}[a-z0-9])?"


class WaiverEntry(Model):
    """One change of one field that somebody lets pass. What its texts say is checked in `waivers`."""

    address: Item
    rule: Item
    field: Item
    to: Any = None
    reason: Annotated[str, Field(pattern=NO_PLACEHOLDER, max_length=500)]
    approver: Annotated[str, Field(pattern=NO_PLACEHOLDER, max_length=200)]
    expires: str


class Capabilities(Model):
    """The state that is demanded; a capability that is not named may be either."""

    web_search: bool = False
    context_awareness: bool = False
    file_search: bool = False


class Select(Model):
    addresses: Annotated[list[Text], Field(min_length=1)] = ["*"]
    labels: Annotated[dict[str, str], Field(min_length=1)] = {}


class RuleEntry(Model):
    """One rule of a policy; that it holds exactly one check, and knows its metrics, is checked in
    `rule_checks`, and so is `max_flag_rate`, which is a PlainRate or an ExactRate."""

    id: str
    level: Literal["warn", "deny"]
    message: Annotated[str, Field(pattern=NOT_BLANK, max_length=500)] = ""
    select: Select = Select.model_construct()
    min_threshold: Annotated[dict[str, Threshold], Field(min_length=1)] = {}
    require_metrics: Annotated[list[str], Field(min_length=1)] = []
    allow_types: Annotated[list[Literal["custom", "automatic"]], Field(min_length=1)] = []
    allow_tolerances: Annotated[list[Level], Field(min_length=1)] = []
    allow_improvement_actions: Annotated[
        list[Literal["fixit", "regenerate", "none"]], Field(min_length=1)
    ] = []
    min_retries: Retries = 0
    max_retries: Retries = 0
    capabilities: Capabilities = Capabilities.model_construct()
    no_loosening: bool = True
    no_indeterminate: bool = True
    max_threshold_step: Threshold = 0
    no_retire: bool = True
    max_creates: Count = 0
    max_changes: Count = 0
    max_flag_rate: Any = 0


class PlainRate(Model):
    """The greatest share of the events that were looked at."""

    max_flag_rate: Threshold


class ExactRate(Model):
    """The greatest rate of all events like them, and how sure that must be."""

    rate: Annotated[float, Field(ge=LEAST_RATE, le=MOST_RATE, allow_inf_nan=False)]
    confidence: Annotated[float, Field(ge=LEAST_CONFIDENCE, le=MOST_CONFIDENCE, allow_inf_nan=False)]


class ReplaySection(Model):
    last: Annotated[int, Field(ge=1, le=MAX_EVENTS), Whole] = 50
    min_events: Annotated[int, Field(ge=1, le=MAX_EVENTS), Whole] = 20


class PolicySection(Model):
    include: list[Text] = []
    replay: ReplaySection = ReplaySection.model_construct()
    rules: list[Any] = []


class PolicyFile(Model):
    """A file that `policy.include` names; keys that begin with `x-` are taken out before."""

    schema_: str = Field("", alias="$schema")
    version: Version
    rules: list[Any]
