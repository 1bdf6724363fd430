"""What `predict` and `sort` have in common when several processes classify images for one table."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from minicnn.apps.cli import output
from minicnn.apps.cli.model_file import network_file
from minicnn.apps.cli.progress import counting_in_logs
from minicnn.backends import current_backend, instruction_set
from minicnn.distributed.blocks import Work, remove_rest, shared
from minicnn.distributed.launch import place
from minicnn.support.files import open_regular
from minicnn.version import __version__


def check_table(csv_file: Path | None, *, force: bool, command: str) -> None:
    """Check that the table can be written, and that several processes have one to write.

    Raises
    ------
    click.UsageError : mpirun has started several processes, and there is no --csv
    OSError : as `output.check_target`
    """
    here = place()
    if csv_file is None and here.size > 1:
        raise click.UsageError(
            f"{here.size} processes share their work only if it is written to a file: "
            f"mpirun -n {here.size} minicnn {command} ... --csv out.csv"
        )
    if csv_file is not None and here.rank == 0:
        remove_rest(csv_file)
        output.check_target(csv_file, force=force)


def facts(model: Path | None, **others: object) -> dict[str, str]:
    """Return what predictions depend on besides the images.

    `model` is a file, or a run folder; None is the model that comes with minicnn.
    """
    engine = " ".join([current_backend(), instruction_set()]).strip()
    found = {"model": "" if model is None else _digest(network_file(model))}
    found |= {name: str(value) for name, value in others.items()}
    return {**found, "engine": engine, "version": __version__}


@contextmanager
def shared_table(csv_file: Path, work: Work, *, force: bool) -> Iterator[Iterator[bytes] | None]:
    """Share the work as `shared` does, and show its progress.

    If it ends early, say how to go on.
    """
    try:
        with (
            counting_in_logs("classifying") as progress,
            shared(csv_file, work, force=force, progress=progress) as results,
        ):
            if results is not None:
                output.be_heard()  # this process reports, even if it is not process 0
            yield results
    except (KeyboardInterrupt, OSError):
        if place().rank == 0:
            output.note("What is done is kept. To go on, repeat the command.")
        raise


def _digest(path: Path) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
