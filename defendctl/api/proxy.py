"""Through which proxy the API is spoken to, as the environment says (docs/network.md). Pure.

The variables mean here what they mean to curl and to requests. What is set and cannot be honoured is refused
by its name, before anything is sent; no message holds the user name or the password of a proxy.
"""

from __future__ import annotations

import ipaddress
import re
from base64 import b64encode
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlsplit

from defendctl.diagnostics import DefendctlError
from defendctl.hosts import DEFAULT_PORTS, host_and_port, is_host, is_loopback, literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

    from defendctl.hosts import Address

_WORD = re.compile(r"[a-z][a-z0-9+.-]{0,15}")
_PATTERN = re.compile(r"[\w.*-]+")


@dataclass(frozen=True, slots=True)
class Proxy:
    """`url` is scheme, host and port alone, in ASCII; `authorization` the value of a header, or None."""

    url: str
    variable: str
    """As it is spelled in the environment."""
    authorization: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.url} ({self.variable})"


def proxy_for(base_url: str, environ: Mapping[str, str]) -> Proxy | None:
    """None where the API is spoken to directly. Raises DefendctlError for what cannot be honoured.

    Plain http only ever goes to loopback, and loopback is never proxied: so HTTP_PROXY, which a header of a
    request can set where CGI is at work, has no say.
    """
    parts = urlsplit(base_url)
    if parts.scheme != "https" or is_loopback(parts.hostname or ""):
        return None
    found = _variable(environ, "https_proxy") or _variable(environ, "all_proxy")
    if found is None or _is_excepted(parts, _variable(environ, "no_proxy")):
        return None
    return _parsed(*found, host_and_port(base_url)[0])


def _variable(environ: Mapping[str, str], name: str) -> tuple[str, str] | None:
    """Spelling and value. The one in small letters wins; if it is empty, there is none."""
    spellings = [each for each in environ if each.lower() == name]
    chosen = name if name in spellings else min(spellings, default=name)
    value = environ.get(chosen, "").strip()
    return (chosen, value) if value else None


def _parsed(variable: str, value: str, host: str) -> Proxy:
    scheme, divider, _ = value.partition("://")
    scheme = scheme.lower() if divider else "http"
    without = f"or put {host} into NO_PROXY to do without a proxy"
    if scheme.startswith("socks"):
        raise DefendctlError(
            f"{variable} names a SOCKS proxy, which defendctl does not speak",
            f"name an HTTP proxy in HTTPS_PROXY, which wins over ALL_PROXY, {without}",
        )
    hint = f"write http://HOST:PORT or https://HOST:PORT, a user name and password percent-encoded, {without}"
    if scheme not in ("http", "https"):
        known = f"the scheme {scheme}, one " if _WORD.fullmatch(scheme) else "a scheme "
        raise DefendctlError(f"{variable} names a proxy with {known}that defendctl does not know", hint)
    proxy = _read(variable, value if divider else f"http://{value}")
    if proxy is None:
        raise DefendctlError(f"{variable} is not the address of a proxy", hint)
    return proxy


def _read(variable: str, url: str) -> Proxy | None:
    """None for what is no such URL. A path is none either: it may be the rest of a password."""
    try:
        parts = urlsplit(url)
        port = DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    if not url.isprintable() or " " in url or not is_host(host) or parts.path.strip("/"):
        return None
    if parts.query or parts.fragment:
        return None
    name = f"[{host}]" if ":" in host else host.encode("idna").decode()
    return Proxy(f"{parts.scheme}://{name}:{port}", variable, _authorization(parts))


def _authorization(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    user, password = (unquote_to_bytes(part or "") for part in (parts.username, parts.password))
    return f"Basic {b64encode(user + b':' + password).decode()}"


def _is_excepted(parts: SplitResult, listed: tuple[str, str] | None) -> bool:
    """Whether NO_PROXY names the host. An entry that says nothing clear matters where no other one does."""
    variable, entries = listed or ("", "")
    unclear = None
    for entry in filter(None, re.split(r"[\s,]+", entries)):
        covers = _covers(entry, _plain(parts.hostname or "") or "", parts.port or DEFAULT_PORTS["https"])
        if covers:
            return True
        unclear = entry if covers is None else unclear
    if unclear is not None:
        raise DefendctlError(
            f"{variable}: {unclear!r} is not a host, an address or a range of addresses",
            "write a host like example.com, one with a port, an address, or a range like 10.0.0.0/8",
        )
    return False


def _covers(entry: str, host: str, port: int) -> bool | None:
    """None for an entry that says nothing clear."""
    scheme, divider, rest = entry.partition("://")
    if divider:
        return scheme.lower() == "https" and _covers(rest.rstrip("/"), host, port)
    name, only = _split_port(entry)
    if only not in (None, str(port)):
        return None if not (only or "").isdecimal() else False
    return _names(name[1:].replace("]", "", 1) if name.startswith("[") else name, host)


def _split_port(entry: str) -> tuple[str, str | None]:
    """More than one colon without brackets is an IPv6 address."""
    if "]:" in entry or (entry.count(":") == 1 and "[" not in entry):
        name, _, port = entry.rpartition(":")
        return name, port
    return entry, None


def _names(name: str, host: str) -> bool | None:
    """Whether a name, pattern, address or range without a port is that of the host."""
    address = literal(host)
    if "/" in name or literal(name):
        return _holds(name, address)
    if "*" in name:
        return fnmatchcase(host, name.lower()) if _PATTERN.fullmatch(name) else None
    plain = _plain(name.lstrip("."))
    if plain is None:
        return None
    return plain == host or (address is None and host.endswith(f".{plain}"))


def _holds(range_: str, address: Address | None) -> bool | None:
    try:
        network = ipaddress.ip_network(literal(range_) or range_, strict=False)
    except ValueError:
        return None
    return address is not None and address in network


def _plain(host: str) -> str | None:
    """As it is compared: in small letters and ASCII, without a last dot; None for what is no host."""
    if not is_host(host):
        return None
    return host.lower() if literal(host) else host.encode("idna").decode().lower().rstrip(".")
