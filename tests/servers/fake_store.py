"""An object store in memory that can be made unsound, or made to answer anything: for what no real one does.

It speaks S3 and Google's XML API as far as a register needs them, and looks at no signature.
"""

from __future__ import annotations

import hashlib
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GENERATION = "x-goog-if-generation-match"
CONDITIONS = ("if-match", "if-none-match", GENERATION)


@dataclass(frozen=True)
class Kept:
    data: bytes
    generation: int
    modified: datetime

    @property
    def etag(self) -> str:
        """As S3 has it: equal bytes, equal tag."""
        return f'"{hashlib.md5(self.data).hexdigest()}"'


@dataclass
class FakeStore:
    ignored: tuple[str, ...] = ()
    """Conditions that it does not know, as many stores do."""
    pause: float = 0.0
    """Seconds between looking at what is there and putting something in its place: for others to look too."""
    answer: Callable[[str, str], tuple[int, str] | None] = lambda method, path: None
    """Instead of what it would do: a status and a body."""
    objects: dict[str, Kept] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Methods and paths, in their order."""
    confuses: bool = False
    """Whether it tells another version of what is read than of what was written."""
    claims: int | None = None
    """The size that it tells of an object whose bytes it does not send."""
    port: int = 0
    age: timedelta = timedelta()
    """By which what is put is older than now."""
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def put(self, path: str, data: bytes, conditions: dict[str, str]) -> Kept | None:
        """None where a condition does not hold."""
        if not self._holds(self.objects.get(path), conditions):
            return None
        time.sleep(self.pause)
        with self._guard:
            if not self.pause and not self._holds(self.objects.get(path), conditions):
                return None
            kept = Kept(data, len(self.asked) + 1, datetime.now(UTC) - self.age)
            self.objects[path] = kept
            return kept

    def listing(self, bucket: str, prefix: str) -> str:
        found = [
            f"<Contents><Key>{escape(path.removeprefix(bucket))}</Key><Size>{len(kept.data)}</Size>"
            f"<LastModified>{kept.modified:%Y-%m-%dT%H:%M:%SZ}</LastModified><ETag>{escape(kept.etag)}</ETag></Contents>"
            for path, kept in sorted(self.objects.items())
            if path.startswith(bucket + prefix)
        ]
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{''.join(found)}</ListBucketResult>"

    def _holds(self, there: Kept | None, conditions: dict[str, str]) -> bool:
        said = {name: value for name, value in conditions.items() if name not in self.ignored}
        tag, generation = (there.etag, str(there.generation)) if there else (None, "0")
        return (
            not ("if-none-match" in said and there)
            and said.get("if-match", tag) == tag
            and said.get(GENERATION, generation) == generation
        )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: FakeStore

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        path = unquote(parts.path)
        if self._is_answered(path):
            return
        if "list-type" in query:
            self._send(200, self.store.listing(path.rstrip("/") + "/", query.get("prefix", [""])[0]))
            return
        kept = self.store.objects.get(path)
        if kept is None:
            self._send(404, "<Error><Code>NoSuchKey</Code><Message>Not here.</Message></Error>")
        else:
            told = replace(kept, generation=0) if self.store.confuses else kept
            self._send(200, kept.data, told, self.store.claims)

    def do_PUT(self) -> None:
        path = unquote(urlsplit(self.path).path)
        data = self.rfile.read(int(self.headers["content-length"]))
        if self._is_answered(path):
            return
        named = {name.lower(): value for name, value in self.headers.items()}
        kept = self.store.put(path, data, {name: named[name] for name in CONDITIONS if name in named})
        if kept:
            self._send(200, b"", kept)
        else:
            self._send(412, "<Error><Code>PreconditionFailed</Code><Message>Lost.</Message></Error>")

    def do_DELETE(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if not self._is_answered(path):
            self.store.objects.pop(path, None)
            self._send(204, b"")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""

    def _is_answered(self, path: str) -> bool:
        self.store.asked.append(f"{self.command} {path}")
        answer = self.store.answer(self.command, path)
        if answer:
            self._send(*answer)
        return answer is not None

    def _send(
        self, status: int, body: str | bytes, kept: Kept | None = None, claims: int | None = None
    ) -> None:
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(claims or len(data)))
        if kept:
            self.send_header("ETag", kept.etag)
            self.send_header("x-goog-generation", str(kept.generation))
            self.send_header("Last-Modified", format_datetime(kept.modified, usegmt=True))
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = bool(claims)


@contextmanager
def fake_store() -> Iterator[FakeStore]:
    store = FakeStore()
    handler = type("Handler", (_Handler,), {"store": store})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    store.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
