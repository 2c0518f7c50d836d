"""Where a state is kept that is no file of the project: `state.url`, as a value. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from defendctl.diagnostics import suggest
from defendctl.hosts import is_loopback

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
OPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "git": (),
    "postgres": (),
    "s3": ("region", "endpoint", "virtual_hosted_style", "server_side_encryption", "kms_key_id"),
    "gs": ("endpoint",),
    "az": ("account", "endpoint"),
}
"""Scheme → what `state.options` may say of it."""
BUCKETS: Final = ("s3", "gs", "az")
_SECRET: Final = re.compile(r"pass|secret|token|credential|signature|scram|^sig$|api.?key", re.IGNORECASE)
"""Names of a query that no place may hold."""
_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
"""Of a key: what git takes in the name of a ref, and every other place in the name of an object."""
_LONGEST_KEY: Final = 200


class BadPlace(ValueError):
    """A URL that names no place: a sentence without its subject, and without what may be secret."""


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

    @property
    def url(self) -> str:
        """As `state.url` says it."""
        if self.scheme in BUCKETS:
            return f"{self.scheme}://{self.target}/{self.key}"
        joined = "&" if "?" in self.target else "?"
        return f"{'git+' if self.scheme == 'git' else ''}{self.target}{joined}key={self.key}"

    @property
    def name(self) -> str:
        """The same without how one gets there: two places of one name are one place."""
        if self.scheme == "postgres":
            parts = urlsplit(self.target)
            return f"postgres://{parts.netloc.rpartition('@')[2].lower()}{parts.path}?key={self.key}"
        there = {name: value for name, value in self.options.items() if name in ("account", "endpoint")}
        return " ".join((self.url, *(f"{name}={value}" for name, value in sorted(there.items()))))


def parse_place(url: str, options: Mapping[str, str] | None = None) -> Place:
    """Raises BadPlace."""
    _refuse_secret(url)
    scheme, rest = _scheme(url)
    if scheme in BUCKETS:
        target, _, key = rest.partition("/")
    else:
        target, key = _without_key(rest)
    if not target or target.startswith("-") or (scheme == "postgres" and not urlsplit(target).netloc):
        raise BadPlace(f"must name where the state is, like {EXAMPLES[scheme]}.")
    _check_key(key, scheme)
    return Place(scheme, target, key, dict(options or {}))


def key_of(said: str) -> str:
    """Under which key of `state` a place stands that is a URL, or the path of a file."""
    return "url" if said.startswith("git+") or "://" in said else "path"


def option_problem(scheme: str, name: str, value: str) -> str | None:
    """What is wrong with one of `state.options`, as a sentence that does not repeat its value."""
    known = OPTIONS[scheme]
    if name not in known:
        there = ", ".join(f"`{one}`" for one in known) or "no options"
        return f"is not known here.{suggest(name, known) or f' A place of {scheme} takes {there}.'}"
    return _endpoint_problem(value) if name == "endpoint" else None


def _endpoint_problem(value: str) -> str | None:
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        parts.port  # noqa: B018  raises for one that is no number
    except ValueError:
        return "is not a URL."
    if "@" in value or "?" in value or "#" in value:
        return "must not hold a user name, a password, a query or a fragment."
    if parts.scheme not in ("http", "https") or not host:
        return "must be a URL like https://minio.internal."
    plain = parts.scheme == "http" and not is_loopback(host)
    return "must use https: plain http is for loopback alone." if plain else None


def _scheme(url: str) -> tuple[str, str]:
    """The scheme, and what a place of it is made of."""
    if any(c.isspace() or not c.isprintable() for c in url):
        raise BadPlace("must not hold spaces or control characters.")
    if url.startswith("git+"):
        return "git", url.removeprefix("git+")
    scheme, colon, rest = url.partition("://")
    if colon and scheme in ("postgres", "postgresql"):
        return "postgres", f"postgres://{rest}"
    if colon and scheme in BUCKETS:
        return scheme, rest
    near = suggest(re.split(r"[:?+]", scheme)[0], EXAMPLES)
    meant = [place for known, place in EXAMPLES.items() if f'"{known}"' in near]
    said = f"Did you mean {meant[0]}?" if meant else f"Known are {', '.join(EXAMPLES.values())}."
    raise BadPlace(f"has no known scheme. {said}")


def _without_key(text: str) -> tuple[str, str]:
    """What stands before `key=` in the query is left as it is; so is the rest of the query."""
    target, _, query = text.partition("?")
    said = query.split("&") if query else []
    keys = [value for name, value in parse_qsl(query, keep_blank_values=True) if name == "key"]
    rest = "&".join(part for part in said if part.partition("=")[0] != "key")
    return f"{target}?{rest}" if rest else target, keys[0] if len(keys) == 1 else ""


def _refuse_secret(url: str) -> None:
    """Looks at the text, for a password may hold whatever would part a URL elsewhere."""
    before, _, rest = url.partition("://")
    user = (rest or before).rpartition("@")[0]
    over_http = before.rpartition("+")[2] in ("http", "https")
    _, mark, query = url.partition("?")
    named = [name for name, _ in parse_qsl(query, keep_blank_values=True)]
    bucket = before in BUCKETS
    if ":" in user or any(map(_SECRET.search, named)) or (bucket and (user or mark)) or (over_http and user):
        raise BadPlace(
            "must not hold a password, a token or a signature: the environment holds it, "
            "as the tools of the engine read it."
        )
    if rest:
        _refuse_broken(url)


def _refuse_broken(url: str) -> None:
    try:
        parts = urlsplit(url)
        parts.port if "," not in parts.netloc else None  # noqa: B018  raises for one that is no number
    except ValueError:
        raise BadPlace("is not a URL.") from None
    if "#" in url:
        raise BadPlace("must not hold a fragment.")


def _check_key(key: str, scheme: str) -> None:
    if not key:
        raise BadPlace(f"must say which state it is, like {EXAMPLES[scheme]}.")
    parts = key.split("/")
    if len(key) > _LONGEST_KEY or not all(_PART.fullmatch(p) and not p.endswith(".lock") for p in parts):
        raise BadPlace(
            "has a key that is no name: letters, digits, dashes, underscores and single dots, "
            "parts of it joined by `/`."
        )
