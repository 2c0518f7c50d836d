"""What a server or libpq said, in words that help, and never with what a password may be in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from psycopg import InterfaceError, OperationalError

from defendctl.command import command
from defendctl.diagnostics import DefendctlError
from defendctl.hosts import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg import Error

_LONGEST: Final = 300
_SCHEMA: Final = f"{command('state schema')} prints the SQL for whoever may make them"
_PASSWORD: Final = "PGPASSWORD, PGPASSFILE or PGSERVICE says it; the URL may name the user: postgres://USER@…"
_WORDS: Final = {
    "28P01": ("the password was refused", _PASSWORD),
    "28000": ("the role was refused", "the server's pg_hba.conf says who may come from where"),
    "3D000": ("there is no such database", "the path of `state.url` names it"),
    "3F000": ("the tables of the state are missing", _SCHEMA),
    "42P01": ("the tables of the state are missing", _SCHEMA),
    "42703": ("the tables of the state are those of another version of defendctl", _SCHEMA),
    "42501": (
        "this role lacks a right on the tables of the state",
        f"{command('state schema')} prints the grants: defendctl_writer to apply, defendctl_reader to plan",
    ),
    "25006": (
        "this server or role is read-only",
        "name the primary in `state.url`, and use a role whose transactions may write",
    ),
}
"""SQLSTATE → what is wrong, what would be right."""
_TEXTS: Final = {
    "no password supplied": ("the server asks for a password, and there is none", _PASSWORD),
    "password authentication failed": _WORDS["28P01"],
    "no pg_hba.conf entry": _WORDS["28000"],
    "Peer authentication failed": _WORDS["28000"],
    "no such database": _WORDS["3D000"],
    "no such user": _WORDS["28000"],
    "hot standby": ("it is a read replica", "name the primary in `state.url`: a replica may be behind"),
    "in recovery": ("it is a read replica", "name the primary in `state.url`: a replica may be behind"),
    "root certificate": (
        "the certificate of the server cannot be checked: there is no root certificate",
        "name the file with PGSSLROOTCERT, or `PGSSLROOTCERT=system` for the authorities of this machine",
    ),
    "certificate verify failed": (
        "the certificate of the server is not trusted",
        "name the file of its authority with PGSSLROOTCERT",
    ),
    "does not match host name": (
        "the certificate of the server is for another host",
        "`state.url` must name the host as the certificate does",
    ),
    "does not support SSL": (
        "the server has no TLS",
        "turn it on there; only where the network is trusted say `sslmode=disable` in `state.url`",
    ),
}
"""Part of what libpq says, where there is no SQLSTATE."""
_FATAL: Final = {
    "3D000": re.compile(r'database "[^"]*" does not exist'),
    "28000": re.compile(r'role "[^"]*" (does not exist|is not permitted to log in)'),
}
"""What a server says before it has let anybody in, of which libpq keeps the words alone."""
_PASSING: Final = re.compile(r"08...|40001|40P01|53...|55P03|57...|58...|XX000")
"""Of a connection that is lost, of a server that stops, starts, is full or gives way: later it may work."""


def is_passing(error: Error) -> bool:
    """Whether the same may be tried again; what was asked may have been done all the same."""
    if error.sqlstate:
        return bool(_PASSING.fullmatch(error.sqlstate))
    return isinstance(error, OperationalError | InterfaceError) and not _by_text(str(error))


def refusal(error: Error, where: str, secrets: Iterable[str]) -> DefendctlError:
    known = _WORDS.get(error.sqlstate or "") or _by_text(str(error))
    if known:
        return DefendctlError(f"{where}: {known[0]}", known[1])
    return DefendctlError(f"{where} does not answer: {told(str(error), secrets)}")


def told(text: str, secrets: Iterable[str]) -> str:
    """Foreign words as one line, without a secret and without a URL's user."""
    return " ".join(without_secrets(text, secrets).split())[:_LONGEST]


def _by_text(text: str) -> tuple[str, str] | None:
    found = next((words for part, words in _TEXTS.items() if part in text), None)
    return found or next((_WORDS[state] for state, said in _FATAL.items() if said.search(text)), None)
