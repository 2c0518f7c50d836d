"""A proxy for any protocol of questions and answers: slow, deaf, or losing either half of an exchange."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Loss = Literal["before", "after"]
"""The question does not arrive; or it does, and its answer is lost. Either ends the connection."""
_CHUNK = 1 << 20


class Proxy:
    """`lose` is asked for each question, counted from 1 over all connections, what to lose of it."""

    def __init__(self, target: int) -> None:
        self.delay = 0.0
        """Seconds that a question takes, and an answer."""
        self.refuses = False
        self.stalls = False
        """Whether questions are swallowed while the connection stays."""
        self.lose: Callable[[int], Loss | None] = lambda number: None
        self.questions = 0
        self.sent = 0
        """Bytes of all questions."""
        self._target = target
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_next(self, loss: Loss, nth: int = 1) -> None:
        """Of the nth question from now on."""
        which = self.questions + nth
        self.lose = lambda number: loss if number == which else None

    def cut(self) -> None:
        """Every connection that stands."""
        for each in [*self._open]:
            _shut(each)

    def close(self) -> None:
        _shut(self._listener)
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.refuses:
                    client.close()
                    continue
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            client.close()
            return
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _Exchange(self, client, server).run()

    def question(self) -> Loss | None:
        with self._guard:
            self.questions += 1
            return self.lose(self.questions)

    def standing(self, *ends: socket.socket) -> None:
        self._open.update(ends)

    def gone(self, *ends: socket.socket) -> None:
        self._open.difference_update(ends)


class _Exchange:
    """One connection. A question begins with the first bytes of the client, or those after an answer."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._asking = False
        self._loss: Loss | None = None

    def run(self) -> None:
        self._proxy.standing(self._client, self._server)
        back = threading.Thread(target=self._answers, daemon=True)
        back.start()
        self._questions()
        self._end()
        back.join()
        self._proxy.gone(self._client, self._server)
        self._client.close()
        self._server.close()

    def _questions(self) -> None:
        with suppress(OSError):
            while data := self._client.recv(_CHUNK):
                if not self._asking:
                    self._asking, self._loss = True, self._proxy.question()
                    time.sleep(self._proxy.delay)
                if self._loss == "before":
                    return
                if not self._proxy.stalls:
                    self._proxy.sent += len(data)
                    self._server.sendall(data)

    def _answers(self) -> None:
        with suppress(OSError):
            while data := self._server.recv(_CHUNK):
                if self._loss == "after":
                    break
                if self._asking:
                    self._asking = False
                    time.sleep(self._proxy.delay)
                self._client.sendall(data)
        self._end()

    def _end(self) -> None:
        _shut(self._client)
        _shut(self._server)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxied(port: int) -> Iterator[Proxy]:
    """A proxy before what listens on a port of this machine."""
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
