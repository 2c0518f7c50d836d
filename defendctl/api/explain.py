"""What a refusal shows of the API's own words: a few of them, made safe; of an event none.

A body may quote anything: a prompt, a presigned URL, the key. So only `detail`, `loc` and `msg`, `message`
and `error` are taken (docs/api.md 5), of a 4xx alone, without what the request sent, and cut. Where an event
was sent or asked for, only the places that name what we send, and known kinds of error in our words.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from defendctl.api.asked import asked_wait
from defendctl.api.mask import mask
from defendctl.api.outcome import json_object
from defendctl.model import FIELDS, METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from defendctl.api.answer import Answer

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
LONGEST: Final = 300
"""Characters of the API's own words."""
_READ: Final = 4000
_SPEAKING: Final = ("detail", "msg", "message", "error", "errors")


@dataclass(frozen=True, slots=True)
class Private:
    """What no message may quote: the key, and the texts that a request held.

    `texts` is None where these are of an event: then none of the API's own words are shown.
    """

    key: str = field(repr=False)
    texts: Sequence[str] | None = field(default=(), repr=False)


def explain(answer: Answer, private: Private) -> str:
    """A sentence for people."""
    if answer.status in (301, 302, 303, 307, 308):
        return f"the API answered {answer.status}, a redirect, and defendctl follows none"
    asked = asked_wait(answer.status, answer.headers) if answer.status in (429, 503) else None
    wait = f" and asks to wait {math.ceil(asked)} s" if asked else ""
    return f"the API answered {answer.status}{wait}{own_words(answer, private)}"


def own_words(answer: Answer, private: Private) -> str:
    """After a colon; empty where there are none."""
    if not 400 <= answer.status < 500:
        return ""
    data = json_object(answer.body) or {}
    words = _named(data) if private.texts is None else _quoted(data, private.key, private.texts)
    return f": {words}" if words else ""


def _quoted(data: dict[str, Any], key: str, sent: Sequence[str]) -> str:
    found = dict.fromkeys(filter(None, map(_inert, islice(_sentences(data), _MOST + 1))))
    words = mask(_listed(found)[:_READ], key, sent)
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"


def _listed(found: Iterable[str]) -> str:
    words = list(found)
    return "; ".join([*words[:_MOST], *(["and more"] if len(words) > _MOST else [])])


def _inert(text: str) -> str:
    """On one line, printable, and without `##[`, which CI runners obey wherever it stands."""
    shown = "".join(c if c.isprintable() else " " for c in text[:_READ])
    return " ".join(re.sub("#(?=#)", "# ", shown).split())


def _sentences(value: Any, depth: int = 4) -> Iterator[str]:
    """What a value says, and of which place."""
    if isinstance(value, str):
        yield from [value] if value.strip() else []
    elif isinstance(value, list) and depth:
        for item in value:
            yield from _sentences(item, depth - 1)
    elif isinstance(value, dict) and depth:
        yield from _placed(value, depth)


def _placed(value: dict[str, Any], depth: int) -> Iterator[str]:
    where = ".".join(str(step) for step in _steps(value.get("loc")))
    spoken = (_sentences(value.get(name), depth - 1) for name in _SPEAKING)
    said = next(filter(None, (list(islice(one, _MOST + 1)) for one in spoken)), [])
    for text in said:
        yield f"{where}: {text}" if where else text
    if where and not said:
        yield f"{where} {_kind(value)}"


def _named(data: dict[str, Any]) -> str:
    """Which of our fields the API would not take, and nothing else."""
    detail = data.get("detail")
    found: dict[str, None] = {}
    for item in detail if isinstance(detail, list) else ():
        if isinstance(item, dict):
            where = ".".join(step for step in _steps(item.get("loc")) if step in _PLACES)
            found |= {f"{where} {_kind(item)}": None} if where else {}
    return _listed(found)


def _steps(loc: Any) -> list[Any]:
    """Names and numbers of a place, without the `body` that each begins with."""
    steps = loc if isinstance(loc, list) else []
    return [step for step in steps if isinstance(step, str | int) and step != "body"]


def _kind(item: dict[str, Any]) -> str:
    kind = item.get("type")
    return _TYPES.get(kind, "was refused") if isinstance(kind, str) else "was refused"
