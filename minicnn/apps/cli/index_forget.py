"""`minicnn index forget`: remove the features of a network from a library."""

from __future__ import annotations

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.library.foreign import forget
from minicnn.apps.library.opening import database_errors, open_library


@cli_command("minicnn index forget photos scene")
@click.argument("address", metavar="LIB")
@click.argument("name", metavar="NETWORK")
@options.as_json()
def command(address: str, name: str, as_json: bool) -> None:
    """Remove the features that a network has made, and the network, from a library.

    LIB is a file, a folder that has its library inside, or an address of PostgreSQL. NETWORK is a
    name that minicnn index stats LIB lists.
    """
    library = open_library(address)
    with database_errors(library):
        count = forget(library, name)
    text = f"{count:,} pictures are no longer described by {name}."
    output.either(as_json, text, library=library.name, network=name, pictures=count)
