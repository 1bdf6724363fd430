"""Losses by name, by function and from files."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from minicnn.losses.base import Loss
from minicnn.losses.circle import Circle, circle
from minicnn.losses.crossentropies import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from minicnn.losses.divergences import KLDivergence, Poisson, kl_divergence, poisson
from minicnn.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
)
from minicnn.losses.functions import function_loss
from minicnn.losses.hinges import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from minicnn.losses.overlaps import Dice, Tversky, dice, tversky
from minicnn.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from minicnn.support.registry import Registry

# The class that computes the same as a function: the network trains on its kernels.
CLASS_OF_FUNCTION: dict[Any, type[Loss]] = {
    binary_crossentropy: BinaryCrossentropy,
    binary_focal_crossentropy: BinaryFocalCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    categorical_focal_crossentropy: CategoricalFocalCrossentropy,
    categorical_generalized_cross_entropy: CategoricalGeneralizedCrossEntropy,
    categorical_hinge: CategoricalHinge,
    circle: Circle,
    cosine_similarity: CosineSimilarity,
    dice: Dice,
    hinge: Hinge,
    huber: Huber,
    kl_divergence: KLDivergence,
    log_cosh: LogCosh,
    mean_absolute_error: MeanAbsoluteError,
    mean_absolute_percentage_error: MeanAbsolutePercentageError,
    mean_squared_error: MeanSquaredError,
    mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    poisson: Poisson,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    squared_hinge: SquaredHinge,
    tversky: Tversky,
}
ALIASES: dict[str, type[Loss]] = {
    "bce": BinaryCrossentropy,
    "kld": KLDivergence,
    "kullbackleiblerdivergence": KLDivergence,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "mse": MeanSquaredError,
    "msle": MeanSquaredLogarithmicError,
}

_registry: Registry[Loss] = Registry(
    "loss", Loss, CLASS_OF_FUNCTION.values(), ALIASES, of_function=function_loss
)
serialize, deserialize = _registry.serialize, _registry.deserialize
check_rebuildable = _registry.check_rebuildable


def get(identifier: Any) -> Loss:
    """Return a loss from its name, from what `serialize` gave, a function, or the object itself.

    A function of (y_true, y_pred) is called with tensors and returns one value per sample.

    >>> get("mse")([[1.0], [2.0]], np.array([[1.0], [4.0]]))
    2.0
    """
    if isinstance(identifier, Mapping) and set(identifier) >= {"class_name", "config"}:
        identifier = {"class": identifier["class_name"], "config": identifier["config"]}
    if inspect.isroutine(identifier):
        kind = CLASS_OF_FUNCTION.get(identifier)
        return kind() if kind is not None else function_loss(identifier)()
    return _registry.get(identifier)
