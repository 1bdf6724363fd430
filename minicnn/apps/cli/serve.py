"""`minicnn serve`: search a library by image in a browser."""

from __future__ import annotations

import click

from minicnn.apps.cli import options
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.web_server import HOST, PORT, serve_pages, token_for
from minicnn.apps.library.loading import model_source
from minicnn.apps.library.opening import database_errors
from minicnn.apps.web import service
from minicnn.apps.web.keywords import KeywordSearch
from minicnn.support.text import printable


@cli_command(
    "minicnn serve photos",
    "minicnn serve photos --port 9000 --allow-urls",
    "minicnn serve postgresql://me@server/pictures --host 192.168.1.20",
)
@click.argument("address", metavar="LIB")
@click.option(
    "--host", default=HOST, show_default=True,
    help="Address of this machine for other machines; the pages then also need a secret.",
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
    token = token_for(host)
    source = None if model is None else model_source(model)
    current = service.start(
        address, model=source, allow_urls=allow_urls, token=token, keywords=search
    )
    try:
        with database_errors(current.library):
            serve_pages(printable(current.library.name), host, port, token)
    finally:
        service.stop()
