"""What all commands share: examples at the top of their help, and options for the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from minicnn import config, random
from minicnn.apps.cli import output
from minicnn.backends import set_backend
from minicnn.errors import ArgumentError

Function = Callable[..., Any]


class _WithExamples:
    """A mixin for click's commands: `--help` begins with lines to copy."""

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


class Command(_WithExamples, click.Command):
    """A command, or a subcommand such as `data split`."""


class CommandWithVerbs(Command):
    """A command whose first word may name another one: `sort DIR` and `sort learn MODEL DIR`."""

    verbs: Mapping[str, click.Command] = {}

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **more: Any,
    ) -> click.Context:
        """Make the context of the command that the first word names, or of this one."""
        verb = self.verbs.get(args[0]) if args else None
        if verb is None:
            return super().make_context(info_name, args, parent, **more)
        return verb.make_context(f"{info_name} {args[0]}", args[1:], parent, **more)


class CommandGroup(_WithExamples, click.Group):
    """A command with subcommands, such as `data`."""


def cli_command(
    *examples: str, verbs: Mapping[str, click.Command] | None = None, **settings: Any
) -> Callable[[Function], Command]:
    """Decorate the function of a command; `examples` are whole command lines.

    `verbs` are further commands, each for a first word of its own.
    """
    kind = type("Verbs", (CommandWithVerbs,), {"verbs": verbs}) if verbs else Command
    return click.command(cls=kind, examples=examples, **settings)


def cli_group(*examples: str, **settings: Any) -> Callable[[Function], CommandGroup]:
    """Decorate the function of a command with subcommands, which `subcommand` adds."""
    return click.group(cls=CommandGroup, examples=examples, **settings)


def subcommand(
    group: CommandGroup, *examples: str, **settings: Any
) -> Callable[[Function], Command]:
    """Decorate the function of a subcommand, and add it to its group."""

    def add(function: Function) -> Command:
        command = cli_command(*examples, **settings)(function)
        group.add_command(command)
        return command

    return add


def _option(*names: str, use: Callable[[Any], None], **settings: Any) -> click.Option:
    """Return an option that calls `use` with its value and is not passed to the command."""

    def callback(_ctx: click.Context, _param: click.Parameter, value: Any) -> None:
        if value is None or value is False:  # 0 is a seed
            return
        try:
            use(value)
        except ArgumentError as error:
            raise click.BadParameter(str(error)) from error

    return click.Option(names, expose_value=False, callback=callback, **settings)


def common_options() -> list[click.Option]:
    """Return new options for one command, since click's options cannot be shared."""
    return [
        _option("--seed", type=click.IntRange(0), use=random.set_random_seed,
                help="Seed of all random numbers."),
        _option("--threads", type=click.IntRange(1), use=config.set_threads,
                help="Threads of the C++ engine."),
        _option("--backend", metavar="NAME", use=set_backend,
                help="Engine: numpy, native, cuda or auto."),
        _option("--quiet", is_flag=True, use=output.be_quiet,
                help="Print results and errors only."),
        _option("--debug", is_flag=True, use=lambda _: None,
                help="Print the full traceback of an error."),
    ]  # fmt: skip


def add_common_options(command: click.Command) -> None:
    """Add the common options that the command, or each of its subcommands, does not define."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            add_common_options(one)
        return
    for one in getattr(command, "verbs", {}).values():
        add_common_options(one)
    taken = {name for param in command.params for name in param.opts}
    command.params += [one for one in common_options() if not taken & set(one.opts)]
