"""`minicnn verify MODEL`: compare every engine of this machine with the reference, step by step."""

from __future__ import annotations

from pathlib import Path

import click

from minicnn import explain
from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.model_file import load_network
from minicnn.apps.cli.show import read_input
from minicnn.backends import check_available
from minicnn.errors import ArgumentError, BackendError
from minicnn.explain.verify import Check, summary


def _engines(_ctx: click.Context, _param: click.Parameter, text: str | None) -> list[str] | None:
    """Split a list of engines, and check that each is available."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    try:
        for name in names:
            check_available(name)
    except ArgumentError as error:
        raise click.BadParameter(str(error)) from error
    return names


@cli_command(
    "minicnn verify lenet.mcnn", "minicnn verify scene.mcnn photo.jpg --engines native,cuda"
)
@click.argument("model", type=options.PATH)
@click.argument("image", type=options.PATH, required=False)
@click.option("--engines", metavar="NAMES", callback=_engines,
              help="Engines to check: native,cuda; default: all available.")  # fmt: skip
@options.as_json()
def command(model: Path, image: Path | None, engines: list[str] | None, as_json: bool) -> None:
    """Check each kernel call of a prediction and of a training step of MODEL.

    The reference repeats every call in float64, with the inputs that the engine used. The
    network's input is IMAGE, or noise if no image is given.
    """
    network = load_network(model)
    x = None if image is None else read_input(network, image).x
    checks = explain.verify(network, x, engines=engines)
    wrong = sum(not check.agrees for check in checks)
    if as_json:
        rows = [{**check._asdict(), "agrees": check.agrees} for check in checks]
        output.print_json(agrees=wrong == 0, checks=rows)
    else:
        headings = ["engine", "pass", "layer", "kernel", "error", "allowed", ""]
        output.result(output.table(headings, [_row(check) for check in checks]))
    if wrong:
        raise BackendError(summary(checks))
    output.note(f"The engines agree: {summary(checks)}")


def _row(check: Check) -> tuple[str, ...]:
    verdict = "agrees" if check.agrees else "WRONG"
    error, allowed = f"{check.error:.1e}", f"{check.allowed:.1e}"
    return (check.engine, check.passes, check.layer, check.kernel, error, allowed, verdict)
