"""One request, one bounded answer, over connections that are kept.

Every request has an overall deadline, which httpx lacks: at the deadline the socket is shut down, which
ends whatever waits for it. The socket comes from the trace of the connection. Of the environment nothing
counts but what `network.py` makes of it.
"""

from __future__ import annotations

import json as json_text
import socket
import ssl
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from defendctl import __version__
from defendctl.api.answer import Answer, NotSent, Unanswered
from defendctl.api.connection import CONNECT_TIMEOUT, SENDING, Request, Severed, connect, form
from defendctl.api.deadlines import Deadlines
from defendctl.api.network import Network, read_network
from defendctl.hosts import DEFAULT_PORTS, api_host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from urllib.parse import SplitResult

    from defendctl.api.connection import Connection, Headers
    from defendctl.api.proxy import Proxy


class _Call:
    """A request under way, which any thread may cut short."""

    def __init__(self, method: str, before_send: Callable[[], None] | None, connection: Connection) -> None:
        self.sent = False
        self.reached = False
        """Whether it has come past the proxy, to the API's own host."""
        self.cut_after: float | None = None
        self._method = method.encode()
        self._before_send = before_send
        self._connection = connection

    def trace(self, name: str, info: dict[str, Any]) -> None:
        if name.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._connection.socket = info["return_value"].get_extra_info("socket")
            if self.cut_after is not None:
                self.cut(self.cut_after)
        elif name == "proxy.start_tls.started":
            self.reached = True
        elif name == SENDING and info["request"].method == self._method:
            if self.cut_after is not None:
                raise Severed(TimeoutError("the time ran out before there was a connection"))
            if self._before_send:
                self._before_send()
            self.sent = True

    def cut(self, seconds: float) -> None:
        self.cut_after = seconds
        if self._connection.socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._connection.socket, socket.SHUT_RDWR)


class Transport:
    """Safe to use from many threads. As many connections are kept for GET and PUT as were used at once."""

    def __init__(self, base_url: str, key: str) -> None:
        """Raises DefendctlError for a setting of the network that cannot be honoured."""
        self._host = api_host(base_url)
        self._base = urlsplit(base_url.rstrip("/"))
        self._path = quote(self._base.path, safe="/%:@!$&'()*+,;=~")
        self._headers = _headers(self._base, key)
        self._network = read_network(base_url)
        self._deadlines = Deadlines()
        self._idle: list[Connection] = []
        self._closed = False

    def send(
        self,
        method: str,
        path: str,
        *,
        seconds: float,
        json: Any = None,
        params: Mapping[str, int | str] | None = None,
        file: tuple[str, str, bytes] | None = None,
        before_send: Callable[[], None] | None = None,
    ) -> Answer:
        """Raises NotSent or Unanswered. `before_send` runs when the connection stands and nothing has been
        sent; what it raises comes out as it is, and nothing is sent. With it, the connection is a fresh one.
        `file` is a part's name, a file's name and what it holds: the one part of a form."""
        headers, content = form(*file) if file else _body(json)
        target = self._path + path + (f"?{urlencode(params, doseq=True)}" if params else "")
        request = Request(method, target, self._headers + headers, content)
        with self._connection(fresh=before_send is not None) as connection:
            call = _Call(method, before_send, connection)
            try:
                with self._deadlines.within(seconds, call.cut):
                    return connection.send(request, call.trace)
            except Severed as error:
                raise self._failure(error, call) from None

    def hurry(self, seconds: float) -> None:
        """Let what is under way take this many seconds more, and no longer."""
        self._deadlines.hurry(seconds)

    def close(self) -> None:
        """What is under way comes to its end, and its connection is not kept."""
        self._closed = True
        self._deadlines.close()
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _connection(self, *, fresh: bool) -> Iterator[Connection]:
        """Kept only after an answer: httpcore counts a tunnel whose TLS failed as in use, and the next
        request would wait for it without end."""
        connection = (None if fresh else self._kept()) or connect(self._base, self._network)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if fresh or self._closed:
            connection.close()
        else:
            self._idle.append(connection)

    def _kept(self) -> Connection | None:
        """The one that was used last, for it has the best chance to stand still."""
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if connection.is_usable():
                    return connection
                connection.close()
        return None

    def _failure(self, error: Severed, call: _Call) -> Unanswered | NotSent:
        if not call.sent:
            return _not_sent(error, call, self._network, self._host)
        if call.cut_after is not None:
            return Unanswered(f"no complete answer within {call.cut_after:g} s")
        return Unanswered(_why_lost(error))


def _headers(base: SplitResult, key: str) -> Headers:
    host = (base.hostname or "").encode("idna").decode()
    name = f"[{host}]" if ":" in host else host
    port = "" if base.port in (None, DEFAULT_PORTS[base.scheme]) else f":{base.port}"
    said = {
        "Host": name + port,
        "Authorization": f"Bearer {key}",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"defendctl/{__version__}",
    }
    return [(name.encode(), value.encode()) for name, value in said.items()]


def _body(json: Any) -> tuple[Headers, bytes | Iterable[bytes]]:
    if json is None:
        return [], b""
    content = json_text.dumps(json, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % len(content))], content


def _why_lost(error: Severed) -> str:
    """Without the text of a library where it could quote what was received."""
    if error.kind == "RemoteProtocolError":
        return "the connection was closed before the answer was complete, or the answer is not HTTP"
    return f"the connection broke ({error.kind})"


def _not_sent(error: Severed, call: _Call, network: Network, host: str) -> NotSent:
    proxy, where = network.proxy, _in_the_way(call, network.proxy, host)
    untrusted = _untrusted(error)
    if proxy and error.kind == "ProxyError":
        return _refused_by(proxy, str(error).partition(" ")[0], host)
    if untrusted and network.trust:
        why = f"the certificate of {where} is not trusted: {untrusted.verify_message}"
        return NotSent(f"{why}; trusted: {network.trust.source}", again=False)
    if call.cut_after is not None:
        return NotSent(f"no connection to {where} within {call.cut_after:g} s")
    if error.kind == "ConnectTimeout":
        return NotSent(f"no connection to {where} within {CONNECT_TIMEOUT:g} s")
    if error.kind == "ConnectError":
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
