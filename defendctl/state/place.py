"""Where a state is kept that is no file of the project: `state.url`, as a value. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from defendctl.diagnostics import suggest

if TYPE_CHECKING:
    from collections.abc import Mapping

EXAMPLES: Final = {
    "git": "git+origin?key=checkout",
    "postgres": "postgres://db.internal/defend?key=checkout",
    "s3": "s3://bucket/checkout",
    "gs": "gs://bucket/checkout",
    "az": "az://container/checkout",
}
"""Scheme → a place of it, as `state.url` says it."""
BUCKETS: Final = ("s3", "gs", "az")


class BadPlace(ValueError):
    """A URL that names no place: the end of a sentence that begins with its name, never with a secret."""


@dataclass(frozen=True, slots=True)
class Place:
    scheme: str
    """One of EXAMPLES."""
    target: str
    """A git remote or its URL; `postgres://…` without the key; a bucket or container."""
    key: str
    """Which state of those that are there; parts of it joined by `/`."""
    options: Mapping[str, str] = field(default_factory=dict)
    """`state.options`: never a secret."""


def parse_place(url: str, options: Mapping[str, str] | None = None) -> Place:
    """Raises BadPlace."""
    scheme, rest = _scheme(url)
    if scheme in BUCKETS:
        target, _, key = rest.partition("/")
    else:
        target, key = _without_key(rest)
    _refuse_secret(target)
    _check_key(key, scheme)
    if not target:
        raise BadPlace(f"must name where the state is, like {EXAMPLES[scheme]}")
    return Place(scheme, target, key, dict(options or {}))


def _scheme(url: str) -> tuple[str, str]:
    """The scheme, and what a place of it is made of."""
    if any(c.isspace() or not c.isprintable() for c in url):
        raise BadPlace("must not hold spaces or control characters")
    if url.startswith("git+"):
        return "git", url.removeprefix("git+")
    scheme, colon, rest = url.partition("://")
    if scheme in ("postgres", "postgresql"):
        return "postgres", f"postgres://{rest}"
    if colon and scheme in BUCKETS:
        return scheme, rest
    near = suggest(scheme, EXAMPLES) or f" Known are {', '.join(EXAMPLES.values())}."
    raise BadPlace(f"has no known scheme.{near}")


def _without_key(text: str) -> tuple[str, str]:
    """What stands before `key=` in the query is left as it is; so is the rest of the query."""
    target, _, query = text.partition("?")
    said = query.split("&") if query else []
    keys = [value for name, value in parse_qsl(query, keep_blank_values=True) if name == "key"]
    rest = "&".join(part for part in said if part.partition("=")[0] != "key")
    return f"{target}?{rest}" if rest else target, keys[0] if len(keys) == 1 else ""


def _refuse_secret(target: str) -> None:
    parts = urlsplit(target)
    named = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    if parts.password is not None or named & {"password", "sslpassword", "passfile", "token"}:
        raise BadPlace(
            "must not hold a password: the environment holds it, as the tools of the engine read it"
        )


def _check_key(key: str, scheme: str) -> None:
    if not key:
        raise BadPlace(f"must say which state it is, like {EXAMPLES[scheme]}")
    if any(part in ("", ".", "..") for part in key.split("/")):
        raise BadPlace("has a key with an empty part or one of dots, which is no name")
