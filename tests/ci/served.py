"""What the forges of the tests share: a server on a loopback port, its faults, and what it was asked."""

from __future__ import annotations

import json
import re
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


@dataclass
class Fault:
    """What is asked with this method for a path like this ends so; `after`: it is done all the same."""

    method: str
    path: str
    status: int = 500
    times: int = 1_000_000
    after: bool = False
    drop: bool = False
    """No answer at all: the connection is closed."""
    headers: dict[str, str] = field(default_factory=dict)
    message: Any = "fault"


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    body: Any
    authorization: str | None
    values: dict[str, list[str]] = field(default_factory=dict)
    """Of a query that says a name more than once."""

    def page(self, every: Sequence[Any]) -> list[Any]:
        """Of what was asked for, as the forges part it."""
        size, number = int(self.query.get("per_page", 20)), int(self.query.get("page", 1))
        return list(every[size * (number - 1) : size * number])


Answer = tuple[int, Any]
Route = tuple[str, str, "Callable[[Any, re.Match[str], Asked], Answer]"]


@dataclass
class Served:
    """A forge behind HTTP. `routes` are tried in order."""

    token: str
    routes: list[Route] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def fault(self, method: str, path: str, **more: Any) -> None:
        self.faults.append(Fault(method, path, **more))

    def count(self, method: str, path: str = "") -> int:
        return sum(one.method == method and re.search(path, one.path) is not None for one in self.asked)

    def answer(self, asked: Asked) -> Answer:
        for method, pattern, function in self.routes:
            found = re.fullmatch(pattern, asked.path)
            if found and method == asked.method:
                return function(self, found, asked)
        return 404, {"message": "Not Found"}

    def faulty(self, asked: Asked) -> Fault | None:
        for one in self.faults:
            if one.times > 0 and one.method == asked.method and re.search(one.path, asked.path):
                one.times -= 1
                return one
        return None


def handler(served: Served) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            data = self.rfile.read(size) if size else b""
            asked = Asked(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query)),
                json.loads(data) if data else None,
                self.headers.get("Authorization"),
                parse_qs(parts.query),
            )
            served.asked.append(asked)
            fault = served.faulty(asked)
            status, body = 401, {"message": "Bad credentials"}
            if asked.authorization == f"Bearer {served.token}" and (fault is None or fault.after):
                status, body = served.answer(asked)
            if fault and fault.drop:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            if fault:
                status, body = fault.status, {"message": fault.message}
            self._send(status, body, fault.headers if fault else {})

        def _send(self, status: int, body: Any, headers: dict[str, str]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_PUT = _serve

    return Handler


@contextmanager
def serving(served: Served) -> Iterator[Served]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(served))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
