"""`minicnn summary MODEL`: the table of a saved model's layers."""

from __future__ import annotations

from pathlib import Path

import click

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import verb
from minicnn.apps.cli.model_file import load_network
from minicnn.models.summary import summary_fields


@verb("minicnn summary lenet.mcnn", "minicnn summary scene.mcnn --style keras2")
@click.argument("model", type=options.PATH)
@click.option("--style", type=click.Choice(["plain", "keras2"]), default="plain")
@click.option("--flops", is_flag=True, help="A column more: work of one image.")
@click.option("--memory", is_flag=True, help="A column more: memory of one image.")
@options.as_json()
def command(model: Path, style: str, flops: bool, memory: bool, as_json: bool) -> None:
    """Name, output shape and parameters of each layer of MODEL, and the totals."""
    network = load_network(model)
    if as_json:
        output.print_json(**summary_fields(network.graph, network.name))
    else:
        network.summary(style=style, flops=flops, memory=memory)
