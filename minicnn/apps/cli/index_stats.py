"""`minicnn index stats`: what a library holds, in numbers."""

from __future__ import annotations

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.library.opening import database_errors, open_library
from minicnn.apps.library.preparing import TOP, recall_at
from minicnn.apps.library.statistics import LibraryStats, library_stats
from minicnn.support.text import printable

MEGABYTE = 1e6
CLASSES = 10  # of a network in the text


@cli_command("minicnn index stats photos", "minicnn index stats postgresql://me@server/pictures")
@click.argument("address", metavar="LIB")
@options.as_json()
def command(address: str, as_json: bool) -> None:
    """Count the pictures, folders, features and classes of a library.

    LIB is a file, a folder that has its library inside, or an address of PostgreSQL.
    """
    library = open_library(address)
    with database_errors(library):
        stats = library_stats(library)
        recall = recall_at(library)
    fields = stats._asdict()
    fields["extractors"] = [one._asdict() for one in stats.extractors]
    fields["failures"] = [{"path": path, "reason": reason} for path, reason in stats.failures]
    output.either(as_json, text_of(stats, recall), library=library.name, recall=recall, **fields)


def text_of(stats: LibraryStats, recall: dict[str, float]) -> str:
    """Return the numbers as tables, and how much an approximate search finds of each features."""
    failed = len(stats.failures)
    parts = [f"{stats.pictures:,} pictures", f"{failed:,} unreadable" if failed else ""]
    parts += [f"{stats.waiting:,} not read yet" if stats.waiting else ""]
    lines = [
        f"{', '.join(filter(None, parts))}; {stats.bytes / MEGABYTE:,.1f} MB",
        "",
        output.table(["folder", "pictures"], stats.folders.items()),
        "",
        output.table(
            ["features", "model", "numbers", "pictures"],
            [[one.name, one.sha256[:8], one.dimensions, one.vectors] for one in stats.extractors],
        ),
    ]
    if recall:
        shares = ", ".join(f"{share:.1%} by {name}" for name, share in recall.items())
        lines += ["", f"Approximate search finds of the {TOP} most similar pictures: {shares}"]
    for one in stats.extractors:
        if one.classes:
            lines += ["", _classes(one.name, one.classes)]
    if failed:
        lines += ["", *(printable(f"{path}: {reason}") for path, reason in stats.failures)]
    return "\n".join(lines)


def _classes(name: str, classes: dict[str, int]) -> str:
    """Return the table of the most frequent classes that a network sees."""
    rows = list(classes.items())
    shown = rows[:CLASSES]
    if len(rows) > CLASSES:
        shown.append((f"{len(rows) - CLASSES} others", sum(n for _, n in rows[CLASSES:])))
    return output.table([f"class by {name}", "pictures"], shown)
