"""What differs between generations when a workflow is written, or an event submitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from defendctl.model import RUN_MODES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from defendctl.model import Fields, Support


Context = Literal["text", "list"] | None


@dataclass(frozen=True, slots=True)
class Dialect:
    """`names` maps our fields to the API's keys, `actions` our improvement actions to its values."""

    support: Support
    names: Mapping[str, str]
    actions: Mapping[str, str | None]
    maps: Mapping[str, str]
    """By type, the key of the map that holds the metrics; the same key twice before maps were split."""
    run_modes: tuple[str, ...] = RUN_MODES
    """In which an event may be evaluated (docs/api.md 2)."""
    context: Context = None
    """What an event may carry as context: nothing, one text, or a list."""
    needs_user_prompt: bool = False
    """Else a system prompt will do as well."""
    file_part: str = "files"
    """The part of a form that holds an uploaded file (docs/api.md 6)."""


def encode(dialect: Dialect, values: Fields, only: Collection[str]) -> dict[str, Any]:
    """The request body for those of the fields `only` that have a value."""
    body: dict[str, Any] = {}
    for field, value in values.items():
        if field not in only:
            continue
        if field == "metrics":
            body.update(_metrics(dialect, values["type"], value))
        else:
            body[dialect.names.get(field, field)] = _plain(dialect, field, value)
    return body


def _plain(dialect: Dialect, field: str, value: Any) -> Any:
    if field == "improvement_action":
        return dialect.actions[value]
    return list(value) if isinstance(value, tuple) else value


def _metrics(dialect: Dialect, kind: str, metrics: Mapping[str, float | str]) -> dict[str, Any]:
    key = dialect.maps[kind]
    if kind == "automatic" and dialect.support.one_level:
        level = next(iter(metrics.values()))
        return {key: dict.fromkeys(metrics, 0.0), "automatic_tolerance": level}
    return {key: dict(metrics)}
