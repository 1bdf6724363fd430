"""The features of some images of a run, which its model file keeps to learn more classes later."""

from __future__ import annotations

import numpy as np

from minicnn import random
from minicnn.apps.runs.classifier_parts import feature_network
from minicnn.apps.runs.features import compute_features
from minicnn.apps.runs.image_splits import ImageSplits, Split
from minicnn.data.preprocess import Preprocess
from minicnn.models import Model
from minicnn.models.feature_sample import FeatureSample

PER_CLASS = 40  # images of each class: of those learned from, and as many of those held out
AT_MOST = 2000  # of all classes together, so that the file of a thousand classes stays small


def sampled_features(
    model: Model, preprocess: Preprocess, images: ImageSplits, allow_unreadable: float
) -> FeatureSample | None:
    """Return the features of some training and some validation images, drawn with the seed.

    Returns
    -------
    FeatureSample or None
        None if the network does not end in a Dense layer, whose input the features are, or if
        float16 cannot hold them.
    """
    network = feature_network(model)
    if network is None:
        return None
    parts = [
        compute_features(
            network,
            _some(split, len(images.class_names)),
            preprocess,
            _quiet,
            what="some",
            allow_unreadable=allow_unreadable,
        )
        for split in (images.train, images.validation)
    ]
    values = np.concatenate([part.values for part in parts])
    if not (np.abs(values) <= np.finfo(np.float16).max).all():
        return None
    labels = np.concatenate([part.labels for part in parts])
    held_out = np.repeat([False, True], [len(part.labels) for part in parts])
    return FeatureSample(values, labels, held_out)


def _some(split: Split, classes: int) -> Split:
    """Return at most `PER_CLASS` images of each class, and at least one."""
    count = max(1, min(PER_CLASS, AT_MOST // classes))
    chosen = [
        random.generator("feature sample", int(label)).permutation(
            np.flatnonzero(split.labels == label)
        )[:count]
        for label in np.unique(split.labels)
    ]
    return split.pick(np.sort(np.concatenate(chosen)))


def _quiet(_: str) -> None:
    """Say nothing: a few hundred images take seconds."""
