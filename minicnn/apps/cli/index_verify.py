"""`minicnn index verify`: check a library against the disk and against its models."""

from __future__ import annotations

from collections import defaultdict

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.exit_codes import BadDataFound
from minicnn.apps.cli.progress import counting
from minicnn.apps.library.opening import database_errors, open_library
from minicnn.apps.library.verifying import KINDS, Verified, verify
from minicnn.support.text import printable

FEW = 5  # findings of a kind in the text


@cli_command("minicnn index verify photos", "minicnn index verify all.sqlite3 --contents")
@click.argument("address", metavar="LIB")
@click.option("--contents", is_flag=True, help="Read every file, instead of its size and time.")
@click.option("--all", "show_all", is_flag=True, help=f"Name all files, not {FEW} per kind.")
@options.as_json()
def command(address: str, contents: bool, show_all: bool, as_json: bool) -> None:
    """Check that a library is complete and fits the files and models it was made from.

    LIB is a file, a folder that has its library inside, or an address of PostgreSQL. Nothing is
    changed; minicnn index repairs what is found. The exit code is 3 if something is not in order.
    """
    library = open_library(address)
    with database_errors(library), counting("checking") as progress:
        found = verify(library, contents=contents, progress=progress)
    output.either(
        as_json, text_of(found, show_all),
        library=library.name, pictures=found.pictures, vectors=found.vectors,
        findings=[one._asdict() for one in found.findings],
    )  # fmt: skip
    if found.findings:
        raise BadDataFound(f"{len(found.findings):,} findings in {found.pictures:,} pictures")


def text_of(found: Verified, show_all: bool) -> str:
    """Return the findings, kind by kind."""
    lines = [f"{found.pictures:,} pictures with {found.vectors:,} vectors checked"]
    by_kind = defaultdict(list)
    for one in found.findings:
        by_kind[one.kind].append(printable(f"    {one.what} ({one.text})"))
    for kind, meaning in KINDS.items():
        texts = by_kind[kind]
        if texts:
            lines += [f"{kind}, {len(texts):,}: {meaning}", *(texts if show_all else texts[:FEW])]
            if len(texts) > FEW and not show_all:
                lines.append(f"    and {len(texts) - FEW:,} more (--all lists them)")
    return "\n".join(lines if found.findings else [*lines, "All is in order."])
