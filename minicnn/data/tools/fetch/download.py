"""One download with limits on address, redirects, time, size and content type.

Each redirect is checked like the first link: it is parsed, its name is resolved once, all addresses
must be public, and the connection is made to an address that was checked. So a name that resolves
to another address after the check (DNS rebinding) does no harm.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urljoin

from minicnn.data.tools.fetch.addresses import is_public
from minicnn.data.tools.fetch.links import Link, parse_link
from minicnn.errors import FetchRefused
from minicnn.version import __version__

REDIRECTS = (301, 302, 303, 307, 308)
HEADERS_BYTES = 64 << 10  # on top of the content's limit
CHUNK_BYTES = 64 << 10
LENGTH = re.compile("[0-9]{1,18}", re.ASCII)
NO_TYPE = ("", "application/octet-stream", "binary/octet-stream")  # the content decides then


def resolve(host: str, port: int) -> list[str]:
    """Return all addresses of a host from the system's resolver."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def connect(address: str, port: int, timeout: float) -> socket.socket:
    """Open a TCP connection to an address, so that no name is resolved again."""
    return socket.create_connection((address, port), timeout)


@dataclass(frozen=True)
class FetchLimits:
    """The limits of a download."""

    max_bytes: int = 10_000_000
    connect_seconds: float = 3.0
    total_seconds: float = 8.0
    redirects: int = 3
    allow_private: bool = False
    content_type: str = "image/"  # how it must begin


@dataclass(frozen=True)
class Transport:
    """The functions that resolve names and open connections; tests replace them."""

    resolve: Callable[[str, int], list[str]] = resolve
    connect: Callable[[str, int, float], socket.socket] = connect
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)


class Download(NamedTuple):
    """A downloaded content, and the link that it came from after all redirects."""

    content: bytes
    link: str


class Deadline:
    """The time at which a download must be complete."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left, or raise FetchRefused if there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise FetchRefused("took too long")
        return left


def download(
    text: str, limits: FetchLimits | None = None, transport: Transport | None = None
) -> Download:
    """Download the image file that a link leads to.

    No proxies, cookies or passwords are used. Compressed responses are refused, as a small one
    could expand to a large one.

    Raises
    ------
    FetchRefused
        The link is not allowed or the download failed. The text of the error is always the same;
        its `reason` says more and is meant for the owner of the machine.
    """
    limits, transport = limits or FetchLimits(), transport or Transport()
    deadline = Deadline(limits.total_seconds)
    link = parse_link(text, allow_private=limits.allow_private)
    for _ in range(limits.redirects + 1):
        try:
            found = _get(link, limits, transport, deadline)
            if isinstance(found, bytes):
                return Download(found, str(link))
            link = _redirected(link, found.location, limits)
        except FetchRefused:
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise FetchRefused(f"{type(error).__name__}: {error}") from error
    raise FetchRefused(f"more than {limits.redirects} redirects")


class _Redirect(NamedTuple):
    location: str


def _redirected(link: Link, location: str, limits: FetchLimits) -> Link:
    location = location.encode("latin-1").decode("utf-8", "replace")  # http.client reads latin-1
    target = parse_link(urljoin(str(link), location), allow_private=limits.allow_private)
    if link.scheme == "https" and target.scheme == "http":
        raise FetchRefused("redirected from https to http")
    return target


def _get(
    link: Link, limits: FetchLimits, transport: Transport, deadline: Deadline
) -> bytes | _Redirect:
    """Send one request; return the content or the redirect."""
    with _connected(link, limits, transport, deadline) as sock:
        stream = _TimedSocket(sock, deadline, limits.max_bytes + HEADERS_BYTES)
        connection = http.client.HTTPConnection(link.host, link.port)
        connection.sock = stream
        connection.putrequest("GET", link.target, skip_host=True, skip_accept_encoding=True)
        for name, value in _headers(link, limits).items():
            connection.putheader(name, value)
        connection.endheaders()
        with connection.getresponse() as response:
            if response.status in REDIRECTS:
                return _Redirect(response.getheader("Location") or "")
            _check_response(response, limits)
            return _read(response, limits)


def _headers(link: Link, limits: FetchLimits) -> dict[str, str]:
    return {
        "Host": link.authority,
        "User-Agent": f"minicnn/{__version__}",
        "Accept": "image/*" if limits.content_type == "image/" else limits.content_type,
        "Accept-Encoding": "identity",
        "Connection": "close",
    }


def _connected(
    link: Link, limits: FetchLimits, transport: Transport, deadline: Deadline
) -> socket.socket:
    """Connect to the first of the host's checked addresses that responds."""
    for address in _addresses(link, limits, transport, deadline):
        timeout = min(limits.connect_seconds, deadline.left())
        try:
            sock = transport.connect(address, link.port, timeout)
        except OSError as error:
            reason = error
            continue
        try:
            # A public address may be this machine's own; then both ends have the same address.
            if not limits.allow_private and sock.getsockname()[0] == sock.getpeername()[0]:
                raise FetchRefused(f"{link.host} is this machine")
            sock.settimeout(min(limits.connect_seconds, deadline.left()))
            return _tls_handshake(sock, link, transport) if link.scheme == "https" else sock
        except BaseException:
            sock.close()
            raise
    raise FetchRefused(f"{link.host} does not respond: {reason}")


def _tls_handshake(sock: socket.socket, link: Link, transport: Transport) -> socket.socket:
    return transport.tls.wrap_socket(sock, server_hostname=link.host)


def _addresses(
    link: Link, limits: FetchLimits, transport: Transport, deadline: Deadline
) -> list[str]:
    """Return the addresses of the link's host, all of them checked."""
    if link.address is not None:
        return [link.address]  # parse_link has checked it
    wait = min(limits.connect_seconds, deadline.left())
    addresses = _with_timeout(wait, lambda: transport.resolve(link.host, link.port))
    if not addresses:
        raise FetchRefused(f"{link.host} has no address")
    private = [address for address in addresses if not is_public(address)]
    if private and not limits.allow_private:
        raise FetchRefused(f"{link.host} is {private[0]}, which is not a public address")
    return addresses


def _with_timeout(seconds: float, function: Callable[[], list[str]]) -> list[str]:
    """Call `function` in a thread; a resolver cannot be interrupted, so a late one is abandoned."""
    results: list[list[str]] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(function())
        except (OSError, ValueError) as error:
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no thread can be started, so there is no timeout
        work()
    else:
        thread.join(seconds)
    if errors:
        raise FetchRefused(f"{type(errors[0]).__name__}: {errors[0]}")
    if not results:
        raise FetchRefused("the name was not resolved in time")
    return results[0]


def _check_response(response: http.client.HTTPResponse, limits: FetchLimits) -> None:
    if response.status != 200:
        raise FetchRefused(f"the server responded with {response.status}")
    kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
    wanted = kind.startswith(limits.content_type) and not kind.startswith("image/svg")
    if kind not in NO_TYPE and not wanted:
        what = "an image" if limits.content_type == "image/" else limits.content_type
        raise FetchRefused(f"the server sent {kind[:80]!r}, which is not {what}")
    encoding = (response.getheader("Content-Encoding") or "identity").strip().lower()
    if encoding != "identity":
        raise FetchRefused(f"the response is compressed ({encoding[:80]!r})")
    _check_length(response, limits)


def _check_length(response: http.client.HTTPResponse, limits: FetchLimits) -> None:
    """Refuse a wrong Content-Length, which http.client would ignore, and one above the limit."""
    declared = {text.strip() for text in response.headers.get_all("Content-Length", [])}
    if len(declared) > 1 or not all(LENGTH.fullmatch(text) for text in declared):
        raise FetchRefused(f"the response's length is {', '.join(sorted(declared))[:80]!r}")
    if response.length is not None and response.length > limits.max_bytes:
        raise FetchRefused(f"{response.length:,} bytes; at most {limits.max_bytes:,} are read")


def _read(response: http.client.HTTPResponse, limits: FetchLimits) -> bytes:
    content = bytearray()
    while chunk := response.read(CHUNK_BYTES):
        content += chunk
        if len(content) > limits.max_bytes:
            raise FetchRefused(f"more than {limits.max_bytes:,} bytes")
    if not content:
        raise FetchRefused("the response is empty")
    if response.length:  # http.client detects a truncated body only if it reads all at once
        raise FetchRefused(f"the response ends {response.length:,} bytes early")
    return bytes(content)


class _TimedSocket:
    """The methods of a socket that http.client needs; each read has only the time that is left.

    A socket's own timeout starts again with each byte, so a server that sends one byte per second
    could continue without end.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline, max_bytes: int) -> None:
        self._sock, self._deadline, self._left = sock, deadline, max_bytes

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._deadline.left())
        self._sock.sendall(data)

    def makefile(self, *_: Any) -> io.BufferedReader:
        return io.BufferedReader(_Stream(self))

    def close(self) -> None:
        """Do nothing; `_get` closes the real socket."""

    def receive_into(self, buffer: Any) -> int:
        self._sock.settimeout(self._deadline.left())
        count = self._sock.recv_into(buffer)
        self._left -= count
        if self._left < 0:
            raise FetchRefused("the server sent too many bytes")
        return count


class _Stream(io.RawIOBase):
    def __init__(self, sock: _TimedSocket) -> None:
        super().__init__()
        self._timed = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._timed.receive_into(buffer)
