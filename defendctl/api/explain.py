"""What a refusal shows of the API's own words: none of them, only what our words can name.

A body may quote anything: a prompt, a presigned URL, the key. So of a validation error (`detail`, docs/api.md
5) the places are taken where they name what we send, and the type where it is one that we know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from defendctl.api.outcome import json_object
from defendctl.model import FIELDS, METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.api.transport import Answer

_PLACES: Final = frozenset(
    {
        *FIELDS,
        *METRICS,
        "threshold_type",
        "automatic_tolerance",
        "automatic_hallucination_tolerance_levels",
        "custom_hallucination_threshold_values",
        "max_improvement_attempts",
        *("model_input", "user_prompt", "system_prompt", "context", "ground_truth"),
        *("model_output", "model_used", "run_mode", "nametag"),
        "file",
        "files",
    }
)
"""What a request of any generation may hold."""

_TYPES: Final = {
    "missing": "is missing",
    "extra_forbidden": "is not known to the API",
    "json_invalid": "is not JSON",
    **dict.fromkeys(("enum", "literal_error"), "has a value that the API does not know"),
    **dict.fromkeys(
        ("string_type", "bool_type", "bool_parsing", "int_type", "int_parsing", "int_from_float"),
        "has the wrong type",
    ),
    **dict.fromkeys(
        ("float_type", "float_parsing", "list_type", "dict_type", "model_attributes_type"),
        "has the wrong type",
    ),
    **dict.fromkeys(("string_too_short", "too_short"), "is too short"),
    **dict.fromkeys(("string_too_long", "too_long"), "is too long"),
    **dict.fromkeys(("greater_than", "greater_than_equal"), "is too small"),
    **dict.fromkeys(("less_than", "less_than_equal"), "is too large"),
    "finite_number": "must be finite",
}
"""The kinds of error of the API's framework (Pydantic), in our words."""

_MOST: Final = 5


def explain(answer: Answer) -> str:
    """A sentence for people: the status, and which of our fields the API would not take."""
    if answer.status in (301, 302, 303, 307, 308):
        return f"the API answered {answer.status}, a redirect, which is never followed"
    said = dict.fromkeys(_said(answer)) if 400 <= answer.status < 500 else {}
    shown = [*list(said)[:_MOST], *(["and more"] if len(said) > _MOST else [])]
    return f"the API answered {answer.status}" + (f": {'; '.join(shown)}" if shown else "")


def _said(answer: Answer) -> Iterator[str]:
    detail = (json_object(answer.body) or {}).get("detail")
    for item in detail if isinstance(detail, list) else ():
        if isinstance(item, dict) and (where := _where(item.get("loc"))):
            kind = item.get("type")
            yield f"{where} {_TYPES.get(kind, 'was refused') if isinstance(kind, str) else 'was refused'}"


def _where(loc: Any) -> str:
    """`metrics.completeness`, as far as it names what we send."""
    steps = [step for step in loc if step != "body"] if isinstance(loc, list) else []
    return ".".join(step for step in steps if isinstance(step, str) and step in _PLACES)
