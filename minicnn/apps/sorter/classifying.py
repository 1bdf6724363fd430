"""What a model says about each image: up to three classes with their probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from minicnn.apps.sorter.companions import Group
from minicnn.data.image_files import reason_of
from minicnn.data.images import decode
from minicnn.data.parallel import default_threads
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError, MiniCNNError
from minicnn.models import Model
from minicnn.models.labels import decode_predictions
from minicnn.support.threads import Job, ThreadPool

TOP = 3
BATCH = 32  # images that the network gets at a time
Pixels = np.ndarray | str  # an image (H, W, C), or why it cannot be read


class Answer(NamedTuple):
    """What the model says about one image."""

    top: tuple[tuple[str, float], ...]  # (class, probability), the most probable first
    failure: str | None = None  # why the image cannot be read; then `top` is empty


def classify(
    model: Model,
    groups: Sequence[Group],
    *,
    done: Callable[[int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> list[Answer]:
    """Return the answers of a model for the images of all groups, in their order.

    Parameters
    ----------
    model : with preprocessing and class names; its `calibration`, if it has one, corrects the
        probabilities
    groups : as `find` returned them
    done : called with the number of images that have been classified
    stop : classifying ends early when it returns True; the result is then shorter

    Raises
    ------
    ArgumentError : the model has no preprocessing or no class names
    """
    result = []
    for number, answer in answers(model, groups, stop=stop):
        result.append(answer)
        if done is not None:
            done(number + 1)
    return result


def answers(
    model: Model, groups: Sequence[Group], *, stop: Callable[[], bool] | None = None
) -> Iterator[tuple[int, Answer]]:
    """Yield (number of the group, answer), in order; images are decoded ahead in threads."""
    preprocess = checked_preprocess(model)
    pool = ThreadPool(default_threads(None), "minicnn-sort")
    try:
        waiting = _begin(pool, groups[:BATCH], preprocess)
        for first in range(0, len(groups), BATCH):
            jobs, after = waiting, groups[first + BATCH : first + 2 * BATCH]
            waiting = _begin(pool, after, preprocess)
            images = [job.result() for job in jobs]
            if stop is not None and stop():
                return
            yield from enumerate(_answers(model, preprocess, images), first)
    finally:
        pool.close(wait=False)


def checked_preprocess(model: Model) -> Preprocess:
    """Return how the model's images are prepared; raise ArgumentError if it cannot classify."""
    if model.preprocess is None or not model.class_names:
        lacks = "preprocessing" if model.preprocess is None else "class names"
        raise ArgumentError(
            f"{model.name} has no {lacks}, so it cannot classify images; set model.preprocess and "
            "model.class_names before model.save"
        )
    return model.preprocess


def _begin(pool: ThreadPool, groups: Sequence[Group], preprocess: Preprocess) -> list[Job[Pixels]]:
    return [pool.submit(_read, group, preprocess) for group in groups]


def _read(group: Group, preprocess: Preprocess) -> Pixels:
    """Decode an image, reduced while it is decoded if it is a large JPEG."""
    try:
        return decode(group.image, **preprocess.reading)
    except (OSError, MiniCNNError) as error:
        return reason_of(error) if isinstance(error, OSError) else str(error)


def _answers(model: Model, preprocess: Preprocess, images: Sequence[Pixels]) -> list[Answer]:
    """Return the answers for one batch; those of images that cannot be read have no classes."""
    read = [image for image in images if not isinstance(image, str)]
    tops = iter(_tops(model, preprocess(np.stack(read))) if read else [])
    return [Answer((), image) if isinstance(image, str) else Answer(next(tops)) for image in images]


def _tops(model: Model, x: np.ndarray) -> list[tuple[tuple[str, float], ...]]:
    rows = calibrated(model, np.asarray(model.predict_on_batch(x)))
    best = decode_predictions(rows, model.class_names, TOP)
    return [tuple((label, share) for share, label in row) for row in best]


def calibrated(model: Model, rows: np.ndarray) -> np.ndarray:
    """Return the probabilities (N, C) as the model's calibration corrects them, if it has one."""
    if rows.shape[1] == 1:
        rows = np.concatenate([1 - rows, rows], axis=1)
    return rows if model.calibration is None else model.calibration.probabilities(rows)
