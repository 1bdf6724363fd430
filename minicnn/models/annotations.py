"""What a network is told about its outputs and inputs, and what was measured with its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicnn.data.preprocess import Preprocess
from minicnn.metrics.calibration import Calibration
from minicnn.models.feature_sample import FeatureSample
from minicnn.models.labels import (
    checked_calibration,
    checked_class_names,
    checked_feature_sample,
    checked_preprocess,
)


class Annotations:
    """The attributes of a network that no layer needs, and that are saved with the model."""

    name: str
    input_shape: Any
    output_shape: Any

    @property
    def is_built(self) -> bool:
        """Whether the shapes are known."""
        raise NotImplementedError

    def set_no_annotations(self) -> None:
        """Set all of them to None."""
        self._class_names: list[str] | None = None
        self._preprocess: Preprocess | None = None
        self._calibration: Calibration | None = None
        self._feature_sample: FeatureSample | None = None

    @property
    def class_names(self) -> list[str] | None:
        """One name per class, in the order of the outputs; saved with the model.

        A network with a single sigmoid output has two classes: the first for an output near 0, the
        second for an output near 1.
        """
        return self._class_names

    @class_names.setter
    def class_names(self, names: Sequence[str] | None) -> None:
        self._class_names = checked_class_names(names, self._classes, self.name)

    @property
    def preprocess(self) -> Preprocess | None:
        """How an image file becomes the input of this network; saved with the model."""
        return self._preprocess

    @preprocess.setter
    def preprocess(self, preprocess: Preprocess | None) -> None:
        shape = self.input_shape if self.is_built else None
        self._preprocess = checked_preprocess(preprocess, shape, self.name)

    @property
    def calibration(self) -> Calibration | None:
        """What the probabilities are worth on images that were not learned; saved with the model.

        It belongs to the weights: `fit` and `load_weights` set it to None.
        """
        return self._calibration

    @calibration.setter
    def calibration(self, calibration: Calibration | None) -> None:
        self._calibration = checked_calibration(calibration)

    @property
    def feature_sample(self) -> FeatureSample | None:
        """What the last layer reads of some images, to learn more classes; saved with the model.

        It belongs to the weights: `fit` and `load_weights` set it to None.
        """
        return self._feature_sample

    @feature_sample.setter
    def feature_sample(self, sample: FeatureSample | None) -> None:
        self._feature_sample = checked_feature_sample(sample, self._classes, self.name)

    def forget_measurements(self) -> None:
        """Drop what was measured with these weights, because they are about to change."""
        self._calibration = self._feature_sample = None

    @property
    def _classes(self) -> int | None:
        """How many classes the outputs tell apart; None if that is not known."""
        shape = self.output_shape if self.is_built else None
        return max(shape[-1], 2) if isinstance(shape, tuple) else None
