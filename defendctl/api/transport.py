"""One request, one bounded answer. The only module that knows httpx.

Every request has an overall deadline, which httpx lacks: at the deadline the socket is shut down, which
ends whatever waits for it. The socket comes from httpx's trace of the connection. Of the environment httpx is
told nothing but what `network.py` makes of it.
"""

from __future__ import annotations

import io
import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import httpx

from defendctl import __version__
from defendctl.api.network import Network, read_network
from defendctl.hosts import api_host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from defendctl.api.proxy import Proxy

MAX_BODY: Final = 8 * 1024 * 1024
CONNECT_TIMEOUT: Final = 5.0


class NotSent(Exception):
    """No byte of the request left: DNS, refused, TLS, proxy. `again`: another try may end otherwise."""

    def __init__(self, why: str, *, again: bool = True) -> None:
        super().__init__(why)
        self.again = again


class Unanswered(Exception):
    """The request left, or part of it, and there is no answer that can be used."""


class TooLarge(Unanswered):
    """The answer is larger than is read."""


class _Oversized(httpx.DecodingError):
    pass


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: httpx.Headers
    body: bytes


class _Call:
    """A request under way, which any thread may cut short."""

    def __init__(self, method: str, before_send: Callable[[], None] | None, sockets: threading.local) -> None:
        self.sent = False
        self.reached = False
        """Whether it has come past the proxy, to the API's own host."""
        self.cut_after: float | None = None
        self._method = method.encode()
        self._before_send = before_send
        self._sockets = sockets
        self._socket: socket.socket | None = getattr(sockets, "current", None)

    def trace(self, name: str, info: dict[str, Any]) -> None:
        if name.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._socket = self._sockets.current = info["return_value"].get_extra_info("socket")
            if self.cut_after is not None:
                self.cut(self.cut_after)
        elif name == "proxy.start_tls.started":
            self.reached = True
        elif name == "http11.send_request_headers.started" and info["request"].method == self._method:
            if self.cut_after is not None:
                raise httpx.ConnectTimeout("the time was up before the connection stood")
            if self._before_send:
                self._before_send()
            self.sent = True

    def cut(self, seconds: float) -> None:
        self.cut_after = seconds
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class Transport:
    """Safe to use from many threads; each keeps one connection alive for GET and PUT."""

    def __init__(self, base_url: str, key: str) -> None:
        """Raises DefendctlError for a setting of the network that cannot be honoured."""
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._network = read_network(base_url)
        self._local = threading.local()
        self._clients: set[httpx.Client] = set()
        self._calls: set[_Call] = set()
        self._guard = threading.Lock()
        self._until: float | None = None

    def send(
        self,
        method: str,
        path: str,
        *,
        seconds: float,
        json: Any = None,
        params: dict[str, Any] | None = None,
        file: tuple[str, str, bytes] | None = None,
        before_send: Callable[[], None] | None = None,
    ) -> Answer:
        """Raises NotSent or Unanswered. `before_send` runs when the connection stands and nothing has been
        sent; what it raises comes out as it is, and nothing is sent. With it, the connection is a fresh one.
        `file` is a part's name, a file's name and what it holds: the one part of a form."""
        call = _Call(method, before_send, threading.local() if before_send else self._local)
        try:
            with self._client(fresh=before_send is not None) as client, self._deadline(call, seconds):
                url = self._base_url + path
                request = client.build_request(method, url, json=json, params=params, files=_form(file))
                request.extensions["trace"] = call.trace
                return _receive(client, request)
        except httpx.HTTPError as error:
            raise self._failure(error, call) from None

    def hurry(self, seconds: float) -> None:
        """Let what is under way take this many seconds more, and no longer."""
        with self._guard:
            self._until = time.monotonic() + seconds
            calls = list(self._calls)
        for call in calls:
            _cut_later(call, seconds)

    def close(self) -> None:
        with self._guard:
            clients = list(self._clients)
        for client in clients:
            client.close()

    @contextmanager
    def _client(self, *, fresh: bool) -> Iterator[httpx.Client]:
        if fresh:
            with self._new_client() as client:
                yield client
            return
        if not hasattr(self._local, "client"):
            self._local.client = self._new_client()
            with self._guard:
                self._clients.add(self._local.client)
        try:
            yield self._local.client
        except BaseException:
            self._drop_client()
            raise

    def _drop_client(self) -> None:
        """After a failure: httpcore counts a tunnel whose TLS failed as in use, and the next request would
        wait for it without end."""
        client = self._local.client
        del self._local.client
        with self._guard:
            self._clients.discard(client)
        client.close()

    def _new_client(self) -> httpx.Client:
        trust = self._network.trust
        return httpx.Client(
            verify=trust.context if trust else False,
            proxy=_proxy(self._network),
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            headers={
                "Authorization": f"Bearer {self._key}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": f"defendctl/{__version__}",
            },
        )

    def _failure(self, error: httpx.HTTPError, call: _Call) -> Unanswered | NotSent:
        if isinstance(error, _Oversized):
            return TooLarge(str(error))
        if not call.sent:
            return _not_sent(error, call, self._network, api_host(self._base_url))
        if call.cut_after is not None:
            return Unanswered(f"no complete answer within {call.cut_after:g} s")
        return Unanswered(_why_lost(error))

    @contextmanager
    def _deadline(self, call: _Call, seconds: float) -> Iterator[None]:
        if self._until is not None:
            seconds = max(0.0, min(seconds, self._until - time.monotonic()))
        timer = _cut_later(call, seconds)
        with self._guard:
            self._calls.add(call)
        try:
            yield
        finally:
            timer.cancel()
            with self._guard:
                self._calls.discard(call)


def _proxy(network: Network) -> httpx.Proxy | None:
    proxy = network.proxy
    if proxy is None:
        return None
    secure = network.trust.context if network.trust and proxy.url.startswith("https:") else None
    headers = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else None
    return httpx.Proxy(proxy.url, ssl_context=secure, headers=headers)


def _form(file: tuple[str, str, bytes] | None) -> list[tuple[str, tuple[str, BinaryIO]]] | None:
    """A stream, which leaves in small pieces; the type of the part follows from the file's name."""
    if file is None:
        return None
    part, name, content = file
    return [(part, (name, io.BytesIO(content)))]


def _cut_later(call: _Call, seconds: float) -> threading.Timer:
    timer = threading.Timer(seconds, call.cut, (seconds,))
    timer.daemon = True
    timer.start()
    return timer


def _receive(client: httpx.Client, request: httpx.Request) -> Answer:
    request.extensions["timeout"] = httpx.Timeout(None, connect=CONNECT_TIMEOUT).as_dict()
    response = client.send(request, stream=True)
    try:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise httpx.DecodingError("the answer is compressed, though that was not asked for")
        return Answer(response.status_code, response.headers, _body(response))
    finally:
        response.close()
        client.cookies.clear()


def _body(response: httpx.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > MAX_BODY:
            raise _Oversized(f"the answer is larger than {MAX_BODY // 1024 // 1024} MiB")
    return bytes(body)


def _why_lost(error: httpx.HTTPError) -> str:
    """Without the text of a library where it could quote what was received."""
    if isinstance(error, httpx.DecodingError):
        return str(error)
    if isinstance(error, httpx.RemoteProtocolError):
        return "the connection was closed before the answer was complete, or it is not HTTP"
    return f"the connection broke ({type(error).__name__})"


def _not_sent(error: httpx.HTTPError, call: _Call, network: Network, host: str) -> NotSent:
    proxy, where = network.proxy, _in_the_way(call, network.proxy, host)
    untrusted = _untrusted(error)
    if proxy and isinstance(error, httpx.ProxyError):
        return _refused_by(proxy, str(error).partition(" ")[0], host)
    if untrusted and network.trust:
        why = f"the certificate of {where} is not trusted: {untrusted.verify_message}"
        return NotSent(f"{why}; trusted: {network.trust.source}", again=False)
    if call.cut_after is not None:
        return NotSent(f"no connection to {where} within {call.cut_after:g} s")
    if isinstance(error, httpx.ConnectTimeout):
        return NotSent(f"no connection to {where} within {CONNECT_TIMEOUT:g} s")
    if isinstance(error, httpx.ConnectError):
        return NotSent(f"no connection to {where}: {error}")
    return NotSent(f"no connection to {where}: it closed the connection, or does not speak HTTP")


def _in_the_way(call: _Call, proxy: Proxy | None, host: str) -> str:
    if proxy is None:
        return host
    return f"{host} through the proxy {proxy}" if call.reached else f"the proxy {proxy}"


def _refused_by(proxy: Proxy, status: str, host: str) -> NotSent:
    if status != "407":
        return NotSent(f"the proxy {proxy} refuses to connect to {host} ({status})", again=status[0] != "4")
    if proxy.authorization:
        return NotSent(f"the proxy {proxy} refuses the user name and password (407)", again=False)
    return NotSent(f"the proxy {proxy} asks for a user name and password (407)", again=False)


def _untrusted(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """Behind the errors of the libraries stands that of Python."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error
