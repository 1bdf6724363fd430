"""The web server: waitress, with limits that fit the application."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from typing import TypeAlias

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from waitress.server import MultiSocketServer, TcpWSGIServer, create_server

from minicnn.apps.web.middleware import AT_A_TIME

Server: TypeAlias = TcpWSGIServer | MultiSocketServer

THREADS = AT_A_TIME + 4  # the others refuse requests while these work
CONNECTIONS = 500  # open at a time
# Up to this many bytes a request is read, into a file, and the application answers that it is too
# large. Beyond it the connection ends, and a browser shows no reason.
MAX_BODY = 100_000_000
MALLOC_ARENA_MAX = -8  # the number of this setting in malloc.h
LOOPBACK = "127.0.0.1"
ALL_ADDRESSES = ("0.0.0.0", "::", "")


def make_server(host: str = LOOPBACK, port: int = 8000) -> Server:
    """Return a server that listens; its `run()` answers requests until its `close()`.

    Port 0 is any free one; `port_of` says which. `service.start` must have been called.
    """
    _answer_to(host)
    _share_memory_between_threads()
    return create_server(
        get_wsgi_application(),
        host=LOOPBACK if host.lower() == "localhost" else host,  # it has an address of IPv6, too
        port=port,
        threads=THREADS,
        connection_limit=CONNECTIONS,
        max_request_body_size=MAX_BODY,
        max_request_header_size=1 << 16,
        channel_timeout=30,
        asyncore_use_poll=True,  # select() cannot handle more than 1,024 files
        ident=None,  # no name and version in the responses
        log_socket_errors=False,
    )


def port_of(server: Server) -> int:
    """Return the port on which a server listens."""
    if isinstance(server, MultiSocketServer):
        return int(server.effective_listen[0][1])
    return int(server.effective_port)


def _share_memory_between_threads() -> None:
    """Let all threads take memory from two pools.

    The GNU C library would give each thread a pool of its own, which keeps what is freed: with 20
    threads, 20 MB more.
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library, or Windows
        ctypes.CDLL(None).mallopt(MALLOC_ARENA_MAX, 2)


def _answer_to(host: str) -> None:
    """Add the host to the names in requests that are answered; see `known_host`.

    A server on all addresses has many names. It has a token as well, which pages of other sites do
    not know, so that any name will do.
    """
    name = "*" if host in ALL_ADDRESSES else f"[{host}]" if ":" in host else host
    settings.ALLOWED_HOSTS = list({*settings.ALLOWED_HOSTS, name.lower()})
