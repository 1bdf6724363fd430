"""A small library of made pictures, and a server on it that a test starts."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from waitress import wasyncore

from minicnn.apps.library.indexing import index
from minicnn.apps.library.loading import library_extractors
from minicnn.apps.library.opening import Library, open_library
from minicnn.apps.web import service
from minicnn.apps.web.server import make_server, port_of

COLORS = ["red", "green", "blue", "yellow", "purple", "orange", "gray", "white"]


def image_bytes(
    color: str = "red", kind: str = "JPEG", size: tuple[int, int] = (64, 48), **options: Any
) -> bytes:
    """Return an image file: a color with some noise, so that it does not compress to nothing."""
    noise = np.random.default_rng(0).integers(0, 40, (size[1], size[0], 3))
    pixels = np.clip(np.asarray(Image.new("RGB", size, color), np.int16) + noise - 20, 0, 255)
    out = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(out, kind, **options)
    return out.getvalue()


def write_pictures(folder: Path, count: int = len(COLORS)) -> None:
    """Write JPEG files, `0.jpg` and so on, of different colors."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        size = 64 + number // len(COLORS), 48
        content = image_bytes(COLORS[number % len(COLORS)], size=size)
        (folder / f"{number}.jpg").write_bytes(content)


def fill_library(file: Path | str, folder: Path, network: str = "photo-small") -> Library:
    """Put all pictures of a folder into a library."""
    library = open_library(file, create=True)
    index(library, [folder], library_extractors(library, [network]))
    return library


def small_library(folder: Path) -> Path:
    """Make a library of eight pictures in a folder; return its file."""
    write_pictures(folder / "pictures")
    fill_library(folder / "library.sqlite3", folder / "pictures").close()
    return folder / "library.sqlite3"


class Reply(NamedTuple):
    """The response to one request."""

    status: int
    headers: http.client.HTTPMessage
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
    """Send a request to a server of this machine; `Content_Type="..."` is a header."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    with contextlib.closing(connection):
        connection.request(method, path, body, fields)
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())


class Served(NamedTuple):
    """A server that runs in this process."""

    port: int
    service: service.Service

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """Send a request; `Content_Type="..."` is a header."""
        return ask(self.port, method, path, body, **headers)

    def post(self, path: str, *fields: tuple[str, str | bytes], **headers: str) -> Reply:
        """Send a form; a value of bytes is a file."""
        kind, body = form(*fields)
        return self.ask("POST", path, body, Content_Type=kind, **headers)


def form(*fields: tuple[str, str | bytes]) -> tuple[str, bytes]:
    """Return the content type and the body of a form with files."""
    boundary = secrets.token_hex(8)
    parts = []
    for name, value in fields:
        kind = '; filename="a.jpg"\r\nContent-Type: image/jpeg' if isinstance(value, bytes) else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{kind}\r\n\r\n'
        content = value if isinstance(value, bytes) else value.encode(errors="surrogatepass")
        parts.append(head.encode() + content + b"\r\n")
    parts.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", b"".join(parts)


@contextlib.contextmanager
def serving(library: Path, **options: Any) -> Iterator[Served]:
    """Run a server on a library during the block; `options` are those of `Service`."""
    current = service.start(library, **options)
    try:
        with running_server() as port:
            yield Served(port, current)
    finally:
        service.stop()


@contextlib.contextmanager
def running_server() -> Iterator[int]:
    """Answer requests on a free port of this machine during the block."""
    server = make_server("127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield port_of(server)
    finally:
        # In the server's own thread, which alone may change its table of connections.
        with contextlib.suppress(OSError):  # it may be closed before the trigger is pulled
            server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map, ignore_all=True))
        thread.join()
        server.task_dispatcher.shutdown()
