"""Which base URLs the key may be sent to."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from defendctl.hosts import is_host, is_loopback


def base_url_problem(url: str) -> str | None:
    """What is wrong with a base URL, or None: the end of a sentence that begins with its name."""
    if any(c.isspace() or not c.isprintable() or c == "\\" for c in url):
        return "must not hold spaces, backslashes or control characters"
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises for one that is no number or too large
    except ValueError as error:
        return f"is not a URL ({error})"
    return _problem(url, parts)


def _problem(url: str, parts: SplitResult) -> str | None:
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https"):
        return "must begin with https://"
    if "@" in parts.netloc:
        return "must not hold a user name or password; the key comes from DEEPRAILS_API_KEY"
    if "?" in url or "#" in url:
        return "must not hold a query or a fragment"
    if not is_host(host):
        return "must name a host, like https://api.deeprails.com"
    if parts.scheme == "http" and not is_loopback(host):
        return "must use https: plain http would show the key to the network (only localhost may)"
    return None
