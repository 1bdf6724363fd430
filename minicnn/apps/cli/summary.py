"""`minicnn summary MODEL`: print the layers of a network."""

from __future__ import annotations

from pathlib import Path

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.model_file import saved_or_named
from minicnn.models.summary import summary_fields


@cli_command("minicnn summary runs/scene-1", "minicnn summary resnet18 --style keras2")
@click.argument("model", type=options.PATH)
@click.option("--style", type=click.Choice(["plain", "keras2"]), default="plain",
              help="Layout of the table; keras2 is that of Keras 2.")  # fmt: skip
@click.option("--flops", is_flag=True, help="Add a column with the operations per image.")
@click.option("--memory", is_flag=True, help="Add a column with the memory per image.")
@options.as_json()
def command(model: Path, style: str, flops: bool, memory: bool, as_json: bool) -> None:
    """Print the name, output shape and parameters of each layer of MODEL, and the totals.

    MODEL is a .mcnn file, a run folder or the name of a network, such as resnet18.
    """
    network = saved_or_named(model)
    if as_json:
        output.print_json(**summary_fields(network.graph, network.name))
    else:
        network.summary(style=style, flops=flops, memory=memory)
