"""Hosts as URLs name them: which are this machine, how the API's is remembered, which are allowed."""

from __future__ import annotations

import ipaddress
import re
from binascii import b2a_base64
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
DEFAULT_PORTS = {"https": 443, "http": 80}
_NAME = re.compile(r"[\w-]+(\.[\w-]+)*\.?")
_SECRETS = re.compile(r"(?<=://)(?:[^/\s]*|[^/\s:]*:(?!\d+/)\S*)@|(?<=[\w/])\?[^\s']*")
"""Of a URL: who asks, up to the last `@`, for a password may hold one, or a slash; and its query."""
_WHO = re.compile(r"https?://([^/\s]*)@")
_TOKEN = 16
"""Characters that a user has at least who is a token."""
_SHORT = 6
"""Characters of a secret that no ordinary word holds by chance."""


def is_loopback(host: str) -> bool:
    """`localhost` or a loopback literal, also an IPv4 one in IPv6; a name is never looked up."""
    address = literal(host)
    return host.lower() == "localhost" or (address is not None and address.is_loopback)


def literal(host: str) -> Address | None:
    """The address that a host is, if it is no name. An IPv4 address in IPv6 is the IPv4 address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_host(host: str) -> bool:
    """An address, or a name that can be looked up."""
    if literal(host):
        return True
    try:
        return _NAME.fullmatch(host) is not None and len(host.encode("idna")) < 254
    except UnicodeError:  # a part of more than 63 characters, or letters that no name has
        return False


def api_host(url: str) -> str:
    """Host and port, without a port that the scheme implies."""
    host, port = host_and_port(url)
    return host if port == DEFAULT_PORTS.get(urlsplit(url).scheme) else f"{host}:{port}"


def host_and_port(url: str) -> tuple[str, int | None]:
    """In small letters, with the port that the scheme implies, an IPv6 address in brackets."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    return f"[{host}]" if ":" in host else host, parts.port or DEFAULT_PORTS.get(parts.scheme)


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """No user, no password and no query in any URL of it, and none of `secrets` anywhere."""
    return _SECRETS.sub("", hide_secrets(text, secrets))


def hide_secrets(text: str, secrets: Iterable[str]) -> str:
    """None of them is in it: not as it is, as a URL has it, or as XML. A short one is hidden where it is a
    whole word, for it is a part of many others."""
    known = [secret for secret in secrets if secret]
    forms = {*known, *(quote(each, safe="") for each in known), *map(_in_xml, known)}
    for form in sorted(forms, key=len, reverse=True):
        text = _standing(form).sub("…", text)
    return text


def _in_xml(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _standing(secret: str) -> re.Pattern[str]:
    if len(secret) >= _SHORT:
        return re.compile(re.escape(secret))
    before = r"(?<![^\W_])" if secret[0].isalnum() else ""
    after = r"(?![^\W_])" if secret[-1].isalnum() else ""
    return re.compile(f"{before}{re.escape(secret)}{after}")


def secrets_in(url: str) -> list[str]:
    """The password of one over HTTP, or the user without one, who may be a token; as written, decoded, and as
    it is sent together with the user."""
    found = _WHO.match(url)
    user, _, password = found[1].partition(":") if found else ("", "", "")
    secret = password or (user if len(user) >= _TOKEN else "")
    sent = b2a_base64(f"{unquote(user)}:{unquote(password)}".encode(), newline=False).decode()
    return [secret, unquote(secret), sent] if secret else []


def is_listed(url: str, hosts: str) -> bool:
    """Whether the API host of `url` is one of these, separated by commas: each is whole, never a pattern."""
    host, port = host_and_port(url)
    names = {api_host(url), f"{host}:{port}"}
    return any(entry.strip().lower() in names for entry in hosts.split(","))
