"""Servers that do not play by the rules, on real sockets."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Talk = Callable[[socket.socket, "Listener"], None]
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


class Listener:
    """Hands every connection to `talk`, in a thread of its own; keeps what was received."""

    def __init__(self, talk: Talk, family: int = socket.AF_INET) -> None:
        host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        self.received: list[bytes] = []
        self.connections = 0
        self._talk = talk
        self._socket = socket.create_server((host, 0), family=socket.AddressFamily(family))
        self.port = int(self._socket.getsockname()[1])
        self.url = f"http://[::1]:{self.port}" if family == socket.AF_INET6 else f"http://{host}:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def request(self, connection: socket.socket) -> bytes:
        """The head of a request, and as much of its body as it says; empty at the end."""
        request = _message(connection)
        if request:
            self.received.append(request)
        return request

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            self._talk(connection, self)


def _message(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        got = connection.recv(65536)
        if not got:
            return b""
        data += got
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < sum(lengths):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answering(answer: Callable[[bytes], bytes]) -> Talk:
    """Every request on a connection gets what `answer` makes of it."""

    def talk(connection: socket.socket, listener: Listener) -> None:
        while request := listener.request(connection):
            connection.sendall(answer(request))

    return talk


def sending(*parts: bytes, every: float = 0.0, endless: bool = False) -> Talk:
    """After one request, these parts, with a pause before each; the last for ever if `endless`."""

    def talk(connection: socket.socket, listener: Listener) -> None:
        listener.request(connection)
        send(connection, *parts, every=every, endless=endless)

    return talk


def send(connection: socket.socket, *parts: bytes, every: float = 0.0, endless: bool = False) -> None:
    pause = threading.Event()
    for part in parts:
        pause.wait(every)
        connection.sendall(part)
    while endless:
        pause.wait(every)
        connection.sendall(parts[-1])


def wait(connection: socket.socket) -> None:
    """Until the other side has gone."""
    while connection.recv(65536):
        pass


def relaying(port: int, spoil: Callable[[bytes], Callable[[socket.socket], None] | None]) -> Talk:
    """Every request goes on to the API at `port`; the answers to some are spoilt on their way back."""

    def talk(connection: socket.socket, listener: Listener) -> None:
        while request := listener.request(connection):
            with socket.create_connection(("127.0.0.1", port)) as upstream:
                upstream.sendall(request)
                answer = _message(upstream)
            spoilt = spoil(request)
            if spoilt:
                spoilt(connection)
                return
            connection.sendall(answer)

    return talk


def tunnel(connection: socket.socket, listener: Listener) -> None:
    """A proxy: CONNECT to a loopback port, then bytes both ways."""
    target = listener.request(connection).split()[1].decode()
    with socket.create_connection(("127.0.0.1", int(target.rpartition(":")[2]))) as upstream:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=_pump, args=(upstream, connection, None), daemon=True)
        back.start()
        _pump(connection, upstream, listener.received)
        back.join(5)


def demanding(status: bytes, *headers: bytes) -> Talk:
    """A proxy that answers every CONNECT with this status."""

    def talk(connection: socket.socket, listener: Listener) -> None:
        listener.request(connection)
        lines = [b"HTTP/1.1 " + status, b"content-length: 0", *headers]
        connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n")

    return talk


def behind_tls(certificate: Path, talk: Talk) -> Talk:
    """The same within TLS, by a certificate of `certify`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))

    def secured(connection: socket.socket, listener: Listener) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            talk(secure, listener)

    return secured


def certify(certificate: Path, *hosts: str) -> Path:
    """Makes a certificate for these hosts, which signs itself, with its key beside it."""
    subject = ["-subj", f"/CN={hosts[0]}", "-addext", "subjectAltName="]
    subject[-1] += ",".join(f"{'IP' if host[0].isdigit() or ':' in host else 'DNS'}:{host}" for host in hosts)
    command: list[str | Path] = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    files: list[str | Path] = ["-keyout", certificate.with_suffix(".key"), "-out", certificate]
    subprocess.run([*command, *subject, *files], check=True, capture_output=True)
    return certificate


def _pump(source: socket.socket, target: socket.socket, kept: list[bytes] | None) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            if kept is not None:
                kept.append(data)
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def listening(talk: Talk, family: int = socket.AF_INET) -> Iterator[Listener]:
    listener = Listener(talk, family)
    try:
        yield listener
    finally:
        listener.close()
