"""How images were classified before networks learned what to look for: by features made by hand.

Needs the extra "classic" (scikit-learn, scikit-image), imported when they are used.
"""

from minicnn.classic.classifiers import CLASSIFIERS, classifier
from minicnn.classic.compare import Row, compare, network_row, table
from minicnn.classic.features import FEATURES, check_features, features

__all__ = [
    "CLASSIFIERS",
    "FEATURES",
    "Row",
    "check_features",
    "classifier",
    "compare",
    "features",
    "network_row",
    "table",
]
