"""What no model says of a manifest: names of metrics, repeated items, keys that begin with `x-`."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from defendctl.diagnostics import suggest
from defendctl.model import METRICS
from defendctl.yamltext.node import KeyPath
from defendctl.yamltext.quote import kind_of, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


ENVIRONMENT = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
LONGEST_ENVIRONMENT = 32
_OWN_METRICS = " An organization's own metrics go into `custom_metrics` of defendctl.yaml."


def known_metrics(custom_metrics: Collection[str]) -> Collection[str]:
    return dict.fromkeys((*METRICS, *custom_metrics))


def without_extensions(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if not key.startswith("x-")}


def is_environment(name: str) -> bool:
    """Whether it can be the name of one."""
    return len(name) <= LONGEST_ENVIRONMENT and re.fullmatch(ENVIRONMENT, name) is not None


def is_manifest(data: Any) -> bool:
    """Whether it was meant as one: then its faults are told one by one."""
    return is_meant_as(data, ("workflows",), also=("waivers", "defaults"))


def is_meant_as(data: Any, telling: Collection[str], also: Collection[str] = ()) -> bool:
    """Whether a file was meant to be ours: by a key that tells, also misspelt. Of another file nothing is
    quoted, not even a key."""
    if not isinstance(data, dict):
        return False
    keys = [key for key in without_extensions(data) if key != "$schema"]
    if keys == ["version"] or not {*telling, *also}.isdisjoint(keys):
        return True
    from difflib import get_close_matches  # for mistakes alone

    return any(get_close_matches(word, keys[:20], cutoff=0.75) for word in telling)


def something_else(data: Any) -> str:
    """What a document is that was not meant as one of ours."""
    return "a mapping with other keys" if isinstance(data, dict) and data else kind_of(data)


Fault = tuple[KeyPath, str, str]


def repeated(body: dict[str, Any], fields: tuple[str, ...]) -> Iterator[Fault]:
    """Each item that stands in one of these lists before."""
    for field in fields:
        items = body.get(field)
        seen: set[str] = set()
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, str) and item in seen:
                yield (field, index), "duplicate-item", f"{quoted(item)} is listed twice in `{field}`."
            elif isinstance(item, str):
                seen.add(item)


def unknown_metrics(body: dict[str, Any], field: str, metrics: Collection[str]) -> Iterator[Fault]:
    """Each name of a metric, in a list or as a key, that is none."""
    given = body.get(field)
    places = given.items() if isinstance(given, dict) else enumerate(given if isinstance(given, list) else ())
    for place, item in places:
        name = place if isinstance(given, dict) else item
        if isinstance(name, str) and name not in metrics:
            hint = suggest(name, islice(metrics, 100)) or _OWN_METRICS
            yield (field, place), "unknown-metric", f"{quoted(name)} is not a metric.{hint}"


KEY_VARIABLES = r"DEEPRAILS_[A-Z0-9_]{1,90}"
"""No other variable is ever sent: a file of the repository must not choose among all there are. Capitals
only: a key that somebody puts here by mistake has small letters, and is refused."""


def is_key_variable(name: str) -> bool:
    return re.fullmatch(KEY_VARIABLES, name) is not None
