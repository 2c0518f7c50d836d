"""One connection to the API, and one request over it. The only module that knows httpx and its engine.

Without a proxy a connection is one of httpcore, which is what httpx sends with: its pool and its client cost
more than the request itself. Through a proxy, and for the form of an upload, httpx does the work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, Protocol

import httpcore

from defendctl.api.answer import Answer, TooLarge, Unanswered

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable
    from urllib.parse import SplitResult

    import httpx

    from defendctl.api.network import Network

    Headers = list[tuple[bytes, bytes]]
    Trace = Callable[[str, dict[str, Any]], None]
    """Called with the name of each step, as httpcore documents them for its extension `trace`."""

MAX_BODY: Final = 8 * 1024 * 1024
CONNECT_TIMEOUT: Final = 5.0
_KEPT: Final = 5.0
"""Seconds that a connection may lie idle: servers close theirs without a word."""
_TIMEOUT: Final = {"connect": CONNECT_TIMEOUT, "read": None, "write": None, "pool": None}


SENDING: Final = "http11.send_request_headers.started"
"""The step at which the connection stands, and nothing has been sent."""


class Severed(Exception):
    """There is no whole answer. `kind` is the name that httpx and its engine have for it; the text may quote
    what was received."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.kind = type(error).__name__


@dataclass(frozen=True, slots=True)
class Request:
    """`target` is path and query, in ASCII; `headers` all of them."""

    method: str
    target: str
    headers: Headers = field(repr=False)
    content: bytes | Iterable[bytes] = field(repr=False)


class Connection(Protocol):
    """To one host, for one request at a time."""

    socket: socket.socket | None
    """The one in use now, set by the trace; None before there is a connection."""

    def send(self, request: Request, trace: Trace) -> Answer:
        """Raises Severed, Unanswered or TooLarge, and what `trace` raises; it is of no more use then."""

    def is_usable(self) -> bool:
        """Whether another request can be sent over it."""

    def close(self) -> None: ...


class Direct:
    """Of httpx's engine, without its pool."""

    def __init__(self, base: SplitResult, network: Network) -> None:
        self.socket: socket.socket | None = None
        self._base = _url_of(base)
        trust = network.trust.context if network.trust else None
        self._line = httpcore.HTTPConnection(self._base.origin, ssl_context=trust, keepalive_expiry=_KEPT)

    def send(self, request: Request, trace: Trace) -> Answer:
        """Over a connection that stands already the one step that matters is told from here: ten calls for
        each request would cost a tenth of it."""
        stands = self.socket is not None
        asked = httpcore.Request(
            request.method,
            self._url(request.target),
            headers=request.headers,
            content=request.content,
            extensions={"timeout": _TIMEOUT} if stands else {"trace": trace, "timeout": _TIMEOUT},
        )
        try:
            if stands:
                trace(SENDING, {"request": asked})
            answer = self._line.handle_request(asked)
            try:
                return _receive(answer.status, answer.headers, answer.iter_stream())
            finally:
                answer.close()
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raise Severed(error) from error

    def is_usable(self) -> bool:
        return self._line.is_available() and not self._line.has_expired()

    def close(self) -> None:
        self._line.close()

    def _url(self, target: str) -> httpcore.URL:
        base = self._base
        return httpcore.URL(scheme=base.scheme, host=base.host, port=base.port, target=target)


class Proxied:
    """Through a proxy: tunnels are httpx's own business."""

    def __init__(self, base: SplitResult, network: Network) -> None:
        import httpx

        self.socket: socket.socket | None = None
        self._host = f"{base.scheme}://{base.netloc}"
        self._client = httpx.Client(
            verify=network.trust.context if network.trust else False,
            proxy=_proxy(network),
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
        )

    def send(self, request: Request, trace: Trace) -> Answer:
        import httpx

        asked = httpx.Request(
            request.method,
            self._host + request.target,
            headers=request.headers,
            content=request.content,
            extensions={"trace": trace, "timeout": _TIMEOUT},
        )
        try:
            answer = self._client.send(asked, stream=True)
            try:
                return _receive(answer.status_code, answer.headers.raw, answer.iter_raw())
            finally:
                answer.close()
                self._client.cookies.clear()
        except httpx.HTTPError as error:
            raise Severed(error) from error

    def is_usable(self) -> bool:
        return True

    def close(self) -> None:
        self._client.close()


@lru_cache(8)
def _url_of(base: SplitResult) -> httpcore.URL:
    """Looked up, for SplitResult takes its text apart each time that it is asked for the port."""
    host = (base.hostname or "").encode("idna")
    return httpcore.URL(scheme=base.scheme, host=host, port=base.port, target="")


def connect(base: SplitResult, network: Network) -> Connection:
    """To be made when it is needed; nothing is sent yet."""
    return Direct(base, network) if network.proxy is None else Proxied(base, network)


def form(part: str, name: str, content: bytes) -> tuple[Headers, Iterable[bytes]]:
    """A form with one file: its headers, and a stream, which leaves in small pieces. The type of the part
    follows from the file's name."""
    import httpx

    made = httpx.Request("POST", "http://form", files=[(part, (name, BytesIO(content)))])
    stream = made.stream
    assert isinstance(stream, httpx.SyncByteStream)
    return [(key, value) for key, value in made.headers.raw if key.lower().startswith(b"content-")], stream


def _proxy(network: Network) -> httpx.Proxy:
    import httpx

    proxy = network.proxy
    assert proxy, "there is one, or nothing goes this way"
    secure = network.trust.context if network.trust and proxy.url.startswith("https:") else None
    headers = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else None
    return httpx.Proxy(proxy.url, ssl_context=secure, headers=headers)


def _receive(status: int, raw: Headers, chunks: Iterable[bytes]) -> Answer:
    headers: dict[str, str] = {}
    for key, value in raw:
        name, text = key.decode("latin-1").lower(), value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Unanswered("the answer is compressed, and defendctl asked for a plain one")
    return Answer(status, headers, _body(chunks))


def _body(chunks: Iterable[bytes]) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLarge(f"the answer is larger than {MAX_BODY // 1024 // 1024} MiB")
    return bytes(body)
