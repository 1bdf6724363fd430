"""`minicnn tune`: search for the size of a network, and train the best one that was found."""

from __future__ import annotations

import contextlib
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from minicnn import tune
from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import verb_group, verb_of
from minicnn.apps.cli.run_command import begin, resume, whole_run
from minicnn.apps.runs import gallery, tuning_data
from minicnn.apps.runs.experiment import wanted_preprocess
from minicnn.apps.runs.recipe import PHOTOGRAPHS
from minicnn.errors import MiniCNNError
from minicnn.support.plots import save_figure
from minicnn.tune.photo import stacked_arguments

SAMPLERS = {
    "random": tune.RandomSearch,
    "tpe": tune.BayesianOptimization,
    "grid": tune.GridSearch,
}
SIDE = 64  # pixels: twenty trials of five epochs on 1,800 photographs then take minutes


@verb_group(
    "minicnn tune search --data photos --trials 20",
    "minicnn tune train runs/search-photos --epochs 40",
)
def command() -> None:
    """Search for a good network for a folder of images.

    `search` tries networks, `report` shows what was tried, `train` trains the best one.
    """


@verb_of(
    command,
    "minicnn tune search --data photos --trials 20",
    "minicnn tune search --data photos --sampler tpe --pruner median --epochs 8",
)
@options.data(required=True)
@click.option("--trials", type=click.IntRange(1), default=20, help="Networks to try.")
@options.epochs(default=5, help="Of each network.")
@options.batch_size(default=32)
@options.image_size(8, default=(SIDE, SIDE), help="Pixels.")
@click.option(
    "--sampler",
    type=click.Choice(list(SAMPLERS)),
    default="random",
    help="How networks are chosen: at random, from what was good, or in order.",
)
@click.option(
    "--pruner",
    type=click.Choice(["median", "hyperband", "none"]),
    default="none",
    help="End networks early that promise little.",
)
@click.option(
    "--executions",
    type=click.IntRange(1),
    default=1,
    help="Trainings of each network; their mean counts.",
)
@options.allow_unreadable()
@options.runs(help="Folder for the search's folder.")
@click.option("--name", help="Of the search's folder; default: search- and the data's name.")
@click.option("--force", is_flag=True, help="Delete an earlier search of that name.")
@options.as_json(help="Every trial, as one JSON object.")
@options.seed(default=777)
def search(data: Path, trials: int, runs: Path, name: str | None, force: bool, sampler: str,
           pruner: str, executions: int, as_json: bool, **given: Any) -> None:  # fmt: skip
    """Try networks on a folder of images: filters, number of convolutions, dense units.

    The test images are not looked at. Interrupted, the same line goes on; typed in several
    terminals, they share the work.
    """
    name = name or f"search-{data.resolve().name}"
    if force:
        tuning_data.forget(runs / name)
    chosen = {option: value for option, value in given.items() if value is not None}
    settings = tuning_data.agreed(
        runs / name, model="stacked", data=str(data.resolve()), name=name, **chosen
    )
    try:
        train, validation, names = tuning_data.load(settings, output.note)
    except (MiniCNNError, OSError):
        tuning_data.remove_unused(runs / name)
        raise
    shape = wanted_preprocess(settings).image_shape
    tuner = SAMPLERS[sampler](
        tune.photo_space(shape, len(names)),
        max_trials=trials,
        executions_per_trial=executions,
        directory=runs,
        project_name=name,
        seed=settings.seed,
        pruner=None if pruner == "none" else pruner,
        verbose=0 if output.is_quiet() else 1,
    )
    with contextlib.redirect_stdout(sys.stderr):  # standard output is for results
        tuner.search(
            train.images,
            train.labels,
            epochs=settings.epochs,
            batch_size=settings.batch_size,
            validation_data=(validation.images, validation.labels),
        )
    write(tuner)
    tell(tuner, as_json=as_json)
    output.note(
        f"To train the best one: {shlex.join(['minicnn', 'tune', 'train', str(tuner.folder)])}"
    )


@verb_of(
    command,
    "minicnn tune report runs/search-photos",
    "minicnn tune report runs/search-photos --top 3 --all",
)
@click.argument("folder", type=options.FOLDER)
@click.option("--top", type=click.IntRange(1), default=10, help="Trials to show.")
@click.option("--all", "everything", is_flag=True,
              help="Also name what a network had no use for.")  # fmt: skip
@options.as_json(help="Every trial, as one JSON object.")
def report(folder: Path, top: int, everything: bool, as_json: bool) -> None:
    """Show the best trials of a search, and write trials.csv and pictures into its folder."""
    tuner = opened(folder)
    write(tuner)
    tell(tuner, top, everything=everything, as_json=as_json)


@verb_of(
    command,
    "minicnn tune train runs/search-photos",
    "minicnn tune train runs/search-photos --epochs 40 --augment",
)
@click.argument("folder", type=options.FOLDER)
@click.option("--rank", type=click.IntRange(1), default=1, help="1: the best trial.")
@options.epochs(default=30)
@options.image_size(8, help="Pixels; default: those of the search.")
@options.augment()
@options.patience()
@options.runs()
@options.go_on()
@options.fail_under()
@options.as_json(help="The report as one JSON object.")
def train(folder: Path, rank: int, epochs: int, image_size: tuple[int, int] | None, augment: bool,
          patience: int | None, runs: Path, go_on: bool, fail_under: float | None,
          as_json: bool) -> None:  # fmt: skip
    """Train the network of a search's best trial, test it, and write a run folder.

    It is trained afresh, on the same images and for longer than the search could, and measured on
    the test images, which the search never saw.
    """
    ranked = opened(folder).get_best_hyperparameters(rank)
    if len(ranked) < rank:
        raise click.BadParameter(
            f"{folder} has {len(ranked)} trials with a score; got {rank}", param_hint="--rank"
        )
    found = ranked[-1]
    name = f"{folder.name}-best" if rank == 1 else f"{folder.name}-rank{rank}"
    output.note(f"Trial of rank {rank}: {', '.join(f'{k}={v}' for k, v in found.values.items())}")
    if go_on:
        run, settings = resume(name, runs, epochs)
    else:
        settings = tuning_data.settings_of(folder).changed(
            name=name,
            epochs=epochs,
            image_size=image_size,
            patience=patience,
            network=stacked_arguments(found.values),
            augmentation=PHOTOGRAPHS if augment else None,
        )
        run, settings = begin(settings, runs)
    whole_run(run, settings, None, fail_under, as_json=as_json)


def opened(folder: Path) -> tune.Tuner:
    """A search that was begun, to look at."""
    kind, options = tuning_data.begun(folder)
    return SAMPLERS[kind](
        tune.photo_space(), directory=folder.parent, project_name=folder.name, **options
    )


def tell(
    tuner: tune.Tuner, top: int = 10, *, everything: bool = False, as_json: bool = False
) -> None:
    """The best trials for people, or all of them for programs."""
    if as_json:
        rows = [{k: None if v != v else v for k, v in r.items()} for r in tuner.results_table()]
        output.print_json(folder=tuner.folder, objective=tuner.objective, trials=rows)
    else:
        tuner.results_summary(top, all=everything)


def write(tuner: tune.Tuner) -> None:
    """The table of trials, and the pictures where they can be drawn."""
    tuner.to_csv(tuner.folder / "trials.csv")
    if gallery.drawable() and any(one.score == one.score for one in tuner.results()):
        for name, figure in tuner.plot().items():
            save_figure(figure, tuner.folder / f"{name}.png")


for one in command.commands.values():
    one.context_settings["show_default"] = True
