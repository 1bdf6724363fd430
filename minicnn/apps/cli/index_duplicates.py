"""`minicnn index duplicates`: pictures of a library that look the same."""

from __future__ import annotations

from collections.abc import Sequence

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.progress import counting
from minicnn.apps.library.duplicates import Duplicate, duplicates
from minicnn.apps.library.opening import database_errors, open_library
from minicnn.support.text import printable

Group = Sequence[Duplicate]


@cli_command("minicnn index duplicates photos", "minicnn index duplicates photos --equal")
@click.argument("address", metavar="LIB")
@click.option("--equal", is_flag=True, help="Only files with the same bytes.")
@options.as_json()
def command(address: str, equal: bool, as_json: bool) -> None:
    """List pictures that look the same: equal files, and copies that were saved again.

    LIB is a file, a folder that has its library inside, or an address of PostgreSQL. The first of
    each group was indexed first. No file is changed.
    """
    library = open_library(address)
    with database_errors(library), counting("comparing") as progress:
        groups: list[Group] = [*duplicates(library, progress)]
    if equal:
        groups = [same for group in groups if len(same := [one for one in group if one.equal]) > 1]
    fields = [[one._asdict() for one in group] for group in groups]
    output.either(as_json, text_of(groups), library=library.name, groups=fields)


def text_of(groups: Sequence[Group]) -> str:
    """Return the groups as lines: the first picture, then what looks like it, indented."""
    if not groups:
        return "No two pictures look the same."
    more = sum(len(group) - 1 for group in groups)
    what = "1 group" if len(groups) == 1 else f"{len(groups):,} groups"
    lines = [f"{what} of pictures that look the same; {more:,} could go"]
    for first, *others in groups:
        lines += ["", printable(first.path)]
        lines += [f"    {printable(one.path)}{' (equal)' * one.equal}" for one in others]
    return "\n".join(lines)
