"""From image files to class names: what a classifier predicts for images on disk."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from minicnn.checks import check_int
from minicnn.data.image_files import PathLike
from minicnn.data.image_modes import CHANNELS
from minicnn.data.images import read_images
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError
from minicnn.models.batches import as_arrays
from minicnn.models.compiled_network import CompiledNetwork
from minicnn.models.labels import decode_predictions
from minicnn.models.network import Network, single


class ImagePrediction(NamedTuple):
    """The prediction for one file; `top` has (probability, class name), the most probable first."""

    path: Path
    label: str
    probability: float
    top: list[tuple[float, str]]


class ImagePredictions(list[ImagePrediction]):
    """One prediction per file that could be read, in the given order.

    `failures` has (path, reason) of the files that could not be read.

    >>> ImagePredictions([]).failures
    []
    """

    def __init__(
        self,
        predictions: Iterable[ImagePrediction],
        failures: Iterable[tuple[Path, str]] = (),
    ) -> None:
        super().__init__(predictions)
        self.failures = list(failures)


def predict_images(
    model: CompiledNetwork, paths: PathLike | Iterable[PathLike], top: int, batch_size: int
) -> ImagePredictions:
    """Predict what is on the images: see `Model.predict_images`."""
    files = [Path(p) for p in ([paths] if isinstance(paths, (str, os.PathLike)) else paths)]
    if model.preprocess is None:
        raise ArgumentError(
            f"{model.name} does not say how a file becomes its input; set it: model.preprocess = "
            f"mc.data.{usual_preprocess(model)}"
        )
    predictions: list[ImagePrediction] = []
    failures: list[tuple[Path, str]] = []
    for start in range(0, len(files), check_int(batch_size, "batch_size")):
        batch = files[start : start + batch_size]
        _predict_batch(model, model.preprocess, batch, top, predictions, failures)
    if failures:
        path, reason = failures[0]
        warnings.warn(
            f"{len(failures)} of {len(files)} images cannot be read and are left out; the first "
            f"is {path}: {reason}",
            stacklevel=3,
        )
    return ImagePredictions(predictions, failures)


def _predict_batch(
    model: CompiledNetwork,
    preprocess: Preprocess,
    files: list[Path],
    top: int,
    predictions: list[ImagePrediction],
    failures: list[tuple[Path, str]],
) -> None:
    """Append the predictions and failures of one batch; its images are freed at the end."""
    images, kept, failed = read_images(files, **preprocess.reading)
    failures += [(Path(path), reason) for path, reason in failed]
    if len(kept):
        inputs = as_arrays(preprocess(images))
        model.build_for(inputs)
        rows = decode_predictions(single(model.predict_step(inputs)), model.class_names, top)
        for i, best in zip(kept, rows, strict=True):
            predictions.append(ImagePrediction(files[i], best[0][1], best[0][0], best))


def usual_preprocess(network: Network) -> Preprocess:
    """Return the preprocessing that most networks with such an input are trained with.

    Images get the input's size and colors. Pixels stay 0...255 if the network rescales them, else
    they become 0...1.
    """
    inputs = network.input_shape
    colors = {channels: mode for mode, channels in CHANNELS.items()}
    if not isinstance(inputs, tuple) or len(inputs) != 4 or inputs[3] not in colors:
        raise ArgumentError(
            f"{network.name} takes {inputs}; an image file becomes (None, H, W, C) with C = 1, 3 "
            "or 4"
        )
    scale = 1.0 if network.rescales(0) else 1 / 255
    return Preprocess(inputs[1:3], colors[inputs[3]], scale=scale)
