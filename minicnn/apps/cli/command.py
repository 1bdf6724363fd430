"""What every verb has: examples on top of its help, and options for the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from minicnn import config, random
from minicnn.apps.cli import output
from minicnn.backends import set_backend
from minicnn.errors import ArgumentError

Function = Callable[..., Any]


class _Examples:
    """Mixed into click's classes: `--help` begins with lines to copy."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.examples = tuple(examples)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
            formatter.write_paragraph()
        super().format_usage(ctx, formatter)  # type: ignore[misc]


class VerbCommand(_Examples, click.Command):
    """A verb, or one command of a verb that has several."""


class VerbGroup(_Examples, click.Group):
    """A verb that has several commands: `data split`, `data check`, ..."""


def verb(*examples: str, **settings: Any) -> Callable[[Function], VerbCommand]:
    """Decorates the function of a verb; `examples` are whole lines as one would type them."""
    return click.command(cls=VerbCommand, examples=examples, **settings)


def verb_group(*examples: str, **settings: Any) -> Callable[[Function], VerbGroup]:
    """Decorates the function of a verb with several commands; add them with `verb_of(group)`."""
    return click.group(cls=VerbGroup, examples=examples, **settings)


def verb_of(group: VerbGroup, *examples: str, **settings: Any) -> Callable[[Function], VerbCommand]:
    """Like `verb`, for one command of a group made by `verb_group`."""

    def add(function: Function) -> VerbCommand:
        command = verb(*examples, **settings)(function)
        group.add_command(command)
        return command

    return add


def _option(*names: str, use: Callable[[Any], None], **settings: Any) -> click.Option:
    """An option that acts by itself when it is given; the verb's function does not see it."""

    def callback(_ctx: click.Context, _param: click.Parameter, value: Any) -> None:
        if value is None or value is False:  # 0 is a seed
            return
        try:
            use(value)
        except ArgumentError as error:
            raise click.BadParameter(str(error)) from error

    return click.Option(names, expose_value=False, callback=callback, **settings)


def common_options() -> list[click.Option]:
    """New options for each command: click's may not be shared."""
    return [
        _option("--seed", type=click.IntRange(0), use=random.set_random_seed,
                help="Seed of everything that is random."),
        _option("--threads", type=click.IntRange(1), use=config.set_threads,
                help="Threads of the C++ engine."),
        _option("--backend", metavar="NAME", use=set_backend,
                help="Engine: numpy, native, cuda or auto."),
        _option("--quiet", is_flag=True, use=output.be_quiet,
                help="Nothing on the terminal but results and errors."),
        _option("--debug", is_flag=True, use=lambda _: None,
                help="Show where in the program an error came from."),
    ]  # fmt: skip


def add_common_options(command: click.Command) -> None:
    """Give the command, or each command of a group, the common options that it has not yet."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            add_common_options(one)
        return
    taken = {name for param in command.params for name in param.opts}
    command.params += [one for one in common_options() if not taken & set(one.opts)]
