"""Caffe's LeNet learns to read handwritten digits: the whole of MNIST, in a minute or two.

    python examples/lenet_mnist.py
    python examples/lenet_mnist.py --backend numpy --epochs 1 --out runs/lenet-numpy

The digits are inside minicnn; no network is used. Read it from `tell`, which is the story;
each function below it is one step.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import shlex
import statistics
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

import minicnn as mc
from minicnn.errors import MiniCNNError
from minicnn.installed import install_command

# The recipe. Caffe's own has the same momentum and weight decay; the cosine and the shifts are
# what brings 99.1 % to 99.4 %.
LEARNING_RATE = 0.05
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4
SHIFT_PIXELS = 1

# Test accuracy in % of trainings of so many epochs: the lowest of two or three seeds, rounded down.
EXPECTED = {1: 99.0, 2: 99.2, 4: 99.3, 8: 99.4}

MODEL = "best.mcnn"  # where `minicnn predict runs/lenet digit.png` and the other verbs look for it
PICTURES = ("curves.png", "errors.png", "confusion.png", "first_layer.png")
AT_MIN_ONE = {
    "epochs": "one epoch shows every training digit once; try --epochs 8",
    "batch_size": "that many digits are looked at before the weights move; try --batch-size 64",
    "threads": f"this machine has {os.cpu_count()} processors; try --threads {os.cpu_count()}",
}


class Digits(NamedTuple):
    """Images (N, 28, 28, 1) uint8 and labels (N,), to train on and to test with."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


class Answers(NamedTuple):
    """What the trained network says about the test digits, and how long that took."""

    classes: np.ndarray  # (N,)
    confusion: np.ndarray  # (10, 10)
    seconds_all: float
    seconds_one: float

    @property
    def wrong(self) -> int:
        """Test digits that were not recognized."""
        return int(self.confusion.sum() - self.confusion.trace())

    @property
    def accuracy(self) -> float:
        """Share of the test digits that were."""
        return 1 - self.wrong / len(self.classes)


def at_least_one(_context: click.Context, option: click.Parameter, value: int | None) -> int | None:
    """Check a count on the command line, and say what it is good for."""
    if value is not None and value < 1:
        raise click.BadParameter(f"got {value}, needed is 1 or more: {AT_MIN_ONE[option.name]}")
    return value


@click.command(context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
@click.option("--epochs", default=8, callback=at_least_one, help="Passes over the training digits.")
@click.option("--batch-size", default=64, callback=at_least_one, help="Digits in one step.")
@click.option("--backend", default="auto", help="Engine: auto (the fastest here), native, numpy.")
@click.option("--seed", default=0, help="Of first weights, order and shifts.")
@click.option("--threads", type=int, callback=at_least_one, help="Of the native engine.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/lenet"),
              help="Folder for the results.")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path), help="Folder of other IDX files.")
@click.option("--resume", is_flag=True, help="Go on with the interrupted training in --out.")
def main(**options: Any) -> None:
    """Train Caffe's LeNet on MNIST, test it, and write model, pictures and a report to --out.

    \b
    python examples/lenet_mnist.py
    python examples/lenet_mnist.py --epochs 2 --seed 1 --out runs/lenet-short
    """
    try:
        tell(**options)
    except MiniCNNError as err:
        raise click.ClickException(str(err)) from err
    except OSError as err:
        where = f"{err.filename}: " if err.filename else ""
        raise click.ClickException(f"{where}{err.strerror or err}") from err


def tell(
    *,
    epochs: int,
    batch_size: int,
    backend: str,
    seed: int,
    threads: int | None,
    out: Path,
    data: Path | None,
    resume: bool,
) -> None:
    """The whole job, from the first look at the digits to the last line."""
    settings = {"epochs": epochs, "batch_size": batch_size, "seed": seed, "data": str(data or "")}
    set_up(backend, seed, threads)
    check_folder(out, resume)
    digits = load(data)
    model = compiled(epochs * -(-len(digits.x_train) // batch_size))
    announce(digits, epochs, batch_size)

    start = time.perf_counter()
    history = train(model, digits, epochs, batch_size, out / "checkpoints")
    seconds = time.perf_counter() - start

    answers = classify(model, digits)
    tell_answers(answers)

    model.save(out / MODEL)
    history.to_csv(out / "history.csv")
    write_report(out / "report.json", settings, history, seconds, answers)
    draw(out, model, history, digits, answers)
    for name in (MODEL, *PICTURES, "history.csv", "report.json"):
        if (out / name).exists():
            click.echo(f"  {out / name}")


def set_up(backend: str, seed: int, threads: int | None) -> None:
    """Engine, threads and seed, before anything is computed."""
    mc.set_backend(backend)
    if threads is not None:
        mc.config.set_threads(threads)
    mc.utils.set_random_seed(seed)


def check_folder(out: Path, resume: bool) -> None:
    """Make the folder of results, and keep an interrupted training from being lost in it."""
    checkpoints = sorted((out / "checkpoints").glob("checkpoint-*.mcnn"))
    if resume and not checkpoints:
        raise click.UsageError(
            f"--resume: {out} has no checkpoint, so there is no interrupted training to go on "
            "with. Leave --resume out to start one, or name its folder with --out"
        )
    if checkpoints and not resume:
        raise click.UsageError(
            f"{out} holds an interrupted training ({len(checkpoints)} checkpoints). Add --resume "
            "to go on with it, or start another one elsewhere with --out"
        )
    out.mkdir(parents=True, exist_ok=True)


def load(data: Path | None) -> Digits:
    """MNIST from inside the package, or IDX files of the same names from a folder."""
    if data is not None and not data.is_dir():
        raise click.UsageError(
            f"--data {data}: there is no such folder; needed is one with the four IDX files of "
            "MNIST or a set like it. Leave --data out to use the digits inside minicnn"
        )
    (x_train, y_train), (x_test, y_test) = mc.datasets.mnist.load_data(data)
    return Digits(x_train[..., None], y_train, x_test[..., None], y_test)


def compiled(steps: int) -> mc.Sequential:
    """LeNet, ready to be trained for so many steps: up to the learning rate, then down to 0."""
    model = mc.zoo.lenet()
    model.class_names = [str(digit) for digit in range(10)]
    # How an image file becomes a digit as MNIST has them: 28 x 28, light on dark.
    model.preprocess = mc.data.Preprocess((28, 28), "grayscale", scale=1.0, background="dark")
    warm_up = max(1, steps // 50)
    rate = mc.schedules.CosineDecay(
        0.0, max(1, steps - warm_up), warmup_target=LEARNING_RATE, warmup_steps=warm_up
    )
    optimizer = mc.optimizers.SGD(
        rate, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY, decoupled=False
    )
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def announce(digits: Digits, epochs: int, batch_size: int) -> None:
    """Say what will happen, how good it should get and how long it will take."""
    count = len(digits.x_train)
    seconds = epochs * -(-count // batch_size) * seconds_a_step(digits, batch_size)
    times = "once" if epochs == 1 else f"{epochs} times"
    accuracy = EXPECTED[max(known for known in EXPECTED if known <= epochs)]
    click.echo(
        f"LeNet learns {count:,} digits, {times} each, on the {mc.current_backend()} engine "
        f"(threads: {mc.config.get_threads()})."
    )
    click.echo(f"Expect about {accuracy} % on MNIST's test digits, after {duration(seconds)}.")
    if importlib.util.find_spec("matplotlib") is None:
        click.echo(
            f"matplotlib is not installed: {', '.join(PICTURES)} will be missing. For them, stop "
            f"with Ctrl-C and type: {install_command('plot')}"
        )


def seconds_a_step(digits: Digits, batch_size: int) -> float:
    """Time of one training step here and now, rehearsed on a network that is thrown away."""
    model = compiled(steps=1)
    batch = digits.x_train[:batch_size], digits.y_train[:batch_size]
    model.train_on_batch(*batch)  # the first step also plans the program
    times = []
    for _ in range(5):
        start = time.perf_counter()
        model.train_on_batch(*batch)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def duration(seconds: float) -> str:
    """About how long, as people say it."""
    return f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"


def train(model: mc.Model, digits: Digits, epochs: int, batch_size: int, checkpoints: Path) -> Any:
    """Fit on digits that are shifted anew in every epoch; each epoch leaves a checkpoint."""
    batches = mc.data.RandomShift(digits.x_train, digits.y_train, batch_size, SHIFT_PIXELS)
    try:
        return model.fit(
            batches,
            epochs=epochs,
            validation_data=(digits.x_test, digits.y_test),
            validation_batch_size=250,
            callbacks=[mc.callbacks.BackupAndRestore(checkpoints)],
        )
    except KeyboardInterrupt:
        command = shlex.join(arg for arg in sys.argv if arg != "--resume")
        click.echo(f"To go on, type:\n  python {command} --resume")
        sys.exit(130)  # what shells call "interrupted"


def classify(model: mc.Model, digits: Digits) -> Answers:
    """All test digits at once, then some one by one, with a watch."""
    start = time.perf_counter()
    classes = model.predict(digits.x_test, batch_size=250, verbose=0).argmax(1)
    seconds_all = time.perf_counter() - start

    alone = []
    for i in range(min(100, len(digits.x_test))):
        start = time.perf_counter()
        model.predict_on_batch(digits.x_test[i : i + 1])
        alone.append(time.perf_counter() - start)
    confusion = mc.metrics.confusion_matrix(digits.y_test, classes, 10)
    return Answers(classes, confusion, seconds_all, statistics.median(alone))


def tell_answers(answers: Answers) -> None:
    """The result in two lines."""
    count = len(answers.classes)
    click.echo(f"{answers.wrong} of {count:,} test digits wrong: {answers.accuracy:.2%} right")
    click.echo(
        f"{count:,} classified in {answers.seconds_all:.2f} s, "
        f"{1000 * answers.seconds_all / count:.3f} ms each; "
        f"a single one alone takes {1000 * answers.seconds_one:.2f} ms"
    )


def write_report(
    path: Path, settings: dict[str, Any], history: Any, seconds: float, answers: Answers
) -> None:
    """Everything that was measured, for programs to read."""
    report = {
        "accuracy": answers.accuracy,
        "wrong": answers.wrong,
        "images": len(answers.classes),
        "seconds": {
            "training": seconds,
            "classify_all": answers.seconds_all,
            "classify_one": answers.seconds_one,
        },
        "settings": settings,
        "backend": mc.current_backend(),
        "threads": mc.config.get_threads(),
        "machine": platform.platform(),
        "python": platform.python_version(),
        "minicnn": mc.__version__,
        "history": history.history,
        "confusion": answers.confusion.tolist(),
    }
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def draw(out: Path, model: mc.Model, history: Any, digits: Digits, answers: Answers) -> None:
    """The four pictures, if matplotlib is there."""
    for name in PICTURES:  # of an earlier training: not to be taken for this one's
        (out / name).unlink(missing_ok=True)
    if importlib.util.find_spec("matplotlib") is None:
        return
    conv1, digit = model.get_layer("conv1"), digits.x_test[:1]
    maps = conv1(digit.astype(np.float32) / 256)
    figures = (
        history.plot(),
        mc.explain.error_gallery(digits.x_test, digits.y_test, answers.classes),
        mc.explain.confusion_figure(answers.confusion, model.class_names),
        mc.explain.first_layer_figure(conv1.kernel.value, maps[0], digit[0]),
    )
    for name, figure in zip(PICTURES, figures, strict=True):
        figure.savefig(out / name)


if __name__ == "__main__":
    main()
