"""Learning rate schedules: the learning rate as a function of the step.

A step is one batch, counted from 0 over all epochs. Schedules have no state, so a resumed training
continues with the right rate. `minicnn.optimizers.schedules` has the same names, as in Keras.
"""

from minicnn.schedules.base import LearningRateSchedule, check_rate
from minicnn.schedules.constant import Constant, PiecewiseConstantDecay
from minicnn.schedules.cosine import CosineDecay, CosineDecayRestarts
from minicnn.schedules.decay import (
    ExponentialDecay,
    InverseDecay,
    InverseTimeDecay,
    PolynomialDecay,
)
from minicnn.support.registry import Registry

__all__ = [
    "Constant",
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "check_rate",
    "deserialize",
    "serialize",
]

_CLASSES = (
    Constant, PiecewiseConstantDecay, ExponentialDecay, InverseTimeDecay, InverseDecay,
    PolynomialDecay, CosineDecay, CosineDecayRestarts,
)  # fmt: skip
_registry: Registry[LearningRateSchedule] = Registry("schedule", LearningRateSchedule, _CLASSES)
serialize, deserialize = _registry.serialize, _registry.deserialize
