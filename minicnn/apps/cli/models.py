"""`minicnn models`: list the networks that `--model` can name."""

from __future__ import annotations

from typing import Any

from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.runs.networks import NETWORKS, TEN, NetworkSpec

COLORS = {"grayscale": "gray", "rgb": "color"}


@cli_command("minicnn models", "minicnn models --json")
@options.as_json()
def command(as_json: bool) -> None:
    """List the networks of `minicnn train --model NAME` and the images that each is designed for.

    Networks for any number of classes also take any --image-size.
    """
    rows = [fields(name, spec) for name, spec in NETWORKS.items()]
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
    output.result(output.table(["--model", "images", "", "classes", "description"], cells))


def fields(name: str, spec: NetworkSpec) -> dict[str, Any]:
    """Return one network's JSON object; `classes` is None if any number is possible."""
    height, width = spec.preprocess.size
    return {
        "name": name,
        "height": height,
        "width": width,
        "color_mode": spec.preprocess.color_mode,
        "classes": None if spec.takes else TEN,
        "text": (spec.build.__doc__ or "").splitlines()[0].removesuffix("."),
    }
