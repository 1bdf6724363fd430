"""`minicnn train`: a network learns from a folder of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from minicnn import optimizers
from minicnn.apps.cli import options
from minicnn.apps.cli.command import verb
from minicnn.apps.cli.run_command import begin, resume, whole_run
from minicnn.apps.runs.networks import NETWORKS
from minicnn.apps.runs.recipe import PHOTOGRAPHS
from minicnn.apps.runs.settings import Settings, from_toml


@verb("minicnn train --data photos --model scene", "minicnn train runs/scene-1/config.toml")
@click.argument("config", required=False, type=options.FILE)
@options.data()
@click.option(
    "--model",
    type=click.Choice(list(NETWORKS)),
    help="The network: `minicnn models` describes them.",
)
@options.epochs()
@options.batch_size()
@options.image_size(1, help="Pixels; default: what the network was made for.")
@click.option(
    "--optimizer",
    type=click.Choice(optimizers.names(), case_sensitive=False),
    help="How the weights follow their gradients; default: adam.",
)
@click.option(
    "--learning-rate",
    type=click.FloatRange(0),
    help="The optimizer's learning rate; default: 0.001.",
)
@options.augment()
@click.option(
    "--normalize",
    is_flag=True,
    help="Give the training images zero mean and deviation 1 in each channel.",
)
@click.option("--balance", is_flag=True, help="Let all classes count the same.")
@options.patience()
@options.allow_unreadable()
@click.option("--tensorboard", is_flag=True, help="Write event files too.")
@click.option("--name", help="Of the run; default: the network's.")
@options.runs()
@options.go_on()
@options.fail_under()
@options.as_json(help="The report as one JSON object.")
@options.seed()
def command(
    config: Path | None,
    runs: Path,
    go_on: bool,
    fail_under: float | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Train a network on a folder of images and write a run folder with model and report.

    CONFIG is a TOML file of settings; options go before what it says. Every run folder has one,
    config.toml, that repeats the run.
    """
    if go_on:
        folder, settings = resume(title(config, given), runs, given["epochs"])
    else:
        folder, settings = begin(chosen(config, given), runs)
    whole_run(folder, settings, None, fail_under, as_json=as_json)


def title(config: Path | None, given: dict[str, Any]) -> str:
    """What the run to go on with is called."""
    found = given["name"] or (from_toml(config).title if config else given["model"])
    if not found:
        raise click.UsageError("--resume needs the run's --name, --model or CONFIG, as it began")
    return str(found)


def chosen(config: Path | None, given: dict[str, Any]) -> Settings:
    """The settings: the file's, changed by the options."""
    # By identity: 0 is a seed and a learning rate.
    options = {k: v for k, v in given.items() if v is not None and v is not False}
    augment = options.pop("augment", False)
    optimizer = {
        "name": options.pop("optimizer", None),
        "learning_rate": options.pop("learning_rate", None),
    }
    if "data" in options:
        options["data"] = str(options["data"].resolve())
    if config is not None:
        settings = from_toml(config)
    else:
        for name in ("data", "model"):
            if name not in options:
                raise click.UsageError(
                    f"--{name} is missing: minicnn train --data DIR --model scene, or give a "
                    "CONFIG file"
                )
        settings = Settings(model=options["model"], data=options["data"])
    settings = settings.changed(**options)
    chosen_ones = {name: value for name, value in optimizer.items() if value is not None}
    settings = settings.changed(optimizer={**settings.optimizer, **chosen_ones})
    return settings.changed(augmentation=PHOTOGRAPHS) if augment else settings
