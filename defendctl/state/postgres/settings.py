"""How a server is reached: what `state.url` says, what libpq finds in the environment, and what is ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

from defendctl.diagnostics import DefendctlError
from defendctl.hosts import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_TIMEOUT: Final = 10
"""Seconds for each host, where neither the URL nor PGCONNECT_TIMEOUT says another."""
_SECRET: Final = ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")


def connection_settings(target: str) -> dict[str, Any]:
    """For `psycopg.connect`. Raises DefendctlError for a URL that libpq does not take.

    A primary is asked for, for a replica may be behind. That a role may not write shows at the first write:
    one whose transactions are read-only can plan. No `options`, which a pooler refuses. Of a service that the
    URL names libpq alone knows the host: it may be any.
    """
    said = _parsed(target)
    found = {**_found(), **said}
    settings: dict[str, Any] = {
        "target_session_attrs": "primary",
        "fallback_application_name": "defendctl",
        **said,
    }
    settings["client_encoding"] = "UTF8"
    if "connect_timeout" not in found:
        settings["connect_timeout"] = CONNECT_TIMEOUT
    if "sslmode" not in said and found["sslmode"] == "prefer" and ("service" in said or not _is_near(found)):
        settings["sslmode"] = "verify-full"
    return settings


def secrets(target: str) -> list[str]:
    """What no message may repeat."""
    found = {**_found(), **_parsed(target)}
    return [found[name] for name in _SECRET if found.get(name)]


def _parsed(target: str) -> dict[str, str]:
    """The error of libpq is not told: it quotes what it does not understand."""
    try:
        return {name: str(value) for name, value in conninfo_to_dict(target).items() if value is not None}
    except ProgrammingError:
        raise DefendctlError(
            "`state.url` is no URL that PostgreSQL takes",
            "write it as postgres://[USER@]HOST[:PORT]/DATABASE?key=KEY; parameters of libpq may follow",
        ) from None


def _found() -> dict[str, str]:
    """From PG… variables, from the service that PGSERVICE names, or built in."""
    return {o.keyword.decode(): o.val.decode() for o in Conninfo.get_defaults() if o.val}


def _is_near(found: Mapping[str, str]) -> bool:
    """Whether nothing leaves this machine."""
    hosts = (found.get("hostaddr") or found.get("host") or "").split(",")
    return all(not h or h.startswith(("/", "@")) or is_loopback(h) for h in hosts)
