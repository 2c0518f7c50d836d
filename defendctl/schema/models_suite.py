"""What the input of an event and a test suite may hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from defendctl.schema.fields import MAX_REPEATS, Item, Model, Text, Threshold, Version, Whole

Repeats = Annotated[int, Field(ge=1, le=MAX_REPEATS), Whole]


class EventInput(Model):
    """What `events submit` reads; `context` is checked in `submissions`. `x-` keys are taken out before."""

    schema_: str = Field("", alias="$schema")
    user_prompt: Text = ""
    system_prompt: Text = ""
    context: Any = None
    ground_truth: Text = ""
    model_output: str
    model_used: Text
    run_mode: Text = ""
    nametag: Text = ""
    model_input: Any = None  # a CaseInput, as the vendor's own requests hold it, in place of the first four


class SuiteFile(Model):
    """One document; each case is checked by itself in `suites`, with the defaults in it."""

    schema_: str = Field("", alias="$schema")
    version: Version
    defaults: Any = None
    tests: dict[str, Any]


class CaseDefaults(Model):
    """What cases leave out. `cost` is checked in `suites`."""

    workflow: Text = ""
    model_used: Text = ""
    run_mode: Text = ""
    repeats: Repeats = 1
    quorum: Repeats = 1
    tags: list[Item] = []
    cost: Any = None


class CaseInput(Model):
    """`context` is checked in `submissions`."""

    user_prompt: Text = ""
    system_prompt: Text = ""
    context: Any = None
    ground_truth: Text = ""


class Expect(Model):
    """A word alone stands for `result`."""

    result: Literal["flagged", "passes"] = "flagged"
    metrics: Annotated[dict[str, Literal["flagged", "passes"]], Field(min_length=1)] = {}
    scores: dict[str, Annotated[list[Threshold], Field(min_length=2, max_length=2)]] = {}
    improvement: Literal["improved", "failed", "not_required", "required"] = "improved"


class CaseEntry(CaseDefaults):
    workflow: Text
    model_used: Text
    input: CaseInput
    output: str
    expect: Expect
