"""A server on this machine that replaces the internet, and a transport that reaches only it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from functools import cached_property

from minicnn.data.tools.fetch import Transport

PUBLIC = "93.184.215.14"
Answer = bytes | Callable[[socket.socket], None]


def answer(
    body: bytes = b"", kind: str = "image/jpeg", status: str = "200 OK", **headers: str
) -> bytes:
    """Return a whole HTTP response; `Content_Length="5"` overrides the right length."""
    fields = {"Content-Type": kind, "Content-Length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items() if value)]
    return "\r\n".join([*lines, "", ""]).encode() + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    return answer(status=status, kind="text/html", Location=location)


class Internet:
    """A server with responses by path: bytes, or a function that is called with the socket."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers = answers
        self.requests: list[str] = []  # as they came
        self.connected: list[tuple[str, int]] = []  # where the client wanted to go
        self.asked: list[str] = []  # what it resolved
        self.names: Callable[[str], list[str]] = lambda _: [PUBLIC]
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.stopping = threading.Event()

    @cached_property
    def transport(self) -> Transport:
        return Transport(resolve=self._resolve, connect=self._connect)

    def _resolve(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        return self.names(host)

    def _connect(self, address: str, port: int, timeout: float) -> socket.socket:
        self.connected.append((address, port))
        # From another of the machine's addresses: a client would notice that it talks to itself.
        return socket.create_connection(
            ("127.0.0.1", self.port), timeout, source_address=("127.0.0.2", 0)
        )

    def serve(self) -> None:
        threads = []
        while not self.stopping.is_set():
            with contextlib.suppress(OSError):
                connection, _ = self._listening.accept()
                threads.append(threading.Thread(target=self._handle, args=(connection,)))
                threads[-1].start()
        for thread in threads:
            thread.join()

    def _handle(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                part = connection.recv(4096)
                if not part:
                    return
                request += part
            self.requests.append(request.decode())
            reply = self.answers.get(request.split()[1].decode(), answer(status="404 Not Found"))
            if isinstance(reply, bytes):
                connection.sendall(reply)
            else:
                reply(connection)

    def close(self) -> None:
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@contextlib.contextmanager
def internet(answers: dict[str, Answer]) -> Iterator[Internet]:
    """Run an Internet during the block."""
    server = Internet(answers)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()
