"""From image files to named answers: what a classifier says about pictures on disk."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from minicnn.checks import check_int
from minicnn.data.image_files import PathLike
from minicnn.data.images import read_images
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError
from minicnn.models.labels import decode_predictions, usual_preprocess

if TYPE_CHECKING:
    from minicnn.models.model import Model


class ImagePrediction(NamedTuple):
    """What a network says about one file; `top` has (probability, class name), best first."""

    path: Path
    label: str
    probability: float
    top: list[tuple[float, str]]


class ImagePredictions(list[ImagePrediction]):
    """One a file that could be read, in the given order; `failures` has (path, reason) of the rest.

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
    model: Model, paths: PathLike | Iterable[PathLike], top: int, batch_size: int
) -> ImagePredictions:
    """See `Model.predict_images`."""
    files = [Path(p) for p in ([paths] if isinstance(paths, (str, os.PathLike)) else paths)]
    if model.preprocess is None:
        raise ArgumentError(
            f"{model.name} does not know how a file becomes its input; say it: model.preprocess = "
            f"mc.data.{usual_preprocess(model)}"
        )
    predictions: list[ImagePrediction] = []
    failures: list[tuple[Path, str]] = []
    for start in range(0, len(files), check_int(batch_size, "batch_size")):
        _predict_some(model, files[start : start + batch_size], top, predictions, failures)
    if failures:
        path, reason = failures[0]
        warnings.warn(
            f"{len(failures)} of {len(files)} images cannot be read and are left out; the first "
            f"is {path}: {reason}",
            stacklevel=3,
        )
    return ImagePredictions(predictions, failures)


def _predict_some(
    model: Model,
    files: list[Path],
    top: int,
    predictions: list[ImagePrediction],
    failures: list[tuple[Path, str]],
) -> None:
    """Add one batch's answers; its images are not kept."""
    preprocess: Preprocess = model.preprocess  # type: ignore[assignment]  # was checked
    images, kept, failed = read_images(files, **preprocess.reading)
    failures += [(Path(path), reason) for path, reason in failed]
    if len(kept):
        outputs = model.predict_on_batch(preprocess(images))
        rows = decode_predictions(outputs, model.class_names, top)
        for i, best in zip(kept, rows, strict=True):
            predictions.append(ImagePrediction(files[i], best[0][1], best[0][0], best))
