"""From one format to another: write a network, read the file again, and compare predictions."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from minicnn.errors import NumericError
from minicnn.models import Model, load_model
from minicnn.models.cloning import clone_model
from minicnn.models.saving import formats
from minicnn.support.files import Path
from minicnn.support.structures import flat

CAFFE = "minicnn.interop.caffe"  # its networks are read with their weights, if those are known
OWN = "minicnn's own format"
SAMPLES = 2
UNKNOWN_LENGTH = 64  # of an axis of the input whose length the network leaves open
# Float32 sums in another order differ by some 1e-6 of their size; another network by far more.
ALLOWED = 1e-4


class Written(NamedTuple):
    """What `write_checked` wrote."""

    format: str  # the name of the format
    files: list[str]
    size: int  # bytes of all files together
    difference: float | None  # the largest of the predictions; None if they cannot be compared


def read(source: Path, weights: Path | None = None) -> Model:
    """Return the network of a file of any format, with the weights of another file if given.

    Raises
    ------
    FormatError and its kinds : a file cannot be read; see `minicnn.load_model`
    """
    known = formats.recognized(source)
    if weights is not None and known is not None and known.module == CAFFE:
        with_weights: Model = import_module(CAFFE).load(source, weights)
        return with_weights
    model = load_model(source, compile=weights is None)
    if weights is not None:
        model.load_weights(weights)
    return model


def write_checked(model: Model, target: Path, seed: int = 0) -> Written:
    """Write a network in the format of the target's ending, and compare what the file predicts.

    Parameters
    ----------
    model : a built network
    target : its ending chooses the format; a format for weights alone gets the weights
    seed : of the random input

    Raises
    ------
    NumericError : the network that is read from the file predicts something else; the file stays
    UnsupportedError : the format has no words for a layer
    """
    form = formats.by_ending(target)
    can = formats.FUNCTIONS if form is None else form.functions
    model.save(target) if "write_model" in can else model.save_weights(target)
    files = written_files(target)
    size = sum(os.path.getsize(one) for one in files)
    name = OWN if form is None else form.name
    again = _read_again(model, target, can)
    difference = None if again is None else _largest_difference(model, again, seed, target)
    return Written(name, files, size, difference)


def written_files(target: Path) -> list[str]:
    """Return the files that are written for a target: Caffe's weights have a text beside them."""
    path = os.fspath(target)
    stem, ending = os.path.splitext(path)
    return [path, f"{stem}.prototxt"] if ending.lower() == ".caffemodel" else [path]


def _read_again(model: Model, target: Path, can: Any) -> Model | None:
    if "write_model" in can and "read_model" in can:
        return load_model(target, compile=False)
    if "read_weights" not in can:
        return None
    again: Model = clone_model(model)
    again.load_weights(target)
    return again


def _largest_difference(model: Model, again: Model, seed: int, target: Path) -> float:
    """Return the largest difference of two networks' predictions on random input."""
    x = random_input(model, seed)
    pairs = zip(flat(model.predict(x, verbose=0)), flat(again.predict(x, verbose=0)), strict=True)
    worst = 0.0
    for ours, theirs in pairs:
        if ours.shape != theirs.shape:
            raise NumericError(
                f"{os.fspath(target)}: its network gives {theirs.shape}, not {ours.shape}"
            )
        difference = float(np.abs(ours - theirs).max(initial=0.0))
        allowed = ALLOWED * max(1.0, float(np.abs(ours).max(initial=0.0)))
        if not difference <= allowed and not np.array_equal(ours, theirs, equal_nan=True):
            raise NumericError(
                f"{os.fspath(target)}: its network predicts other values than the one that was "
                f"written; they differ by {difference:.3g}, and {allowed:.1g} is allowed"
            )
        worst = max(worst, difference)
    return worst


def random_input(model: Model, seed: int) -> Any:
    """Return random samples in the shapes of the network's inputs, 0...1, or pixels of uint8."""
    rng = np.random.default_rng(seed)
    arrays = []
    for tensor in model.graph.inputs:
        shape = (SAMPLES, *(n or UNKNOWN_LENGTH for n in tensor.shape[1:]))
        pixels = tensor.dtype == "uint8"
        arrays.append(
            rng.integers(0, 256, shape, np.uint8) if pixels else rng.random(shape, np.float32)
        )
    return arrays if len(arrays) > 1 else arrays[0]
