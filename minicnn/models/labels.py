"""What a network's outputs mean, what its input needs, and what was measured with its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.checks import check_int, quoted, shape_text
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError, ShapeError
from minicnn.metrics.calibration import Calibration
from minicnn.models.feature_sample import FeatureSample

# Rows of float32 probabilities sum to 1 within this; rows of logits do not.
ROW_TOLERANCE = 1e-3


def decode_predictions(
    predictions: Any, class_names: Sequence[str] | None = None, top: int = 5
) -> list[list[tuple[float, str]]]:
    """Return the `top` most probable classes of each image as (probability, class name) pairs.

    Parameters
    ----------
    predictions : (N, classes) probabilities, as `predict` returns them; or (N, 1), the probability
        of the second of two classes
    class_names : one name per class; default: "0", "1", ...
    top : how many pairs to return per image, the most probable first; of equally probable classes
        the first one comes first

    Raises
    ------
    ShapeError : predictions are not (N, classes)
    ArgumentError : the rows are not probabilities, or there is not one name per class

    Examples
    --------
    >>> decode_predictions(np.array([[0.25, 0.5, 0.25]]), ["ant", "bee", "cat"], top=2)
    [[(0.5, 'bee'), (0.25, 'ant')]]
    >>> decode_predictions(np.array([[0.75]]), ["cat", "dog"])
    [[(0.75, 'dog'), (0.25, 'cat')]]
    """
    rows = _probabilities(predictions)
    classes = rows.shape[1]
    names = [str(i) for i in range(classes)] if class_names is None else list(class_names)
    if len(names) != classes:
        raise ArgumentError(f"predictions are of {classes} classes; got {len(names)} class_names")
    best = np.argsort(-rows, axis=1, kind="stable")[:, : check_int(top, "top")]
    return [
        [(float(row[c]), names[c]) for c in order] for row, order in zip(rows, best, strict=True)
    ]


def _probabilities(predictions: Any) -> np.ndarray:
    """Return (N, classes); the column p of a single sigmoid becomes the columns 1 - p and p."""
    rows = np.asarray(predictions)
    if rows.ndim != 2:
        raise ShapeError(f"predictions must be (N, classes); got {shape_text(rows.shape)}")
    if rows.shape[1] == 1:
        rows = np.concatenate([1 - rows, rows], axis=1)
    # NaN passes: a probability of NaN says more than an error about sums.
    if (rows < 0).any() or (np.abs(rows.sum(1) - 1) > ROW_TOLERANCE).any():
        raise ArgumentError(
            "predictions must be probabilities, with rows that sum to 1; these are not. If the "
            "network ends without softmax, pass mc.layers.Softmax()(outputs)"
        )
    return rows


def checked_class_names(
    names: Sequence[str] | None, classes: int | None, network: str
) -> list[str] | None:
    """Return the names as a list, or None if there are none.

    `classes` is how many names are needed, None if that is not known yet; `network` is the name
    for the error message.
    """
    if names is None or names == []:
        return None
    fine = isinstance(names, (list, tuple)) and all(isinstance(name, str) for name in names)
    if not fine:
        raise ArgumentError(f"class_names must be a list of strings; got {quoted(names)}")
    if classes is not None and len(names) != classes:
        raise ArgumentError(
            f"{network} has {classes} classes; got {len(names)} class_names: "
            f"{', '.join(names[:3])}{', ...' if len(names) > 3 else ''}"
        )
    return list(names)


def checked_preprocess(
    preprocess: Preprocess | None, input_shape: Any, network: str
) -> Preprocess | None:
    """Return the preprocessing, checked to make images of the input's shape.

    `input_shape` is (None, H, W, C), a list if there are several inputs, None if it is not known
    yet; `network` is the name for the error message.
    """
    if preprocess is None:
        return None
    if not isinstance(preprocess, Preprocess):
        raise ArgumentError(f"preprocess must be a mc.data.Preprocess; got {quoted(preprocess)}")
    preprocess = preprocess.checked()
    if isinstance(input_shape, tuple) and input_shape[1:] != preprocess.image_shape:
        raise ShapeError(
            f"preprocess makes images {preprocess.image_shape}; {network} takes {input_shape[1:]}"
        )
    return preprocess


def checked_calibration(calibration: Calibration | None) -> Calibration | None:
    """Return the calibration; raise ArgumentError for anything else."""
    if calibration is not None and not isinstance(calibration, Calibration):
        raise ArgumentError(
            f"calibration must be a mc.metrics.Calibration; got {quoted(calibration)}"
        )
    return calibration


def checked_feature_sample(
    sample: FeatureSample | None, classes: int | None, network: str
) -> FeatureSample | None:
    """Return the sample, checked to be of classes that the network has."""
    if sample is None:
        return None
    if not isinstance(sample, FeatureSample):
        raise ArgumentError(f"feature_sample must be a FeatureSample; got {quoted(sample)}")
    if classes is not None and sample.labels.size and sample.labels.max() >= classes:
        raise ArgumentError(
            f"{network} has {classes} classes; got a feature_sample of class {sample.labels.max()}"
        )
    return sample
