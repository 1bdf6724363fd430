"""`minicnn gui`: the window that sorts photos."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import click

from minicnn.apps.cli import options
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.model_file import load_sorter_model
from minicnn.errors import MissingExtraError
from minicnn.installed import missing_extra

# What Qt needs of the operating system; a desktop has it, a server or a container may not.
DEBIAN_PACKAGES = "libegl1 libgl1 libglib2.0-0 libfontconfig1 libxkbcommon0 libdbus-1-3"
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


@cli_command("minicnn gui", "minicnn gui ~/Pictures")
@click.argument("folder", type=options.FOLDER, required=False)
@click.option("--model", type=options.PATH, help="Model to use from now on: a file, or a run.")
@click.pass_context
def command(ctx: click.Context, folder: Path | None, model: Path | None) -> None:
    """Open a window that sorts the photos of FOLDER by what is on them.

    Nothing is deleted or replaced: photos are copied, or moved if you choose so in the menu, and
    "Undo last sort" takes it back.
    """
    ctx.exit(run(folder, model))


def run(folder: Path | None, model: Path | None) -> int:
    """Show the window until it is closed; return the exit code.

    Raises
    ------
    MissingExtraError : PySide6, or a library that it needs, is not installed
    OSError : there is no screen
    """
    try:
        program = importlib.import_module("minicnn.apps.window.program")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "PySide6":
            raise
        raise missing_extra("the window needs PySide6", "gui") from error
    except ImportError as error:  # PySide6 is here, and the system lacks, for example, libEGL.so.1
        raise MissingExtraError(
            f"the window cannot start: {error}. On Debian and Ubuntu, install what Qt needs with: "
            f"apt install {DEBIAN_PACKAGES}"
        ) from error
    check_screen()
    return int(program.run(load_sorter_model, folder, model))


def check_screen() -> None:
    """Raise OSError if there is no screen; Qt itself would abort the process."""
    if sys.platform == "linux" and not any(os.environ.get(name) for name in SCREENS):
        raise OSError(
            "there is no screen: neither DISPLAY nor WAYLAND_DISPLAY is set. Photos are sorted "
            "without a window by: minicnn sort FOLDER"
        )
