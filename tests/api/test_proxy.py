"""The proxy by the variables of the environment: what curl and requests know is honoured or refused."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from defendctl.api.proxy import Proxy, proxy_for
from defendctl.diagnostics import DefendctlError

if TYPE_CHECKING:
    from collections.abc import Mapping

API = "https://api.example.com"
P = "http://proxy:3128"
PASSWORD = "planted-password"


def url(environ: Mapping[str, str], base_url: str = API) -> str | None:
    proxy = proxy_for(base_url, environ)
    return proxy.url if proxy else None


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": P}, P),
        ({"https_proxy": P}, P),
        ({"Https_Proxy": P}, P),
        ({"HTTPS_PROXY": "http://other:1", "https_proxy": P}, P),
        ({"HTTPS_PROXY": P, "Https_Proxy": "http://other:1"}, P),
        ({"HTTPS_PROXY": P, "https_proxy": ""}, None),
        ({"HTTPS_PROXY": ""}, None),
        ({"HTTPS_PROXY": f" {P}\n"}, P),
        ({"ALL_PROXY": P}, P),
        ({"all_proxy": P}, P),
        ({"ALL_PROXY": "http://other:1", "HTTPS_PROXY": P}, P),
        ({"ALL_PROXY": "socks5://other:1", "HTTPS_PROXY": P}, P),
        ({"ALL_PROXY": P, "HTTPS_PROXY": ""}, P),
        ({"HTTP_PROXY": P}, None),
        ({"http_proxy": P}, None),
        ({"HTTP_PROXY": P, "REQUEST_METHOD": "GET"}, None),
        ({"HTTPS_PROXY": P, "REQUEST_METHOD": "GET"}, P),
        ({"FTP_PROXY": P}, None),
    ],
    ids=str,
)
def test_which_variable_counts(environ: dict[str, str], expected: str | None) -> None:
    assert url(environ) == expected


def test_the_variable_is_named_as_it_is_spelled() -> None:
    assert str(proxy_for(API, {"all_proxy": P})) == "http://proxy:3128 (all_proxy)"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("proxy:3128", P),
        ("proxy", "http://proxy:80"),
        ("http://proxy", "http://proxy:80"),
        ("http://proxy:3128/", P),
        ("HTTP://PROXY:3128", P),
        ("https://proxy", "https://proxy:443"),
        ("https://proxy:3129", "https://proxy:3129"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
        ("[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
        ("http://bücher.example:1", "http://xn--bcher-kva.example:1"),
        (f"user:{PASSWORD}@proxy:3128", P),
    ],
)
def test_how_a_proxy_is_written(value: str, expected: str) -> None:
    assert url({"HTTPS_PROXY": value}) == expected


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ("http://proxy:1", None),
        ("http://user:secret@proxy:1", "user:secret"),
        ("user:secret@proxy:1", "user:secret"),
        ("http://user@proxy:1", "user:"),
        ("http://:secret@proxy:1", ":secret"),
        ("http://us%40er:p%3Aa%2Fss%C3%A9@proxy:1", "us@er:p:a/ssé"),
        ("http://user:sécret@proxy:1", "user:sécret"),
        ("http://user:a@b@proxy:1", "user:a@b"),
    ],
)
def test_credentials(value: str, plain: str | None) -> None:
    proxy = proxy_for(API, {"HTTPS_PROXY": value})
    assert proxy
    sent = proxy.authorization
    assert (b64decode(sent.removeprefix("Basic ")).decode() if sent else None) == plain
    assert proxy.url == "http://proxy:1"
    assert sent is None or sent not in f"{proxy} {proxy!r}"


@pytest.mark.parametrize("scheme", ["socks", "socks4", "socks4a", "socks5", "socks5h", "SOCKS5"])
def test_socks_is_refused_by_name(scheme: str) -> None:
    value = f"{scheme}://user:{PASSWORD}@proxy:1080"
    with pytest.raises(DefendctlError) as caught:
        proxy_for(API, {"ALL_PROXY": value})
    assert caught.value.message == "ALL_PROXY names a SOCKS proxy, which defendctl does not speak"
    assert "put api.example.com into NO_PROXY" in (caught.value.hint or "")
    assert url({"ALL_PROXY": value, "NO_PROXY": "api.example.com"}) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (f"ftp://u:{PASSWORD}@proxy", "names a proxy with the scheme ftp, one that defendctl does not know"),
        (f"{PASSWORD}/://proxy", "names a proxy with a scheme that defendctl does not know"),
        ("http://", "is not the address of a proxy"),
        ("http://[", "is not the address of a proxy"),
        ("http://:3128", "is not the address of a proxy"),
        ("http://proxy:port", "is not the address of a proxy"),
        ("http://proxy:99999", "is not the address of a proxy"),
        ("http:/proxy:3128", "is not the address of a proxy"),
        ("http://pro xy:3128", "is not the address of a proxy"),
        ("http://proxy:31\t28", "is not the address of a proxy"),
        ("http://proxy:3128/path", "is not the address of a proxy"),
        ("http://proxy:3128?query", "is not the address of a proxy"),
        (f"http://user:{PASSWORD}/1@proxy:3128", "is not the address of a proxy"),
        (f"http://user:{PASSWORD}#1@proxy:3128", "is not the address of a proxy"),
        (f"http://{PASSWORD}/1@proxy:3128", "is not the address of a proxy"),
        (f"http://{PASSWORD}?1@proxy:3128", "is not the address of a proxy"),
        ("direct", None),
        (f"http://{'x' * 64}:1", "is not the address of a proxy"),
    ],
)
def test_what_is_no_proxy_is_refused_by_name(value: str, said: str | None) -> None:
    if said is None:
        assert url({"HTTPS_PROXY": value}) == f"http://{value}:80"
        return
    for variable in ("HTTPS_PROXY", "all_proxy"):
        with pytest.raises(DefendctlError) as caught:
            proxy_for(API, {variable: value})
        assert caught.value.message == f"{variable} {said}"
        assert PASSWORD not in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    "base_url",
    [
        "http://localhost:8000",
        "https://localhost",
        "https://LOCALHOST",
        "http://127.0.0.1:1",
        "https://127.8.9.10",
        "http://[::1]",
        "https://[::1]:8443",
        "http://[::ffff:127.0.0.1]:1",
        "https://[::ffff:7f00:1]",
    ],
)
def test_loopback_is_never_proxied(base_url: str) -> None:
    names = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    for no_proxy in ({}, {"NO_PROXY": ""}, {"NO_PROXY": "example.com"}):
        for proxy in (P, "socks5://x", "nonsense://"):
            assert url({**dict.fromkeys(names, proxy), **no_proxy}, base_url) is None


HOSTS = {
    "name": API,
    "port": "https://api.example.com:8443",
    "dot": "https://api.example.com.",
    "four": "https://10.1.2.3",
    "six": "https://[2001:db8::17]:8443",
    "mapped": "https://[::ffff:10.1.2.3]",
    "idn": "https://api.bücher.example",
}
"""Of each, the entries of NO_PROXY that name it."""
NAMED = {
    "*": set(HOSTS),
    "api.example.com": {"name", "port", "dot"},
    "API.Example.COM": {"name", "port", "dot"},
    "api.example.com.": {"name", "port", "dot"},
    "example.com": {"name", "port", "dot"},
    ".example.com": {"name", "port", "dot"},
    "com": {"name", "port", "dot"},
    ".api.example.com": {"name", "port", "dot"},
    "*.example.com": {"name", "port", "dot"},
    "*.api.example.com": set(),
    "api.*": {"name", "port", "dot", "idn"},
    "ample.com": set(),
    "pi.example.com": set(),
    "example.com:443": {"name", "dot"},
    "api.example.com:8443": {"port"},
    "api.example.com:80": set(),
    "https://api.example.com": {"name", "port", "dot"},
    "https://api.example.com:8443/": {"port"},
    "http://api.example.com": set(),
    "10.1.2.3": {"four", "mapped"},
    "10.1.2.3:443": {"four", "mapped"},
    "10.1.2.3:80": set(),
    "10.0.0.0/8": {"four", "mapped"},
    "10.9.9.9/8": {"four", "mapped"},
    "10.0.0.0/255.0.0.0": {"four", "mapped"},
    "10.1.2.*": {"four"},
    "10.1.2": set(),
    "2.3": set(),
    "::ffff:10.1.2.3": {"four", "mapped"},
    "2001:db8::17": {"six"},
    "[2001:DB8::17]": {"six"},
    "[2001:db8::17]:8443": {"six"},
    "[2001:db8::17]:443": set(),
    "2001:db8::/32": {"six"},
    "[2001:db8::]/32": {"six"},
    "fe80::/10": set(),
    "0.0.0.0/0": {"four", "mapped"},
    "bücher.example": {"idn"},
    "xn--bcher-kva.example": {"idn"},
    "localhost,127.0.0.1": set(),
    "a, 10.0.0.0/8,b": {"four", "mapped"},
    "a 10.0.0.0/8\tb": {"four", "mapped"},
    "<local>,10.1.2.3": {"four", "mapped"},
    ",": set(),
}


@pytest.mark.parametrize("entries", NAMED)
def test_exceptions(entries: str) -> None:
    for variable in ("NO_PROXY", "no_proxy", "No_Proxy"):
        direct = set()
        for name, base_url in HOSTS.items():
            try:
                proxy = proxy_for(base_url, {"ALL_PROXY": P, variable: entries})
            except DefendctlError:
                continue
            direct |= set() if proxy else {name}
        assert direct == NAMED[entries]


@pytest.mark.parametrize(
    "entry",
    [
        "<local>",
        "10.0.0.0/33",
        "2001:db8::/129",
        "example.com:http",
        "example.com/",
        "a;b",
        "x_[y]",
        "*.?",
        "https://",
    ],
)
def test_an_exception_that_says_nothing_clear_is_refused_by_name(entry: str) -> None:
    with pytest.raises(DefendctlError) as caught:
        proxy_for(API, {"HTTPS_PROXY": P, "no_proxy": f"localhost,{entry},corp.example"})
    assert caught.value.message == f"no_proxy: {entry!r} is not a host, an address or a range of addresses"
    assert url({"HTTPS_PROXY": P, "no_proxy": f"{entry},example.com"}) is None, "another one says it"
    assert url({"no_proxy": entry}) is None, "without a proxy it says nothing"


def test_the_exceptions_in_small_letters_win() -> None:
    proxy = {"HTTPS_PROXY": P}
    assert url({**proxy, "NO_PROXY": "*", "no_proxy": "localhost"}) == P
    assert url({**proxy, "NO_PROXY": "*", "no_proxy": ""}) == P
    assert url({**proxy, "NO_PROXY": "localhost", "no_proxy": "*"}) is None


def test_a_proxy_is_a_value() -> None:
    assert proxy_for(API, {"HTTPS_PROXY": P}) == Proxy(P, "HTTPS_PROXY")
