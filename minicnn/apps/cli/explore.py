"""`minicnn explore`: see how a network computes and how it learns, in a browser."""

from __future__ import annotations

import errno
from pathlib import Path

import click

from minicnn.apps.cli import output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.web_server import HOST, PORT, serve_pages, token_for
from minicnn.apps.explorer.explorer import Explorer
from minicnn.apps.explorer.opening import open_networks
from minicnn.apps.web.explore import state


@cli_command(
    "minicnn explore",
    "minicnn explore runs/scene-1 --images photos",
    "minicnn explore runs/lenet/best.mcnn lenet",
)
@click.argument("models", metavar="[MODEL]...", nargs=-1)
@click.option(
    "--images", "folder", metavar="DIR", type=click.Path(path_type=Path),
    help="Folder of images to choose from; images of MNIST and drawings can always be chosen.",
)  # fmt: skip
@click.option(
    "--host", default=HOST, show_default=True,
    help="Address of this machine for other machines; the page then also needs a secret.",
)  # fmt: skip
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True,
    help="Port; 0 is any free one.",
)  # fmt: skip
def command(models: tuple[str, ...], folder: Path | None, host: str, port: int) -> None:
    """Explore a network: every value, how it was computed, and how the network learns.

    MODEL is a model file, the folder of a run, or a network of the zoo with initial weights;
    several can be compared. Without one it is LeNet, trained on handwritten digits. Nothing
    leaves this machine. Ctrl-C ends it.
    """
    if folder is not None and not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(folder))
    token = token_for(host)
    explorer = state.start(Explorer(open_networks(models, output.note), folder), token)
    try:
        serve_pages(", ".join(explorer.networks), host, port, token)
    finally:
        state.stop()
