"""A classifier as a feature extractor: what its last layer reads, and the classes it sees."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from minicnn import zoo
from minicnn.apps.library.feature_extractor import Described, Reading, unit_rows
from minicnn.apps.runs.classifier_parts import classifier_output
from minicnn.apps.runs.folder import RunFolder
from minicnn.data.preprocess import Preprocess
from minicnn.errors import ArgumentError, MissingExtraError
from minicnn.models import Model, load_model
from minicnn.models.labels import decode_predictions
from minicnn.zoo.pretrained.efficientnet_lite0 import weights_path

TOP = 5
BATCH = 32  # images that the network gets at a time
PHOTO_SMALL, LITE0 = "photo-small", "efficientnet-lite0"


class NetworkFeatures:
    """The features and classes of one network.

    Parameters
    ----------
    name : what the library calls it
    model : a classifier with preprocessing and class names that ends in a Dense layer
    source : what `network_extractor` is given to load it again

    Raises
    ------
    ArgumentError : it has no preprocessing, no class names or no such layer
    """

    def __init__(self, name: str, model: Model, source: str = "") -> None:
        self.name, self.model, self.source = name, model, source
        self._preprocess = _checked_preprocess(name, model)
        self._both = _with_features(name, model)
        self.class_names = list(model.class_names or ())
        self.dimensions = int(self._both.output_shape[0][-1])
        self.sha256 = _sha256(model, self._preprocess)
        self.reading = Reading(**self._preprocess.reading)

    def describe(self, images: Sequence[np.ndarray]) -> list[Described]:
        """Return features and classes of images that were read as `reading` asks."""
        found: list[Described] = []
        for start in range(0, len(images), BATCH):
            found += self._describe(images[start : start + BATCH])
        return found

    def inputs(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return what the network is fed for these images, float32 (N, H, W, C)."""
        return self._preprocess(np.stack(images))

    def probabilities(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return the probabilities of all classes for these images, calibrated, (N, classes)."""
        return self._calibrated(self._both.predict_on_batch(self.inputs(images))[1])

    def _describe(self, images: Sequence[np.ndarray]) -> list[Described]:
        features, rows = self._both.predict_on_batch(self.inputs(images))
        if not np.isfinite(features).all():
            raise ArgumentError(f"{self.name} computes features that are not finite numbers")
        vectors = unit_rows(features).astype(np.float16)
        tops = decode_predictions(self._calibrated(rows), self.class_names, TOP)
        return [
            Described(vector, tuple((label, share) for share, label in top))
            for vector, top in zip(vectors, tops, strict=True)
        ]

    def _calibrated(self, rows: np.ndarray) -> np.ndarray:
        rows = np.concatenate([1 - rows, rows], axis=1) if rows.shape[1] == 1 else rows
        calibration = self.model.calibration
        return rows if calibration is None else calibration.probabilities(rows)


def network_extractor(name_or_path: str) -> NetworkFeatures:
    """Return the feature extractor of a network that comes with minicnn, or of a file.

    Parameters
    ----------
    name_or_path : "photo-small", "efficientnet-lite0" (which needs the extra `imagenet`), a model
        file or the folder of a run. A file's extractor is called as the file without its ending,
        a run's as its folder

    Raises
    ------
    FileNotFoundError : there is no such file
    MissingExtraError : the weights of EfficientNet-Lite0 are not installed
    ArgumentError : the model is not a classifier with preprocessing and class names

    Examples
    --------
    >>> extractor = network_extractor("photo-small")
    >>> extractor.dimensions, extractor.class_names[0]
    (160, 'animals')
    """
    if name_or_path == PHOTO_SMALL:
        return NetworkFeatures(PHOTO_SMALL, zoo.photo_small(weights="photos"), PHOTO_SMALL)
    if name_or_path == LITE0:
        return NetworkFeatures(LITE0, zoo.efficientnet_lite0(), LITE0)
    path = Path(name_or_path).absolute()
    file, name = (RunFolder(path).best, path.name) if path.is_dir() else (path, path.stem)
    return NetworkFeatures(name, load_model(file, compile=False), str(path))


def default_network() -> str:
    """Return "efficientnet-lite0" if its weights are installed, else "photo-small"."""
    try:
        weights_path()
    except MissingExtraError:
        return PHOTO_SMALL
    return LITE0


def _checked_preprocess(name: str, model: Model) -> Preprocess:
    if model.preprocess is None or not model.class_names:
        lacks = "preprocessing" if model.preprocess is None else "class names"
        raise ArgumentError(
            f"{name} has no {lacks}, so it cannot describe pictures. Set model.preprocess and "
            "model.class_names before model.save"
        )
    return model.preprocess


def _with_features(name: str, model: Model) -> Model:
    """Return the network with two outputs: what its last Dense layer reads, and its answers."""
    classifier = classifier_output(model)
    if classifier is None or len(classifier.inputs[0].shape) != 2:
        raise ArgumentError(
            f"{name} has no features: it must end in a Dense layer, with one output per class, "
            "that reads one vector per image"
        )
    outputs = [classifier.inputs[0], model.graph.outputs[0]]
    return Model(model.graph.inputs[0], outputs, name=model.name)


def _sha256(model: Model, preprocess: Preprocess) -> str:
    """Return the hash of all that the features depend on."""
    digest = hashlib.sha256(json.dumps(preprocess.as_config(), sort_keys=True).encode())
    for parameter in model.graph.parameters:
        value = np.ascontiguousarray(parameter.value)
        digest.update(f"{value.shape} {value.dtype}".encode())
        digest.update(value.data)
    return digest.hexdigest()
