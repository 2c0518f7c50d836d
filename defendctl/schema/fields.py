"""The types that fields of every kind of file share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from defendctl.model import MAX_RETRIES_LIMIT

OLD_ACTIONS = {"regen": "regenerate", "do_nothing": "none", None: "none"}
NOT_BLANK = r"[^\s\u001c-\u001f\u0085\ufeff]"
"""Written out, because the engines behind Python, Rust and editors differ in what `\\s` is."""
NO_PLACEHOLDER = r"^[^<\s\u001c-\u001f\u0085\ufeff]"
"""The waivers we write hold `<what to put here>`, and must not be taken with it."""
LABEL_KEY = r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
LABEL_VALUE = r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?"
"""As Kubernetes has them."""
MAX_LABELS = 32

MAX_COUNT = 1_000_000
MAX_EVENTS = 10_000
MAX_REPEATS = 20


def _whole(value: Any) -> Any:
    """5.0 is an integer, as in JSON Schema."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _action(value: Any) -> Any:
    return OLD_ACTIONS.get(value, value) if value is None or isinstance(value, str) else value


def as_description(value: Any) -> Any:
    return "" if value is None else value


def not_empty(value: Any) -> Any:
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
Count = Annotated[int, Field(ge=0, le=MAX_COUNT), Whole]

Unmanaged = Literal["description", "max_retries", "web_search", "context_awareness", "file_search"]
"""What may be left to the console: exactly the fields with a default, for they alone need not be sent."""
Action = Annotated[Literal["fixit", "regenerate", "none"], BeforeValidator(_action)]


RunMode = Literal[
    "precision_plus",
    "precision",
    "smart",
    "economy",
    "precision_plus_codex",
    "ultra_fast",
    "super_fast",
    "fast",
    "precision_codex",
    "precision_max",
    "precision_max_codex",
]
"""`model.NEWEST_RUN_MODES`, as a type."""


class Model(BaseModel):
    """Its validator is built when it is first asked for: a run needs few of them. A default that is a model
    itself is made by `model_construct`, which asks for none."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)
