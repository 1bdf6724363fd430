"""What the commands that show pages in a browser have in common."""

from __future__ import annotations

import errno
import ipaddress
import secrets
import signal
from types import FrameType

from minicnn.apps.cli import output
from minicnn.apps.web.server import Server, make_server, port_of

HOST, PORT = "127.0.0.1", 8000


def token_for(host: str) -> str | None:
    """Return a new secret for pages that other machines can reach; None: this one alone can."""
    return None if is_loopback(host) else secrets.token_urlsafe(16)


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server on this address.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def serve_pages(title: str, host: str, port: int, token: str | None) -> None:
    """Print the address of the pages, and answer requests until Ctrl-C."""
    server = _listening(host, port)
    signal.signal(signal.SIGTERM, _end)
    shown = f"[{host}]" if ":" in host else host
    link = f"http://{shown}:{port_of(server)}/"
    if token is not None:
        output.warn("other machines can reach these pages; who has this address sees the pictures")
        link += f"?token={token}"
    output.note(f"{title}; Ctrl-C ends it")
    output.result(link)
    server.run()
    server.close()


def _listening(host: str, port: int) -> Server:
    try:
        return make_server(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            advice = "something else uses it; --port 0 takes any free one"
            raise OSError(f"port {port} of {host} is taken: {advice}") from error
        raise OSError(f"cannot listen on {host}, port {port}: {error.strerror}") from error


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
