"""Runs the sandbox on a loopback port: in the foreground, or in a thread of this process."""

import asyncio
import functools
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from defendctl.sandbox.app import create_app
from defendctl.sandbox.generations import NEWEST
from defendctl.sandbox.scores import BadScores, Scripts, read_scores
from defendctl.sandbox.store import BadData

__all__ = ["BadData", "BadScores", "embedded", "read_scores", "serve"]

_print = functools.partial(print, flush=True)


def serve(
    port: int = 0,
    generation: str = NEWEST,
    answers: str | None = None,
    data: str = ":memory:",
    api_key: str | None = None,
    announce: Callable[[str], None] = _print,
    scores: Scripts | None = None,
) -> None:
    """Serves on 127.0.0.1 until SIGINT or SIGTERM; `announce` gets the base URL when it can be used."""
    app = create_app(data, generation, answers, api_key, scores)
    sock = _loopback(port)
    _Server(app, functools.partial(announce, _base_url(sock))).run([sock])


@contextmanager
def embedded(
    data: str = ":memory:",
    generation: str = NEWEST,
    answers: str | None = None,
    api_key: str | None = None,
    scores: Scripts | None = None,
    delay: float = 0.2,
) -> Iterator[str]:
    """Serves from a daemon thread on a free port and yields the base URL."""
    ready = threading.Event()
    sock = _loopback(0)
    server = _Server(create_app(data, generation, answers, api_key, scores, delay), ready.set)
    url = _base_url(sock)
    thread = threading.Thread(target=server.run, args=([sock],), name="sandbox", daemon=True)
    thread.start()
    try:
        if not ready.wait(10):
            raise RuntimeError("the sandbox did not start")
        yield url
    finally:
        server.stop()
        thread.join(2)


def _loopback(port: int) -> socket.socket:
    # asyncio disables Nagle's algorithm only on sockets that name their protocol; with it,
    # an answer takes 40 ms.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    return sock


def _base_url(sock: socket.socket) -> str:
    return f"http://127.0.0.1:{sock.getsockname()[1]}"


class _Protocol(H11Protocol):
    """Hands the application its connection, which ASGI does not: some faults close it without an answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app = _with_transport(self.app, transport)


def _with_transport(app: Any, transport: asyncio.Transport) -> ASGIApp:
    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        scope["sandbox.transport"] = transport
        await app(scope, receive, send)

    return wrapped


class _Server(uvicorn.Server):
    """Silent, announces when it listens, and stops at once instead of waiting for idle connections."""

    def __init__(self, app: ASGIApp, announce: Callable[[], None]) -> None:
        super().__init__(_config(app))
        self._announce = announce
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """May be called from another thread or a signal handler."""
        self.should_exit = True
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopping.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.stop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self._announce()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # a tick renews the Date header
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await self.lifespan.shutdown()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, but does not raise the signal again afterwards: stopping is no failure."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        loop="asyncio",
        log_config=None,
        log_level="critical",
        access_log=False,
        timeout_keep_alive=600,  # a client must meet a closed connection only where a fault says so
    )
