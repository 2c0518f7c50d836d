"""Answers that go wrong on request, to see what a client makes of them."""

import asyncio
import json
import re
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from defendctl.sandbox.model import new_id
from defendctl.sandbox.store import Store
from defendctl.sandbox.stream import broken_off

ADMIN = "/_sandbox/"
CHUNK = 65536
JSON = ("content-type", "application/json")


@dataclass
class Fault:
    kind: str
    method: str | None = None  # null: any
    path: str = ""  # a regular expression, searched in the path
    skip: int = 0  # matching requests to let pass first
    times: int | None = 1  # then how many to hit; null: all
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    seconds: float = 0.0
    bytes: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind; known are {', '.join(KINDS)}")
        re.compile(self.path)

    def hits(self, method: str, path: str) -> bool:
        """Whether this request is hit. Counts it."""
        if self.times == 0 or self.method not in (None, method) or not re.search(self.path, path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class Seen:
    """One request to the API; status stays null if it got no answer."""

    n: int
    method: str
    path: str
    query: str
    status: int | None = None


@dataclass
class Faults:
    """What was asked to go wrong, and what was asked of the API."""

    store: Store
    faults: list[Fault] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    def middleware(self, app: ASGIApp) -> ASGIApp:
        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["path"].startswith(ADMIN):
                await app(scope, receive, send)
                return
            send = self._watched(scope, send)
            fault = next((each for each in self.faults if each.hits(scope["method"], scope["path"])), None)
            if fault:
                body = await _whole_body(receive)
                await KINDS[fault.kind](Exchange(app, scope, receive, send, self.store, fault, body))
            else:
                await app(scope, receive, send)

        return wrapped

    def _watched(self, scope: Scope, send: Send) -> Send:
        """Notes the request now, and its status when it is answered."""
        query = scope["query_string"].decode("latin-1")
        seen = Seen(len(self.seen) + 1, scope["method"], scope["path"], query)
        self.seen.append(seen)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
            await send(message)

        return watched


@dataclass
class Exchange:
    """A request that met a fault, before anything was done about it."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send
    store: Store
    fault: Fault
    body: bytes

    async def commit(self) -> Answer:
        """Lets the API handle the request, and holds its answer back. Nothing in here really waits."""
        messages: list[Message] = []

        async def replay() -> Message:
            return {"type": "http.request", "body": self.body, "more_body": False}

        scope = {**self.scope, "sandbox.held": True}

        async def hold(message: Message) -> None:
            messages.append(message)

        await self.app(scope, replay, hold)
        headers = [(name.decode(), value.decode()) for name, value in messages[0]["headers"]]
        body = b"".join(each.get("body", b"") for each in messages[1:])
        return Answer(messages[0]["status"], headers, body)

    async def answer(self, answer: Answer) -> None:
        length = ("content-length", str(len(answer.body)))
        await self.start(answer.status, *{**dict([length]), **dict(answer.headers)}.items())
        await self.write(answer.body, last=True)

    async def start(self, status: int, *headers: tuple[str, str]) -> None:
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await self.send({"type": "http.response.start", "status": status, "headers": raw})

    async def write(self, data: bytes, last: bool = False) -> None:
        await self.send({"type": "http.response.body", "body": data, "more_body": not last})

    async def stream(self, chunks: Iterable[bytes]) -> None:
        """Writes for as long as the client listens, and lets others have their turn."""
        for data in chunks:
            if self.scope["sandbox.transport"].is_closing():
                return
            await self.write(data)
            await asyncio.sleep(0)

    async def hang_up(self) -> None:
        """Closes the connection behind the server's back; what was written still leaves."""
        self.scope["sandbox.transport"].close()
        while (await self.receive())["type"] != "http.disconnect":
            pass


async def _whole_body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


async def lost(exchange: Exchange) -> None:
    await exchange.hang_up()


async def lost_after(exchange: Exchange) -> None:
    await exchange.commit()
    await exchange.hang_up()


async def status(exchange: Exchange) -> None:
    await exchange.answer(_made_up(exchange.fault, exchange.fault.status))


async def status_after(exchange: Exchange) -> None:
    await exchange.commit()
    await status(exchange)


async def slow(exchange: Exchange) -> None:
    await asyncio.sleep(exchange.fault.seconds)
    await exchange.answer(await exchange.commit())


async def slow_after(exchange: Exchange) -> None:
    answer = await exchange.commit()
    await asyncio.sleep(exchange.fault.seconds)
    await exchange.answer(answer)


async def drip(exchange: Exchange) -> None:
    answer = await exchange.commit()
    await exchange.start(answer.status, *answer.headers)
    for byte in answer.body:
        await exchange.write(bytes([byte]))
        await asyncio.sleep(exchange.fault.seconds)
    await exchange.write(b"", last=True)


async def truncated(exchange: Exchange) -> None:
    answer = await exchange.commit()
    await exchange.start(answer.status, *answer.headers)
    await exchange.write(answer.body[: len(answer.body) // 2])
    await exchange.hang_up()


async def not_json(exchange: Exchange) -> None:
    await exchange.commit()
    body = exchange.fault.body or "<html><body>Welcome to the captive portal</body></html>"
    await exchange.answer(Answer(200, [("content-type", "text/html")], body.encode()))


async def body(exchange: Exchange) -> None:
    await exchange.commit()
    await exchange.answer(_made_up(exchange.fault, 200))


async def oversized(exchange: Exchange) -> None:
    await exchange.commit()
    await exchange.start(200, JSON)
    await exchange.write(b'{"workflow_id": "')
    await exchange.stream(_repeated(b"x", exchange.fault.bytes or 1 << 30))
    await exchange.write(b'"}', last=True)


async def gzip(exchange: Exchange) -> None:
    answer = await exchange.commit()
    await exchange.start(answer.status, JSON, ("content-encoding", "gzip"))
    bomb = exchange.fault.bytes
    await exchange.stream(_packed([answer.body] if bomb is None else _repeated(b"\0", bomb)))
    await exchange.write(b"", last=True)


async def ignore(exchange: Exchange) -> None:
    with exchange.store.discarding():
        answer = await exchange.commit()
    await exchange.answer(answer)


async def stream_error(exchange: Exchange) -> None:
    """Of a submission that streams."""
    answer = await exchange.commit()
    told = broken_off(answer.body, exchange.fault.body or "Synthetic failure of the stream.")
    headers = [(name, value) for name, value in answer.headers if name != "content-length"]
    await exchange.answer(Answer(answer.status, headers, told))


async def no_id(exchange: Exchange) -> None:
    answer = await exchange.commit()
    content = {name: value for name, value in json.loads(answer.body).items() if name != "workflow_id"}
    await exchange.answer(_json(answer.status, content))


async def wrong_id(exchange: Exchange) -> None:
    answer = await exchange.commit()
    await exchange.answer(_json(answer.status, {**json.loads(answer.body), "workflow_id": new_id("wkfl")}))


def _made_up(fault: Fault, status: int) -> Answer:
    headers = dict([JSON]) | {name.lower(): value for name, value in fault.headers.items()}
    return Answer(status, list(headers.items()), fault.body.encode())


def _json(status: int, content: dict[str, Any]) -> Answer:
    return Answer(status, [JSON], json.dumps(content).encode())


def _repeated(byte: bytes, total: int) -> Iterator[bytes]:
    return (byte * min(CHUNK, total - start) for start in range(0, total, CHUNK))


def _packed(plain: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=31)
    yield from map(packer.compress, plain)
    yield packer.flush()


KINDS: dict[str, Callable[[Exchange], Awaitable[None]]] = {
    "lost": lost,
    "lost-after": lost_after,
    "status": status,
    "status-after": status_after,
    "slow": slow,
    "slow-after": slow_after,
    "drip": drip,
    "truncated": truncated,
    "not-json": not_json,
    "body": body,
    "oversized": oversized,
    "gzip": gzip,
    "ignore": ignore,
    "stream-error": stream_error,
    "no-id": no_id,
    "wrong-id": wrong_id,
}
