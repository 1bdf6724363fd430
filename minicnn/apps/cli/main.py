"""The command `minicnn COMMAND`: find the subcommand, run it, and print errors as one line."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import click

from minicnn import startup
from minicnn.apps.cli import exit_codes, output, processes
from minicnn.apps.cli.command import CommandGroup, add_common_options, common_options
from minicnn.checks import nearest
from minicnn.errors import MiniCNNError
from minicnn.startup import INTERRUPTED
from minicnn.version import __version__


class CommandEntry(NamedTuple):
    """The module of a command, whose click command is named `command`, and its line of help."""

    module: str
    help: str


COMMANDS = {
    "reproduce": CommandEntry("reproduce", "Train the system of a paper, with a report."),
    "train": CommandEntry("train", "Train a network on a folder of images."),
    "test": CommandEntry("test", "Test a model: accuracy, classes, worst mistakes."),
    "predict": CommandEntry("predict", "Classify images."),
    "sort": CommandEntry("sort", "Put images into folders by what is on them."),
    "index": CommandEntry("index", "Put pictures into a library that can be searched."),
    "gui": CommandEntry("gui", "Sort photos in a window."),
    "search": CommandEntry("search", "Find the pictures of a library that are similar to one."),
    "data": CommandEntry("data", "Split, check, count, preview and fetch images."),
    "tune": CommandEntry("tune", "Search for good hyperparameters."),
    "serve": CommandEntry("serve", "Search by image in a browser."),
    "explore": CommandEntry("explore", "See how a network computes and learns, in a browser."),
    "classic": CommandEntry("classic", "Compare with methods that use no network."),
    "models": CommandEntry("models", "List the networks that --model can name."),
    "summary": CommandEntry("summary", "Print the layers of a model."),
    "show": CommandEntry("show", "Draw kernels, feature maps or Grad-CAM of a model."),
    "convert": CommandEntry("convert", "Write a model in another format: Keras, ONNX, Caffe."),
    "verify": CommandEntry("verify", "Check that all engines compute the same."),
    "doctor": CommandEntry("doctor", "Find out why a training does not learn."),
    "lesson": CommandEntry("lesson", "Exercises of the course, with a check that explains."),
    "devices": CommandEntry("devices", "List the engines and processors of this machine."),
    "version": CommandEntry("version", "Print versions, for bug reports."),
}
ALIASES = {"evaluate": "test", "device_query": "devices"}


class LazyCommands(CommandGroup):
    """A group that imports each command of `COMMANDS` only when it is used."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the table's order."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Return the command of that name, or None if there is none."""
        entry = COMMANDS.get(ALIASES.get(name, name))
        return load(entry) if entry else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve a command as click does; the error for an unknown one suggests the nearest.

        A process that has no part in the command's work ends here.
        """
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            ctx.fail(f"no command {args[0]!r}{nearest(args[0], [*COMMANDS, *ALIASES])}")
        if args and not processes.has_work(args[0]):
            ctx.exit()
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


def load(entry: CommandEntry) -> click.Command:
    """Import a command and add the common options to it."""
    module = importlib.import_module(f"minicnn.apps.cli.{entry.module}")
    command: click.Command = module.command
    add_common_options(command)
    return command


@click.group(
    cls=LazyCommands,
    examples=["minicnn reproduce lenet", "minicnn train --data photos --model scene"],
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="minicnn")
def cli() -> None:
    """Convolutional networks from scratch: prepare images, train, test and explain networks.

    `minicnn COMMAND --help` describes a command.
    """


# The common options may also come before the command: `minicnn --threads 1 train ...`.
cli.params += common_options()


def run(args: Sequence[str]) -> int:
    """Run one command line, print its errors, and return its exit code.

    A mistake in the arguments or in the data is printed as one line. Any other error is a bug of
    minicnn and is raised with its traceback.
    """
    debug = "--debug" in args
    output.be_quiet(False)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning  # type: ignore[assignment]
        return _run(args, debug)


def _run(args: Sequence[str], debug: bool) -> int:
    try:
        processes.begin()
        return _code(cli.main(list(args), prog_name="minicnn", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        output.error("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of `minicnn ... | head` has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.FAILED
    except (MiniCNNError, OSError, MemoryError) as error:
        if debug:
            raise
        return processes.fail(error)


def _show_warning(message: Warning | str, *_: Any) -> None:
    """Print a warning without the file and line of the program, which do not help its user."""
    output.warn(str(message))


def _code(returned: Any) -> int:
    """Return the exit code of `ctx.exit(n)`; the functions of commands return None."""
    return returned if isinstance(returned, int) else exit_codes.OK


def main() -> NoReturn:
    """Run the command line of this process, and exit; the `minicnn` script calls this.

    Once the work is done, Ctrl-C no longer changes the exit code.
    """
    code = INTERRUPTED
    try:
        startup.watched()
        output.show_everything()
        code = run(sys.argv[1:])
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:  # outside of `run`, or while it handled another one
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        output.error("Interrupted.")
    sys.exit(code)
