"""`minicnn train`: train a network on a folder of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from minicnn import optimizers
from minicnn.apps.cli import folds_command, options, processes, run_command
from minicnn.apps.cli.command import cli_command
from minicnn.apps.runs.bases import BASES
from minicnn.apps.runs.earlier_run import inherited_settings
from minicnn.apps.runs.networks import NETWORKS
from minicnn.apps.runs.recipe import PHOTO_AUGMENTATION
from minicnn.apps.runs.settings import Settings, from_toml

FOLDERS = ("data", "start", "keep")  # options whose settings are whole paths


@cli_command(
    "minicnn train --data photos --model scene",
    "minicnn train --data photos --base efficientnet-lite0",
    "minicnn train --from runs/scene-1 --data more",
    "minicnn train --data photos --model catdog --folds 5",
    "minicnn train runs/scene-1/config.toml",
)
@click.argument("config", required=False, type=options.FILE)
@options.data()
@click.option(
    "--model",
    type=click.Choice(list(NETWORKS)),
    help="The network; `minicnn models` describes them.",
)
@click.option(
    "--base",
    type=click.Choice(list(BASES)),
    help="Train a classifier on the features of this trained network.",
)
@click.option(
    "--from",
    "start",
    type=options.PATH,
    metavar="RUN",
    help="Train the network of this run further, on the images and classes of --data.",
)
@click.option(
    "--keep",
    type=options.PATH,
    help="With --from: the images of known classes to rehearse; default: those of RUN.",
)
@click.option(
    "--keep-per-class",
    type=click.IntRange(0),
    metavar="N",
    help="With --from: rehearse N images of each known class, so that it is not forgotten; "
    "default: 200.",
)
@options.epochs()
@click.option(
    "--fine-tune",
    type=click.IntRange(0),
    metavar="N",
    help="With --base: N epochs more, in which its last blocks learn, too.",
)
@options.batch_size()
@options.image_size(1, help="Pixels; default: the size that the network was designed for.")
@click.option(
    "--optimizer",
    type=click.Choice(optimizers.names(), case_sensitive=False),
    help="Optimizer; default: adam unless CONFIG names another.",
)
@click.option(
    "--learning-rate",
    type=click.FloatRange(0),
    help="Learning rate of the optimizer; default: 0.001 unless CONFIG gives another.",
)
@options.augment()
@click.option(
    "--normalize",
    is_flag=True,
    help="Scale pixels so that training images have mean 0 and standard deviation 1 per channel.",
)
@click.option("--balance", is_flag=True, help="Weight the classes so that all count equally.")
@options.patience()
@options.allow_unreadable()
@options.shards()
@click.option("--tensorboard", is_flag=True, help="Also write event files for TensorBoard.")
@click.option(
    "--folds",
    type=click.IntRange(2),
    metavar="K",
    help="Cross-validation: train K times, each time tested by another K-th of the images.",
)
@click.option(
    "--fold", type=click.IntRange(1), metavar="N", help="With --folds: train fold N alone."
)
@click.option(
    "--group-by",
    metavar="REGEX",
    help="Files in whose paths this finds the same text stay in one split and one fold.",
)
@click.option("--name", help="Name of the run; default: the network's name.")
@options.runs()
@options.resume()
@options.fail_under()
@options.as_json(help="Print the report as one JSON object.")
@options.seed()
def command(
    config: Path | None,
    runs: Path,
    resume: bool,
    fail_under: float | None,
    as_json: bool,
    fold: int | None,
    **given: Any,
) -> None:
    """Train a network on a folder of images and write a run folder with its model and report.

    CONFIG is a TOML file of settings, which the options override. The config.toml of every run
    folder repeats its run. --from is continual learning: a trained
    network is trained further.
    """
    processes.join()
    shown: dict[str, Any] = {"fail_under": fail_under, "as_json": as_json}
    folds = check_folds(config, given, fold)
    if resume and folds:
        shown |= {"folds": given["folds"], "epochs": given["epochs"]}
        folds_command.resume(title(config, given), runs, fold or 0, **shown)
    elif resume:
        run_command.resume(title(config, given), runs, given["epochs"], **shown)
    elif folds:
        folds_command.run(chosen_settings(config, given), runs, fold or 0, **shown)
    else:
        run_command.run(chosen_settings(config, given), runs, **shown)


def check_folds(config: Path | None, given: dict[str, Any], fold: int | None) -> bool:
    """Return whether a cross-validation is wanted, by the options or the file of settings."""
    if given["start"] and config:
        raise click.UsageError("--from takes the settings of RUN; leave CONFIG out")
    if given["start"] and (given["folds"] or fold):
        raise click.UsageError(
            "--folds cannot be given with --from: the network of RUN has learned from images "
            "that the folds would test"
        )
    from_file = from_toml(config) if config else None
    single = from_file is not None and from_file.fold > 0  # the file is that of one fold
    folds = given["folds"] or (from_file.folds if from_file else 0)
    if fold and (single or not folds):
        raise click.UsageError("--fold needs --folds: minicnn train ... --folds 5 --fold 3")
    return folds > 0 and not single


def title(config: Path | None, given: dict[str, Any]) -> str:
    """Return the title of the run to resume."""
    found = given["name"]
    if not found and config is not None:
        found = from_toml(config).title
    elif not found and given["start"] is not None:
        found = inherited_settings(given["start"], data="").title
    found = found or given["model"] or given["base"]
    if not found:
        raise click.UsageError(
            "--resume needs the run's --name, --model or CONFIG: minicnn train --model scene "
            "--resume"
        )
    return str(found)


def chosen_settings(config: Path | None, given: dict[str, Any]) -> Settings:
    """Return the settings of the file, or of the run after --from, changed by the options."""
    # Compared by identity, since 0 is a valid seed and learning rate.
    options = {k: v for k, v in given.items() if v is not None and v is not False}
    augment = options.pop("augment", False)
    optimizer = {
        "name": options.pop("optimizer", None),
        "learning_rate": options.pop("learning_rate", None),
    }
    options |= {name: str(options[name].resolve()) for name in FOLDERS if name in options}
    if "base" in options:
        if options.get("model", options["base"]) != options["base"]:
            raise click.UsageError("--base is itself a network; leave --model out")
        options["model"] = options["base"]
    settings = _first_settings(config, options).changed(**options)
    given_settings = {name: value for name, value in optimizer.items() if value is not None}
    settings = settings.changed(optimizer={**settings.optimizer, **given_settings})
    return settings.changed(augmentation=PHOTO_AUGMENTATION) if augment else settings


def _first_settings(config: Path | None, options: dict[str, Any]) -> Settings:
    """Return the settings that the options change."""
    if "start" in options:
        return _settings_of_start(options)
    if config is not None:
        return from_toml(config)
    for name in ("data", "model"):
        if name not in options:
            raise click.UsageError(
                f"--{name} is missing: minicnn train --data DIR --model scene, or give a "
                "CONFIG file"
            )
    return Settings(model=options["model"], data=options["data"])


def _settings_of_start(options: dict[str, Any]) -> Settings:
    """Return the settings that the run after --from passes on."""
    for name in ("base", "model", "image_size", "normalize"):
        if name in options:
            option = name.replace("_", "-")
            raise click.UsageError(
                f"--{option} cannot be given with --from: the network of RUN stays as it is"
            )
    if "data" not in options:
        raise click.UsageError("--data is missing: minicnn train --from RUN --data NEW")
    return inherited_settings(Path(options["start"]), options["data"])
