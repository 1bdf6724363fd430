"""The command `minicnn <verb>`: finds the verb, runs it, and says in one line what went wrong."""

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
from minicnn.apps.cli import exit_codes, output
from minicnn.apps.cli.command import VerbGroup, add_common_options, common_options
from minicnn.checks import nearest
from minicnn.errors import MiniCNNError
from minicnn.startup import INTERRUPTED
from minicnn.version import __version__


class Verb(NamedTuple):
    """Where a verb's click command is, and its line in `minicnn --help`."""

    target: str  # "module:attribute"
    help: str


VERBS = {
    "reproduce": Verb("minicnn.apps.cli.reproduce:command", "Train and report a paper's system."),
    "train": Verb("minicnn.apps.cli.train:command", "Train a network on a folder of images."),
    "test": Verb("minicnn.apps.cli.test:command", "Accuracy, per class and worst mistakes."),
    "predict": Verb("minicnn.apps.cli.predict:command", "What is on these images?"),
    "data": Verb("minicnn.apps.cli.data:command", "Split, check, count, preview, fetch images."),
    "tune": Verb("minicnn.apps.cli.tune:command", "Search for good hyper-parameters."),
    "classic": Verb("minicnn.apps.cli.classic:command", "Methods without a network, to compare."),
    "models": Verb("minicnn.apps.cli.models:command", "The networks that --model can name."),
    "summary": Verb("minicnn.apps.cli.summary:command", "The table of a model's layers."),
    "show": Verb("minicnn.apps.cli.show:command", "Kernels, feature maps, Grad-CAM of a model."),
    "verify": Verb("minicnn.apps.cli.verify:command", "Do all engines compute the same?"),
    "doctor": Verb("minicnn.apps.cli.doctor:command", "Why does a training not learn?"),
    "devices": Verb("minicnn.apps.cli.devices:command", "Engines and processors of this machine."),
    "version": Verb("minicnn.apps.cli.version:command", "Versions, for a report of a problem."),
}
ALIASES = {"evaluate": "test", "device_query": "devices"}


class Verbs(VerbGroup):
    """The verbs of a table, each imported when it is asked for: the others cost nothing."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The verbs, in the table's order."""
        return list(VERBS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """The verb's click command, or None if there is none of that name."""
        verb = VERBS.get(ALIASES.get(name, name))
        return load(verb) if verb else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but an unknown verb's error names the nearest one."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            ctx.fail(f"no verb {args[0]!r}{nearest(args[0], [*VERBS, *ALIASES])}")
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of verbs, without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, verb.help) for name, verb in VERBS.items()])


def load(verb: Verb) -> click.Command:
    """Import a verb's command and give it the options that all verbs have."""
    module, _, name = verb.target.partition(":")
    command: click.Command = getattr(importlib.import_module(module), name)
    add_common_options(command)
    return command


@click.group(
    cls=Verbs,
    examples=["minicnn reproduce lenet", "minicnn train --data photos --model scene"],
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="minicnn")
def cli() -> None:
    """Convolutional networks from scratch: prepare images, train, test, look inside.

    `minicnn VERB --help` explains a verb.
    """


# Also before the verb: `minicnn --threads 1 train ...`.
cli.params += common_options()


def run(args: Sequence[str]) -> int:
    """Run one command line and return its exit code; errors are printed, not raised.

    A mistake in what was asked for or in the data becomes one line. Anything else is a bug of
    minicnn and keeps its stack.
    """
    debug = "--debug" in args
    output.be_quiet(False)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning  # type: ignore[assignment]
        return _run(args, debug)


def _run(args: Sequence[str], debug: bool) -> int:
    try:
        return _code(cli.main(list(args), prog_name="minicnn", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        output.error("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:  # as of `minicnn ... | head`: who reads has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.FAILED
    except (MiniCNNError, OSError, MemoryError) as error:
        if debug:
            raise
        output.error(exit_codes.message_of(error))
        return exit_codes.code_of(error)


def _show_warning(message: Warning | str, *_: Any) -> None:
    """Without the file and line of the program, which tell its user nothing."""
    output.warn(str(message))


def _code(returned: Any) -> int:
    """click hands back the number of `ctx.exit(n)`, or whatever the verb's function returned."""
    return returned if isinstance(returned, int) else exit_codes.OK


def main() -> NoReturn:
    """What the `minicnn` script calls. Once the work is done, Ctrl-C changes nothing any more."""
    code = INTERRUPTED
    try:
        startup.watched()
        output.show_everything()
        code = run(sys.argv[1:])
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:  # between the lines above, or a second one while the first is told
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        output.error("Interrupted.")
    sys.exit(code)
