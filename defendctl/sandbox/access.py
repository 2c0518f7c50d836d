"""Who may ask: whoever has the key, and for the console no page of another site."""

from hmac import compare_digest
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request

from defendctl.sandbox.bodies import Problem


class Refused(Exception):
    """An answer other than success."""

    def __init__(self, status: int, detail: str | list[Problem]) -> None:
        super().__init__()
        self.status = status
        self.detail = detail


def require_key(request: Request, right: str | None) -> None:
    """Without a configured key any will do."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    right = right or key
    if scheme.lower() != "bearer" or not key.strip() or not compare_digest(key.encode(), right.encode()):
        raise Refused(401, "Invalid or missing API key")


def refuse_other_sites(request: Request) -> None:
    """A browser says where a page is from; one whose name was made to lead here has that name as its host."""
    headers = request.headers
    host, origin = headers.get("host", ""), headers.get("origin")
    if not _is_loopback(host) or origin not in (None, f"http://{host}"):
        raise Refused(403, "Only requests from this machine are accepted, and none from another site")
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise Refused(403, "Requests from another site are not accepted")


def _is_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
