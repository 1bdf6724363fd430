"""`minicnn index`: put the pictures of folders into a library that can be searched."""

from __future__ import annotations

import difflib
import errno
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from minicnn.apps.cli import (
    index_duplicates,
    index_forget,
    index_stats,
    index_verify,
    options,
    output,
)
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.exit_codes import BadDataFound
from minicnn.apps.cli.progress import counting, counting_in_logs
from minicnn.apps.library.feature_extractor import FeatureExtractor
from minicnn.apps.library.indexing import Indexed, index
from minicnn.apps.library.listing import NEEDS_HEIC
from minicnn.apps.library.loading import library_extractors, model_source
from minicnn.apps.library.models import Folder
from minicnn.apps.library.opening import Library, database_errors, file_of, open_library
from minicnn.apps.library.preparing import prepare
from minicnn.apps.library.together import of_environment
from minicnn.installed import install_command
from minicnn.models.training.interrupt import Interrupt
from minicnn.support.postgresql import is_server
from minicnn.support.text import format_seconds, printable

FEW = 3  # files named in a warning
EXAMPLE = "minicnn index photos"


@cli_command(
    EXAMPLE,
    "minicnn index photos holiday --library all.sqlite3 --model scene.mcnn",
    "minicnn index photos --database postgresql://me@server/pictures",
    "minicnn index stats photos",
    verbs={
        "stats": index_stats.command,
        "verify": index_verify.command,
        "duplicates": index_duplicates.command,
        "forget": index_forget.command,
    },
)
@click.argument("directories", type=options.PATH, nargs=-1, metavar="DIR...")
@click.option(
    "--library", "file", type=options.FILE,
    help="File of the library; default: .minicnn-library.sqlite3 in DIR.",
)  # fmt: skip
@click.option("--database", metavar="ADDRESS", help="Library on PostgreSQL: postgresql://...")
@click.option(
    "--model", "models", multiple=True, metavar="NAME|FILE",
    help="Network that sees the pictures: photo-small, efficientnet-lite0, a .mcnn file or a run "
    "folder. It may be given several times.",
)  # fmt: skip
@click.option("--rebuild", is_flag=True, help="Replace the features of models that have changed.")
@click.option("--force", is_flag=True, help="Accept that a folder has lost all its pictures.")
@options.as_json()
def command(
    directories: tuple[Path, ...],
    file: Path | None,
    database: str | None,
    models: tuple[str, ...],
    rebuild: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Put the pictures in each DIR, and in all folders below it, into a library.

    The library is a file in DIR, unless --library or --database names another place. A second run
    looks for new, changed, moved and deleted pictures; without DIR it searches the folders that the
    library has. Several runs may fill one library at the same time, also as one job of several
    processes: mpirun -n 4 minicnn index ...

    Each picture is described by its colors, its texture and a network: by default that of the
    library, for a new one EfficientNet-Lite0 if it is installed, else the one that comes with
    minicnn. A further --model is added to those of the library.

    No picture is changed. The exit code is 3 if some pictures cannot be read.
    """
    address = _address(directories, file, database)
    _check_folders(directories)
    library = open_library(address, create=bool(directories))
    with database_errors(library):
        folders = directories or _known_folders(library)
        extractors = library_extractors(library, [model_source(one) for one in models])
    together = of_environment()
    if together.is_first:
        output.note(f"{printable(library.name)}, described by {_names(extractors)}")
    with Interrupt() as interrupt, counting_in_logs("indexing") as progress:
        done = index(
            library, folders, extractors, force=force, rebuild=rebuild, progress=progress,
            stop=lambda: interrupt.asked, together=together,
        )  # fmt: skip
    if not together.is_first:
        return
    if not done.stopped:
        with database_errors(library), counting("preparing the search") as progress:
            prepare(library, progress)
    if as_json:
        output.print_json(**fields_of(done, library, extractors))
    else:
        output.result(text_of(done))
    _report(done, library)


def _address(
    directories: Sequence[Path], file: Path | None, database: str | None
) -> str | os.PathLike[str]:
    """Return where the library is."""
    if file is not None and database is not None:
        raise click.UsageError("give either --library or --database")
    if database is not None and not is_server(database):
        raise click.BadParameter("give postgresql://HOST/DATABASE", param_hint="--database")
    if database is not None or file is not None:
        return database if database is not None else str(file)
    if not directories:
        raise click.UsageError(f"DIR is missing: {EXAMPLE}")
    if len(directories) > 1:
        raise click.UsageError("where shall the library of these folders be? Add: --library FILE")
    return file_of(directories[0])


def _check_folders(directories: Sequence[Path]) -> None:
    """Check that the folders exist, before a library is made."""
    for directory in directories:
        if not directory.is_dir():
            seen = "is a file" if directory.exists() else f"no such folder{_similar(directory)}"
            text = f"{seen}; give a folder of pictures"
            raise FileNotFoundError(errno.ENOENT, text, str(directory))


def _similar(directory: Path) -> str:
    """Return a question for the folder beside it whose name is most like its own, or ""."""
    beside = directory.absolute().parent
    names = [one.name for one in beside.iterdir() if one.is_dir()] if beside.is_dir() else []
    close = difflib.get_close_matches(directory.name, names, n=1)
    return f", did you mean {directory.with_name(close[0])}?" if close else ""


def _known_folders(library: Library) -> list[str]:
    folders = list(Folder.objects.using(library.alias).values_list("path", flat=True))
    if not folders:
        raise click.UsageError(f"the library has no folders yet; give DIR: {EXAMPLE}")
    return folders


def _names(extractors: Sequence[FeatureExtractor]) -> str:
    return ", ".join(one.name for one in extractors)


def text_of(done: Indexed) -> str:
    """Return what a run found and did, in two lines."""
    scan = done.scan
    counts = {
        "new": scan.new,
        "changed": scan.changed,
        "moved": scan.moved,
        "deleted": scan.deleted,
    }
    seen = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    lines = [f"{scan.found:,} pictures found{': ' if seen else ', nothing has changed'}{seen}"]
    if scan.left_out:
        left = ", ".join(f"{count:,} {what}" for what, count in sorted(scan.left_out.items()))
        lines[0] += f"; left out: {left}"
    if done.described:
        speed = done.described / done.seconds
        lines.append(
            f"{done.described:,} pictures indexed in {format_seconds(done.seconds, 'words')}, "
            f"{speed:,.0f} a second"
        )
    return "\n".join(lines)


def fields_of(
    done: Indexed, library: Library, extractors: Sequence[FeatureExtractor]
) -> dict[str, Any]:
    """Return the fields of the JSON object."""
    scan = done.scan._asdict()
    del scan["parts"]
    return {
        "library": library.name,
        "folders": [part.path for part in done.scan.parts],
        "extractors": {one.name: one.sha256 for one in extractors},
        **scan,
        "indexed": done.described,
        "failed": [{"path": path, "reason": reason} for path, reason in done.failed],
        "stopped": done.stopped,
        "seconds": done.seconds,
    }


def _report(done: Indexed, library: Library) -> None:
    """Warn of unreadable pictures, and end with the exit code for them."""
    if NEEDS_HEIC in done.scan.left_out:
        output.note(f"HEIC images are read after: {install_command('heic')}")
    for path, reason in done.failed[:FEW]:
        output.warn(printable(f"{path} cannot be read: {reason}"))
    if len(done.failed) > FEW:
        output.warn(f"{len(done.failed) - FEW:,} more like it; minicnn index stats lists them")
    if done.stopped:
        output.note("Stopped before the end. To go on, repeat the command.")
        raise click.Abort
    if not done.scan.found:
        folders = ", ".join(part.path for part in done.scan.parts)
        raise FileNotFoundError(errno.ENOENT, "no pictures here, also not below", folders)
    if done.failed:
        raise BadDataFound(f"{len(done.failed):,} of {done.scan.found:,} pictures cannot be read")
    output.note(f"To search it: minicnn search {_shown(library)} PICTURE")


def _shown(library: Library) -> str:
    """Return how to type the library: the folder that it is in, its file, or ADDRESS."""
    if library.file is None:
        return "ADDRESS"
    folder = library.file.parent
    path = folder if file_of(folder) == library.file else library.file
    return shlex.quote(min(str(path), os.path.relpath(path), key=len))
