"""`minicnn serve`: search a library by image in a browser."""

from __future__ import annotations

import errno
import ipaddress
import secrets
import signal
from types import FrameType

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.library.loading import model_source
from minicnn.apps.library.opening import Library, database_errors
from minicnn.apps.web import service
from minicnn.apps.web.keywords import KeywordSearch
from minicnn.apps.web.server import Server, make_server, port_of
from minicnn.support.text import printable

HOST, PORT = "127.0.0.1", 8000


@cli_command(
    "minicnn serve photos",
    "minicnn serve photos --port 9000 --allow-urls",
    "minicnn serve postgresql://me@server/pictures --host 192.168.1.20",
)
@click.argument("address", metavar="LIB")
@click.option(
    "--host", default=HOST, show_default=True,
    help="Address of this machine that others reach it by; a secret is then needed as well.",
)  # fmt: skip
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True,
    help="Port; 0 is any free one.",
)  # fmt: skip
@click.option("--allow-urls", is_flag=True, help="Also fetch images from addresses of the web.")
@click.option(
    "--model", metavar="NAME|FILE",
    help="Network that says what is on an image; default: the library's.",
)  # fmt: skip
@click.option(
    "--keyword-search", "keywords", metavar="ADDRESS",
    help="Offer to ask this address of the web, with {word} in it, for pictures of a class.",
)  # fmt: skip
def command(
    address: str, host: str, port: int, allow_urls: bool, model: str | None, keywords: str | None
) -> None:
    """Show pages in which the pictures of a library are searched by image.

    LIB is what minicnn index made: a file, a folder that has its library inside, or an address of
    PostgreSQL. Pictures stay on this machine: only it can open the pages, unless --host says
    otherwise, and nothing is fetched from the web, unless --allow-urls says so. Ctrl-C ends it.
    """
    search = (
        None if keywords is None else options.typed("--keyword-search", KeywordSearch, keywords)
    )
    token = None if is_loopback(host) else secrets.token_urlsafe(16)
    source = None if model is None else model_source(model)
    current = service.start(
        address, model=source, allow_urls=allow_urls, token=token, keywords=search
    )
    try:
        with database_errors(current.library):
            _serve(current.library, host, port, token)
    finally:
        service.stop()


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server on this address.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _serve(library: Library, host: str, port: int, token: str | None) -> None:
    server = _listening(host, port)
    signal.signal(signal.SIGTERM, _end)
    shown = f"[{host}]" if ":" in host else host
    link = f"http://{shown}:{port_of(server)}/"
    if token is not None:
        output.warn("other machines can reach these pages; who has this address sees the pictures")
        link += f"?token={token}"
    output.note(f"{printable(library.name)}; Ctrl-C ends it")
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
