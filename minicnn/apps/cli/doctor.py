"""`minicnn doctor [MODEL]`: find faults of the installation or of a training."""

from __future__ import annotations

import csv
import importlib.util
import io
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np

from minicnn import explain, installed
from minicnn.apps.cli import options, output
from minicnn.apps.cli.command import cli_command
from minicnn.apps.cli.doctor_mpi import check_mpi
from minicnn.apps.cli.exit_codes import BadDataFound
from minicnn.apps.cli.model_file import load_network
from minicnn.apps.cli.progress import counting
from minicnn.apps.runs.folder import RunFolder
from minicnn.apps.runs.settings import from_toml
from minicnn.backends import backend_info, current_backend, instruction_set, is_fit_for
from minicnn.config import get_threads
from minicnn.data.folder_layouts import TRAIN, split_folder
from minicnn.data.folders import list_folder
from minicnn.data.images import read_images
from minicnn.errors import ArgumentError, FormatError
from minicnn.explain import Finding
from minicnn.explain.symptoms import curve_problems, unsettled_statistics
from minicnn.losses import SparseCategoricalCrossentropy
from minicnn.models import Model
from minicnn.models.images import usual_preprocess
from minicnn.random import generator
from minicnn.support.files import read_text
from minicnn.version import __version__

# The extra that each optional package belongs to. The line of the engine "cuda" covers its own.
EXTRAS = {
    package: extra
    for extra in ("tune", "plot", "tensorboard", "classic")
    for package in installed.EXTRAS[extra]
}
SAMPLES = 64
USUAL_RATE = 0.001  # Adam's default learning rate


@cli_command(
    "minicnn doctor",
    "minicnn doctor runs/scene-1/best.mcnn --data scenes/train",
    "minicnn doctor --mpi",
)
@click.argument("model", type=options.PATH, required=False)
@click.option("--data", type=options.PATH, help="Folder with one folder of images per class.")
@click.option(
    "--mpi",
    is_flag=True,
    help="Check that mpirun can start processes that train together, and how fast their messages "
    "are.",
)
@options.as_json()
def command(model: Path | None, data: Path | None, mpi: bool, as_json: bool) -> None:
    """Find faults of this installation, or of the training that made MODEL.

    MODEL is a .mcnn file or a run folder. With --data, the command also tests whether a new copy
    of the network can memorize 16 of the images, and with which learning rate.
    """
    if model is None and data is not None:
        raise click.UsageError("--data needs a model: minicnn doctor MODEL --data DIR")
    if mpi and model is not None:
        raise click.UsageError("--mpi examines the installation; leave MODEL out")
    if model is not None:
        findings = check_training(model, data)
    else:
        findings = check_mpi() if mpi else check_installation()
    bad = [one for one in findings if one.bad]
    if model is not None and not bad:
        findings.append(Finding(False, "nothing found"))
    if as_json:
        version = {"minicnn": __version__, "python": sys.version.split()[0]}
        output.print_json(**version, findings=[one._asdict() for one in findings])
    else:
        for one in findings:
            output.result(f"{'! ' if one.bad else '  '}{one.text}")
    if model is not None and bad:
        raise BadDataFound(f"found {len(bad)} fault{'s' * (len(bad) > 1)}, marked with !")


def check_installation() -> list[Finding]:
    """Report the state of each engine and each optional package."""
    threads = get_threads()
    findings = [
        Finding(
            False,
            f"minicnn {__version__} uses the {current_backend()} engine, "
            f"{threads} thread{'s' * (threads > 1)}, {instruction_set() or 'NumPy'}",
        )
    ]
    for name, state in backend_info().items():
        lacks = is_fit_for(name) and not state.startswith(("available", "simulated"))
        findings.append(Finding(lacks, f"engine {name}: {state}"))
    for package, extra in EXTRAS.items():
        there = importlib.util.find_spec(package) is not None
        remedy = "available" if there else installed.install_command(extra)
        findings.append(Finding(False, f"{package}, for {extra}: {remedy}"))
    findings.append(Finding(False, "for several processes and machines: minicnn doctor --mpi"))
    return findings


def check_training(path: Path, data: Path | None) -> list[Finding]:
    """Examine a model file, or a run folder, also of a run that failed in its first epoch."""
    if not path.is_dir():
        return check_model(load_network(path), data)
    folder = RunFolder(path)
    state = run_state(folder)
    newest = folder.last if folder.last.exists() else folder.best
    if folder.failed.exists() and not newest.exists():
        return state
    network = load_network(newest if newest.exists() else path)
    curve_fault = curve_problems(curves(folder.history))
    found = check_model(network, data)
    if curve_fault is not None and curve_fault not in {one.text for one in found}:
        found.append(Finding(True, curve_fault))
    return state + found


def run_state(folder: RunFolder) -> list[Finding]:
    """Report whether the run failed or is unfinished; a complete run gives no line."""
    if folder.failed.exists():
        rate = from_toml(folder.config).optimizer.get("learning_rate", USUAL_RATE)
        again = f"minicnn train {folder.config} --learning-rate {min(rate / 10, USUAL_RATE):g}"
        why = read_text(folder.failed).strip()
        remedy = f". To start again: {again}" if "learning_rate" in why else ""
        return [Finding(True, f"the training failed: {why}{remedy}")]
    if folder.is_begun and not folder.is_complete:
        return [Finding(False, "the run is unfinished; --resume continues it")]
    return []


def curves(path: Path) -> dict[str, list[float]]:
    """Return {"loss": [...], ...} with one value per epoch, from a run's history.csv."""
    if not path.exists():
        return {}
    text = read_text(path)
    try:
        rows = list(csv.DictReader(io.StringIO(text)))
        return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else ())}
    except (csv.Error, TypeError, ValueError) as error:
        raise FormatError(
            path,
            f"is not a table with one row of numbers per epoch ({error}); without this file, the "
            "model alone is examined",
        ) from error


def check_model(model: Model, data: Path | None) -> list[Finding]:
    """Examine the model's curves, and with `data` the network itself on some images."""
    history = model.saved_history
    epochs = len(history.get("loss", ()))
    known = f"its file records {epochs} epoch{'s' * (epochs != 1)} of training"
    findings = [Finding(False, f"{model.name}: {known}")]
    if data is None:
        texts = (curve_problems(history), unsettled_statistics(model, history))
        return findings + [Finding(True, text) for text in texts if text is not None]
    x, y = samples(model, data)
    output.note(f"{len(x)} images of {data}; a new copy of the network memorizes 16 of them ...")
    with counting("memorizing") as progress:
        return findings + explain.examine(model, x, y, progress=progress)


def samples(model: Model, data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return some preprocessed images of all classes, and labels in the form the loss takes."""
    files = list_folder(split_folder(data, TRAIN) or data, model.class_names)
    if len(files.paths) == 0:
        raise ArgumentError(f"no images in {data}; --data needs one folder of images per class")
    order = generator("doctor").permutation(len(files.paths))[:SAMPLES]
    preprocess = model.preprocess or usual_preprocess(model)
    with counting("reading") as progress:
        paths = [files.paths[i] for i in order]
        images, kept, failures = read_images(paths, **preprocess.reading, progress=progress)
    for path, reason in failures:
        output.warn(f"{path} cannot be read: {reason}")
    return preprocess(images), labels_for(model, files.labels[order[kept]])


def labels_for(model: Model, labels: np.ndarray) -> Any:
    """Return integer labels as the model's loss takes them: as they are, or one-hot."""
    _, loss = model.need_compiled()
    classes = model.graph.outputs[0].shape[-1] or 1
    if isinstance(loss, SparseCategoricalCrossentropy) or classes == 1:
        return labels
    return np.eye(classes, dtype=np.float32)[labels]
