"""How the API is reached: through a proxy or not, and whose certificates are trusted (docs/network.md)."""

from __future__ import annotations

import os
import re
import ssl
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from defendctl.api.proxy import Proxy, proxy_for
from defendctl.diagnostics import DefendctlError

if TYPE_CHECKING:
    from collections.abc import Mapping

_BUNDLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_HASHED: Final = re.compile(r"[0-9a-f]{8}\.[0-9]+")
_UNSET: Final = "unset the variable to trust the public authorities alone"


@dataclass(frozen=True, slots=True)
class Trust:
    """`source` says whose certificates they are: the end of a sentence."""

    context: ssl.SSLContext
    source: str


@dataclass(frozen=True, slots=True)
class Network:
    """`trust` is None for plain http, which needs none."""

    proxy: Proxy | None
    trust: Trust | None


def read_network(base_url: str) -> Network:
    """Raises DefendctlError for a setting that cannot be honoured, by its name."""
    parts = urlsplit(base_url)
    proxy = proxy_for(base_url, _environment(parts.hostname or ""))
    return Network(proxy, read_trust(os.environ) if parts.scheme == "https" else None)


def _environment(host: str) -> Mapping[str, str]:
    """With the proxies of the system's own settings, which count where no variable names one."""
    if sys.platform not in ("darwin", "win32"):
        return os.environ
    from urllib import request

    if request.getproxies_environment() or request.proxy_bypass(host):
        return os.environ
    return {**os.environ, **{f"{scheme}_proxy": url for scheme, url in request.getproxies().items()}}


def read_trust(environ: Mapping[str, str]) -> Trust:
    """SSL_CERT_FILE and SSL_CERT_DIR together, else the first bundle that is named, else certifi's."""
    file, folders = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    if file or folders:
        return _trust(("SSL_CERT_FILE", file), ("SSL_CERT_DIR", folders))
    for variable in _BUNDLES:
        path = environ.get(variable)
        if path:
            one, none = (variable, path), (variable, None)
            return _trust(none, one) if Path(path).is_dir() else _trust(one, none)
    import certifi

    return Trust(_context(certifi.where(), None), "the public authorities (certifi)")


def _trust(file: tuple[str, str | None], folders: tuple[str, str | None]) -> Trust:
    """Each a variable and its value."""
    named = [(variable, value) for variable, value in (file, folders) if value]
    if file[1]:
        _check_file(file[0], file[1])
    if folders[1]:
        _check_folders(folders[0], folders[1], alone=not file[1])
    try:
        context = _context(file[1], folders[1])
    except ssl.SSLError as error:
        what = "no certificate" if error.reason == "NO_CERTIFICATE_OR_CRL_FOUND" else "a broken certificate"
        raise _unusable(*named[0], f"it holds {what}; PEM is expected") from error
    if file[1] and not context.cert_store_stats()["x509"]:
        raise _unusable(*named[0], "it holds no certificate")
    return Trust(context, " and ".join(f"{variable} ({value})" for variable, value in named))


def _context(file: str | None, folders: str | None) -> ssl.SSLContext:
    """Raises SSLError for what is in the file."""
    try:
        return ssl.create_default_context(cafile=file, capath=folders)
    except ssl.SSLError:
        raise
    except OSError as error:  # Python opens it for whoever makes a context
        log = os.environ.get("SSLKEYLOGFILE", "")
        raise DefendctlError(
            f"SSLKEYLOGFILE ({log}): {error.strerror}", "name a file that can be written, or unset it"
        ) from error


def _check_file(variable: str, path: str) -> None:
    """Before it is read: a pipe would hang."""
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise _unusable(variable, path, "it is not a regular file")
        Path(path).open("rb").close()
    except OSError as error:
        raise _unusable(variable, path, error.strerror or "it cannot be read") from error


def _check_folders(variable: str, paths: str, *, alone: bool) -> None:
    """A list, as OpenSSL takes it: there a folder without certificates is silence, and nobody is trusted."""
    found = False
    for path in paths.split(os.pathsep):
        try:
            found |= any(_HASHED.fullmatch(name.name) for name in Path(path).iterdir())
        except OSError as error:
            raise _unusable(variable, path, error.strerror or "it cannot be read") from error
    if alone and not found:
        raise _unusable(
            variable,
            paths,
            "no certificate in it is named by its hash",
            "run `openssl rehash` on it",
        )


def _unusable(variable: str, path: str, why: str, first: str = "correct it") -> DefendctlError:
    return DefendctlError(f"{variable} ({path}) cannot be used: {why}", f"{first}, or {_UNSET}")
