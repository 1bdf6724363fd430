"""Inside the network: its first kernels, what they find in a picture, and Grad-CAM."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minicnn.apps.library.network_features import NetworkFeatures
from minicnn.apps.web.png_drawing import evidence_png, kernels_png, maps_png
from minicnn.data.images import decode
from minicnn.explain.feature_maps import feature_maps
from minicnn.explain.gradcam import enlarged, gradcam
from minicnn.explain.kernels import COLORS, kernels_of


class FirstLayer(NamedTuple):
    """The kernels of the first convolution, in words."""

    name: str
    kernels: int
    size: str  # "5 × 5"
    is_color: bool


def first_layer(network: NetworkFeatures) -> FirstLayer:
    """Describe the first convolution of a network."""
    name, kernels = kernels_of(network.model)
    height, width = kernels.shape[:2]
    return FirstLayer(name, kernels.shape[-1], f"{height} × {width}", kernels.shape[2] == COLORS)


def draw_kernels(network: NetworkFeatures) -> bytes:
    """Draw the kernels of the first convolution as a PNG file."""
    return kernels_png(kernels_of(network.model)[1])


def draw_maps(network: NetworkFeatures, image: np.ndarray) -> bytes:
    """Draw an image, as the network reads it, after the first convolution."""
    name, _ = kernels_of(network.model)
    return maps_png(feature_maps(network.model, network.inputs([image]), [name])[name][0])


def draw_evidence(network: NetworkFeatures, image: np.ndarray, content: bytes) -> bytes:
    """Draw where an image is evidence for the most probable class, over the file `content`."""
    evidence = gradcam(network.model, network.inputs([image]))
    picture = decode(content)
    return evidence_png(picture, enlarged(evidence, picture.shape[:2])[0])
