"""The feature extractors of a library: networks, colors and textures."""

from minicnn.apps.library.color_features import ColorFeatures
from minicnn.apps.library.feature_extractor import Described, FeatureExtractor
from minicnn.apps.library.network_features import default_network, network_extractor
from minicnn.apps.library.texture_features import TextureFeatures

__all__ = [
    "Described",
    "FeatureExtractor",
    "color_and_texture",
    "default_network",
    "network_extractor",
]


def color_and_texture() -> list[FeatureExtractor]:
    """Return the extractors that need no network; each takes less than a millisecond a picture.

    >>> [extractor.name for extractor in color_and_texture()]
    ['color', 'texture']
    """
    return [ColorFeatures(), TextureFeatures()]
