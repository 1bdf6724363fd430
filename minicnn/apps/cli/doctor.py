"""`minicnn doctor [MODEL]`: is the installation sound, and why does a training not learn?"""

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
from minicnn.apps.cli.command import verb
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

# What an optional package is for. Those of the engine "cuda" are its own line's business.
EXTRAS = {
    package: extra
    for extra in ("tune", "plot", "tensorboard", "classic")
    for package in installed.EXTRAS[extra]
}
SAMPLES = 64
USUAL_RATE = 0.001  # of Adam


@verb("minicnn doctor", "minicnn doctor runs/scene-1/best.mcnn --data scenes/train")
@click.argument("model", type=options.PATH, required=False)
@click.option("--data", type=options.PATH, help="Folder of class folders.")
@options.as_json()
def command(model: Path | None, data: Path | None, as_json: bool) -> None:
    """Look for what is wrong: with this installation, or with the training that made MODEL.

    With --data also tries, on a fresh copy of the network, whether it can learn 16 of the images
    by heart, and with which learning rate.
    """
    if model is None and data is not None:
        raise click.UsageError("--data needs a model: minicnn doctor MODEL --data DIR")
    findings = installation() if model is None else patient(model, data)
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
        raise BadDataFound(f"{len(bad)} finding{'s' * (len(bad) > 1)}, marked with !")


def installation() -> list[Finding]:
    """Engines, and what is missing."""
    threads = get_threads()
    findings = [
        Finding(
            False,
            f"minicnn {__version__} computes on the {current_backend()} engine, "
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
    return findings


def patient(path: Path, data: Path | None) -> list[Finding]:
    """A model's file, or the folder of a run: also of one that broke off before its first epoch."""
    if not path.is_dir():
        return training(load_network(path), data)
    folder = RunFolder(path)
    told = how_it_ended(folder)
    newest = folder.last if folder.last.exists() else folder.best
    if folder.failed.exists() and not newest.exists():
        return told
    network = load_network(newest if newest.exists() else path)
    of_run = curve_problems(curves(folder.history))
    found = training(network, data)
    if of_run is not None and of_run not in {one.text for one in found}:
        found.append(Finding(True, of_run))
    return told + found


def how_it_ended(folder: RunFolder) -> list[Finding]:
    """Nothing of a run that came to its end."""
    if folder.failed.exists():
        rate = from_toml(folder.config).optimizer.get("learning_rate", USUAL_RATE)
        again = f"minicnn train {folder.config} --learning-rate {min(rate / 10, USUAL_RATE):g}"
        why = read_text(folder.failed).strip()
        remedy = f". Begin again: {again}" if "learning_rate" in why else ""
        return [Finding(True, f"the training broke off: {why}{remedy}")]
    if folder.is_begun and not folder.is_complete:
        return [Finding(False, "the run has not come to its end; --resume goes on with it")]
    return []


def curves(path: Path) -> dict[str, list[float]]:
    """{"loss": [...], ...}: the epochs of a run's history.csv."""
    if not path.exists():
        return {}
    text = read_text(path)
    try:
        rows = list(csv.DictReader(io.StringIO(text)))
        return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else ())}
    except (csv.Error, TypeError, ValueError) as error:
        raise FormatError(
            path,
            f"is no table with a row of numbers for each epoch ({error}); take it out of the "
            "folder, and the model alone is looked at",
        ) from error


def training(model: Model, data: Path | None) -> list[Finding]:
    """What the model's curves say, and what is found on images of `data`."""
    history = model.saved_history
    epochs = len(history.get("loss", ()))
    known = f"{epochs} epoch{'s' * (epochs != 1)} of training in its file"
    findings = [Finding(False, f"{model.name}: {known}")]
    if data is None:
        texts = (curve_problems(history), unsettled_statistics(model, history))
        return findings + [Finding(True, text) for text in texts if text is not None]
    x, y = samples(model, data)
    output.note(f"{len(x)} images of {data}; a fresh copy of the network learns 16 by heart ...")
    with counting("learning by heart") as progress:
        return findings + explain.examine(model, x, y, progress=progress)


def samples(model: Model, data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Some images of every class as the network is fed them, and labels as its loss takes them."""
    listing = list_folder(split_folder(data, TRAIN) or data, model.class_names)
    if len(listing.paths) == 0:
        raise ArgumentError(f"no images under {data}; needed are folders with images, one a class")
    order = generator("doctor").permutation(len(listing.paths))[:SAMPLES]
    preprocess = model.preprocess or usual_preprocess(model)
    with counting("reading") as progress:
        paths = [listing.paths[i] for i in order]
        images, kept, failures = read_images(paths, **preprocess.reading, progress=progress)
    for path, reason in failures:
        output.warn(f"{path} cannot be read: {reason}")
    return preprocess(images), labels_for(model, listing.labels[order[kept]])


def labels_for(model: Model, numbers: np.ndarray) -> Any:
    """Class numbers, as numbers or as one-hot rows, as the model's loss takes them."""
    _, loss = model.need_compiled()
    classes = model.graph.outputs[0].shape[-1] or 1
    if isinstance(loss, SparseCategoricalCrossentropy) or classes == 1:
        return numbers
    return np.eye(classes, dtype=np.float32)[numbers]
