"""What a refusal may show of the API's own words: never raw, never long, never the key.

Only the words of a validation error are taken (`detail`, api.md 5.5), and only where a definition was
written: an answer to anything else may quote what an event holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from defendctl.api.outcome import json_object

if TYPE_CHECKING:
    from defendctl.api.transport import Answer

_LONGEST: Final = 300


def explain(answer: Answer, key: str) -> str:
    """A sentence for people: status, and the API's reason where it gives one."""
    if answer.status in (301, 302, 303, 307, 308):
        return f"the API answered {answer.status}, a redirect, which is never followed"
    said = _said(json_object(answer.body) or {}) if 400 <= answer.status < 500 else ""
    said = said.replace(key, "***") if key else said
    return f"the API answered {answer.status}" + (f": {said[:_LONGEST]}" if said else "")


def _said(data: dict[str, Any]) -> str:
    detail = next((data[key] for key in ("detail", "message", "error") if data.get(key)), "")
    if isinstance(detail, list):
        return "; ".join(_problem(item) for item in detail if isinstance(item, dict))
    return detail if isinstance(detail, str) else ""


def _problem(item: dict[str, Any]) -> str:
    loc = item.get("loc")
    where = ".".join(str(step) for step in loc if step != "body") if isinstance(loc, list) else ""
    return ": ".join(part for part in (where, str(item.get("msg", ""))) if part)
