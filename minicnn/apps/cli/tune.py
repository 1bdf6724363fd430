"""`minicnn tune`: search for the best size of a network, and train that network."""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import Any

import click

from minicnn import tune
from minicnn.apps.cli import options, output, processes, run_command
from minicnn.apps.cli.command import cli_group, subcommand
from minicnn.apps.runs import gallery, tuning_data
from minicnn.apps.runs.networks import input_preprocess
from minicnn.apps.runs.recipe import PHOTO_AUGMENTATION
from minicnn.support.plots import save_figure
from minicnn.support.postgresql import is_server
from minicnn.tune.photo import stacked_arguments

SAMPLERS = {
    "random": tune.RandomSearch,
    "tpe": tune.BayesianOptimization,
    "grid": tune.GridSearch,
}
SIDE = 64  # pixels: with these, 20 trials of 5 epochs on 1,800 photographs take minutes


STORED_THERE = "Database of the search, if it has one; FOLDER then only gives its name."


def check_address(_context: Any, _option: Any, address: str | None) -> str | None:
    """Return the address of a database; one that is not PostgreSQL's is wrong usage."""
    if address is not None and not is_server(address):
        raise click.BadParameter("give postgresql://HOST/DATABASE")
    return address


def storage_option(help: str) -> options.Decorator:
    """The option that names the database of a search."""
    return click.option("--storage", metavar="ADDRESS", callback=check_address, help=help)


@cli_group(
    "minicnn tune search --data photos --trials 20",
    "minicnn tune train runs/search-photos --epochs 40",
)
def command() -> None:
    """Search for a good network for a folder of images, and train it.

    `search` tries networks, `report` lists the results, `train` trains the best network.
    """


@subcommand(
    command,
    "minicnn tune search --data photos --trials 20",
    "minicnn tune search --data photos --sampler tpe --pruner median --epochs 8",
    "minicnn tune search --data photos --storage postgresql://me@server/searches",
    short_help="Try networks of different sizes.",
)
@options.data(required=True)
@click.option("--trials", type=click.IntRange(1), default=20, help="Number of networks to try.")
@options.epochs(default=5, help="Passes over the training images, per network.")
@options.batch_size(default=32)
@options.image_size(8, default=(SIDE, SIDE), help="Height and width of the images, in pixels.")
@click.option(
    "--sampler",
    type=click.Choice(list(SAMPLERS)),
    default="random",
    help="How to choose networks: at random, near good ones (tpe), or on a grid.",
)
@click.option(
    "--pruner",
    type=click.Choice(["median", "hyperband", "none"]),
    default="none",
    help="Method that stops unpromising networks early.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Number of processes that work at once; it makes tpe and median independent of them.",
)
@click.option(
    "--executions",
    type=click.IntRange(1),
    default=1,
    help="Trainings per network; its score is their mean.",
)
@options.allow_unreadable()
@options.runs(help="Folder in which the search's folder is created.")
@click.option("--name", help="Name of the search and of its folder; default: search-DATA.")
@storage_option(help="Database on PostgreSQL that several machines share: postgresql://...")
@click.option("--force", is_flag=True, help="Delete an earlier search of the same name first.")
@options.as_json(help="Print all trials as one JSON object.")
@options.seed(default=777)
def search(data: Path, trials: int, runs: Path, name: str | None, storage: str | None, force: bool,
           sampler: str, pruner: str, workers: int | None, executions: int, as_json: bool,
           **given: Any) -> None:  # fmt: skip
    """Try networks with different filters, convolutions and dense units on a folder of images.

    Test images are not used. The same command continues an interrupted search; run in several
    terminals at once, it shares the work between them.

    With --storage, the same command on several machines shares the work between them. Each needs
    the same images, and keeps the models that it has trained in its own folder. A trial whose
    process or machine dies is repeated by another one.

    The networks and scores of random and grid searches do not depend on interruptions or on the
    number of processes. Those of tpe and of the pruners depend on which results are known when a
    network is chosen or judged. With --workers N, which must be the same for all processes, tpe and
    median only use results that are known in any case, and up to N processes work at once.
    """
    name = name or f"search-{data.resolve().name}"
    if force:
        tuning_data.delete_search(runs / name, storage)
    chosen = {option: value for option, value in given.items() if value is not None}
    settings = tuning_data.search_settings(
        runs / name, model="stacked", data=str(data.resolve()), name=name, **chosen
    )
    with tuning_data.removed_if_unused(runs / name):
        train, validation, names = tuning_data.load_search_images(settings, output.note)
        tuner = SAMPLERS[sampler](
            tune.photo_space(input_preprocess(settings).image_shape, len(names)),
            max_trials=trials,
            executions_per_trial=executions,
            directory=runs,
            project_name=name,
            storage=storage,
            seed=settings.seed,
            pruner=None if pruner == "none" else pruner,
            workers=workers,
            verbose=0 if output.is_quiet() else 1,
        )
        with output.prints_to_stderr():
            tuner.search(
                train.images,
                train.labels,
                epochs=settings.epochs,
                batch_size=settings.batch_size,
                validation_data=(validation.images, validation.labels),
            )
    write_results(tuner)
    show(tuner, as_json=as_json)
    line = shlex.join(["minicnn", "tune", "train", str(tuner.folder)])
    output.note(f"To train the best network: {line}{' --storage ADDRESS' if storage else ''}")


@subcommand(
    command,
    "minicnn tune report runs/search-photos",
    "minicnn tune report runs/search-photos --top 3 --all",
    short_help="Show the best trials of a search.",
)
@click.argument("folder", type=options.FOLDER)
@click.option("--top", type=click.IntRange(1), default=10, help="Number of trials to show.")
@click.option("--all", "everything", is_flag=True,
              help="Also list the hyperparameters that a network does not use.")  # fmt: skip
@storage_option(help=STORED_THERE)
@options.as_json(help="Print all trials as one JSON object.")
def report(folder: Path, top: int, everything: bool, storage: str | None, as_json: bool) -> None:
    """Show the best trials of a search, and write trials.csv and figures to its folder."""
    tuner = load_search(folder, storage)
    write_results(tuner)
    show(tuner, top, everything=everything, as_json=as_json)


@subcommand(
    command,
    "minicnn tune train runs/search-photos",
    "minicnn tune train runs/search-photos --epochs 40 --augment",
    short_help="Train and test the best network.",
)
@click.argument("folder", type=options.FOLDER)
@click.option(
    "--rank", type=click.IntRange(1), default=1, help="Which trial to train; 1 is the best."
)
@options.epochs(default=30)
@options.image_size(8, help="Pixels; default: as in the search.")
@options.augment()
@options.patience()
@options.shards()
@options.runs()
@storage_option(help=STORED_THERE)
@options.resume()
@options.fail_under()
@options.as_json(help="Print the report as one JSON object.")
def train(folder: Path, rank: int, epochs: int, image_size: tuple[int, int] | None, augment: bool,
          patience: int | None, shards: int | None, runs: Path, storage: str | None,
          resume: bool, fail_under: float | None, as_json: bool) -> None:  # fmt: skip
    """Train the best network of a search, test it, and write a run folder.

    The network is trained anew on the same images, for more epochs than in the search, and tested
    on the test images, which the search has not used.
    """
    processes.join()
    ranked = load_search(folder, storage).get_best_hyperparameters(rank)
    if len(ranked) < rank:
        raise click.BadParameter(
            f"{folder} has only {len(ranked)} completed trials; got {rank}", param_hint="--rank"
        )
    found = ranked[-1]
    name = f"{folder.name}-best" if rank == 1 else f"{folder.name}-rank{rank}"
    output.note(f"Trial of rank {rank}: {', '.join(f'{k}={v}' for k, v in found.values.items())}")
    if resume:
        run_command.resume(name, runs, epochs, fail_under=fail_under, as_json=as_json)
        return
    settings = tuning_data.saved_settings(folder).changed(
        name=name,
        epochs=epochs,
        image_size=image_size,
        patience=patience,
        shards=shards,
        network=stacked_arguments(found.values),
        augmentation=PHOTO_AUGMENTATION if augment else None,
    )
    run_command.run(settings, runs, fail_under=fail_under, as_json=as_json)


def load_search(folder: Path, storage: str | None) -> tune.Tuner:
    """Return the tuner of a search that was started, with its results."""
    kind, options = tuning_data.saved_tuner(folder, storage)
    return SAMPLERS[kind](
        tune.photo_space(), directory=folder.parent, project_name=folder.name, **options
    )


def show(
    tuner: tune.Tuner, top: int = 10, *, everything: bool = False, as_json: bool = False
) -> None:
    """Print the best trials as text, or all of them as one JSON object."""
    if as_json:
        rows = [{k: _json_value(v) for k, v in r.items()} for r in tuner.results_table()]
        output.print_json(folder=tuner.folder, objective=tuner.objective, trials=rows)
    else:
        tuner.results_summary(top, all=everything)


def _json_value(value: Any) -> Any:
    """Return the value, or None for NaN, for which JSON has no number."""
    return None if isinstance(value, float) and math.isnan(value) else value


def write_results(tuner: tune.Tuner) -> None:
    """Write the table of trials and, if they can be drawn, the figures."""
    tuner.folder.mkdir(parents=True, exist_ok=True)  # of a search on other machines
    tuner.to_csv(tuner.folder / "trials.csv")
    if gallery.can_draw() and any(not math.isnan(one.score) for one in tuner.results()):
        for name, figure in tuner.plot().items():
            save_figure(figure, tuner.folder / f"{name}.png")


for one in command.commands.values():
    one.context_settings["show_default"] = True
