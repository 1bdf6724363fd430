"""`minicnn models`: the networks that `--model` can name."""

from __future__ import annotations

from typing import Any

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import verb
from minicnn.apps.runs.networks import NETWORKS, TEN, Network

COLORS = {"grayscale": "gray", "rgb": "color"}


@verb("minicnn models", "minicnn models --json")
@options.as_json()
def command(as_json: bool) -> None:
    """The networks of `minicnn train --model NAME`, and the images that each is made for.

    Where --image-size can change the size, each class of images may be any kind of thing, too.
    """
    rows = [described(name, network) for name, network in NETWORKS.items()]
    if as_json:
        output.print_json(models=rows)
        return
    cells = [
        (
            row["name"],
            f"{row['height']} x {row['width']}",
            COLORS[row["color_mode"]],
            row["classes"] or "any",
            row["text"],
        )
        for row in rows
    ]
    output.result(output.table(["--model", "images", "", "classes", "what it is"], cells))


def described(name: str, network: Network) -> dict[str, Any]:
    """One network for programs; classes is None where any number will do."""
    height, width = network.preprocess.size
    return {
        "name": name,
        "height": height,
        "width": width,
        "color_mode": network.preprocess.color_mode,
        "classes": None if network.takes else TEN,
        "text": (network.build.__doc__ or "").splitlines()[0].removesuffix("."),
    }
