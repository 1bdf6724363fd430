"""The directive `command-line`: every command of `minicnn`, its lines to copy and its options."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import click
import docstrings
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from minicnn.apps.cli import main
from minicnn.apps.cli.command import common_options

COMMON = {name for option in common_options() for name in option.opts}


class CommandLine(SphinxDirective):
    """Describes the options that all commands have, then each command."""

    def run(self) -> list[nodes.Node]:
        """Return the nodes of the whole page but for its title."""
        lines = [*overview(), *title("Options of every command"), ".. program:: minicnn", ""]
        for option in common_options():
            lines += described_option(option)
        for name, command in commands():
            lines += described(name, command)
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def overview() -> list[str]:
    """Return a table of the commands and what they do, as `minicnn --help` prints it."""
    lines = [".. list-table::", "   :widths: auto", ""]
    for name, entry in main.COMMANDS.items():
        lines += [f"   * - `minicnn {name}`_", f"     - {docstrings.prose(entry.help, literal)}"]
    return [*lines, ""]


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield each command with its whole name, subcommands after the command that has them."""
    for name, entry in main.COMMANDS.items():
        command = main.load(entry)
        yield f"minicnn {name}", command
        for word, verb in subcommands(command).items():
            yield f"minicnn {name} {word}", verb


def subcommands(command: click.Command) -> dict[str, click.Command]:
    """Return the subcommands of a group, or what the first word of a command may choose."""
    return {**getattr(command, "commands", {}), **getattr(command, "verbs", {})}


def described(name: str, command: click.Command) -> list[str]:
    """Return the section of a command."""
    help_text = docstrings.text(inspect.cleandoc(command.help or "").splitlines(), literal)
    lines = [*title(name), *help_text]
    examples = getattr(command, "examples", ())
    lines += docstrings.block("text", list(examples)) if examples else []
    if isinstance(command, click.Group):
        return lines
    context = click.Context(command, info_name=name)
    lines += ["Usage:", "", *docstrings.block("text", [usage(command, context)])]
    lines += [f".. program:: {name}", ""]
    for option in options_of(command):
        lines += described_option(option)
    return lines


def title(text: str) -> list[str]:
    """Return the heading of a section."""
    return [text, "-" * len(text), ""]


def literal(word: str) -> str:
    """Return words between backticks as code."""
    return f"``{word}``"


def usage(command: click.Command, context: click.Context) -> str:
    """Return the line that says which arguments a command takes."""
    return f"{context.command_path} {' '.join(command.collect_usage_pieces(context))}"


def options_of(command: click.Command) -> list[click.Option]:
    """Return the options that a command has for itself."""
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    return [one for one in options if not COMMON & set(one.opts)]


def described_option(option: click.Option) -> list[str]:
    """Return the directive of an option: its names, what it takes, what it does."""
    names, text = option.get_help_record(click.Context(click.Command("minicnn"))) or ("", "")
    words = docstrings.prose(" ".join(text.split()), literal)
    return [f".. option:: {names.replace(' / ', ', ')}", "", f"   {words}", ""]


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
