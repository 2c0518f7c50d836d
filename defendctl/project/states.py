"""`state:` of the project file or of an environment → where that state is, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from defendctl.state.place import OPTIONS, BadPlace, Place, option_problem, parse_place
from defendctl.yamltext.quote import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from defendctl.schema.checks import Fault


def state_place(url: str, options: Mapping[str, str]) -> Place | None:
    """None for a state in a file, and for a URL that is wrong: that is told by `state_faults`."""
    try:
        return parse_place(url, options) if url else None
    except BadPlace:
        return None


def state_faults(section: Any) -> Iterator[Fault]:
    """What the model does not say; no value is repeated, for it may be a secret that was put there."""
    if not isinstance(section, dict):
        return
    url = section.get("url")
    if "url" in section and "path" in section:
        message = "A state has either `path` or `url`, not both; leave one of them out."
        yield ("url",), "conflicting-keys", message
    if "options" in section and "url" not in section:
        yield ("options",), "conflicting-keys", "`options` belongs to `url`; a state in a file takes none."
    if isinstance(url, str) and url.strip():
        yield from _url_faults(url, section.get("options"))


def _url_faults(url: str, options: Any) -> Iterator[Fault]:
    try:
        place = parse_place(url)
    except BadPlace as bad:
        yield ("url",), "invalid-value", f"`state.url` {bad}"
        return
    for name, value in (options if isinstance(options, dict) else {}).items():
        problem = option_problem(place.scheme, name, value if isinstance(value, str) else "")
        if problem:
            code = "invalid-value" if name in OPTIONS[place.scheme] else "unknown-key"
            yield ("options", name), code, f"`state.options`: {quoted(name)} {problem}"
