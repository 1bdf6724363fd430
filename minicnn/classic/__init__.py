"""Image classification as it was done before convolutional networks, by hand-made features.

Needs the extra "classic" (scikit-learn, scikit-image), which is imported when it is used.
"""

from minicnn.classic.classifiers import CLASSIFIERS, classifier
from minicnn.classic.compare import Row, compare, network_row, table
from minicnn.classic.features import FEATURES, FeatureExtractor, check_features
from minicnn.classic.retrieval import nearest_images, precision

__all__ = [
    "CLASSIFIERS",
    "FEATURES",
    "FeatureExtractor",
    "Row",
    "check_features",
    "classifier",
    "compare",
    "nearest_images",
    "network_row",
    "precision",
    "table",
]
