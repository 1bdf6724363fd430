"""Search for a network's hyperparameters with Optuna, under the names of Keras Tuner.

Needs the extra "tune"; Optuna is imported when a search begins.
"""

from minicnn.tune.photo import photo_space
from minicnn.tune.search import BayesianOptimization, GridSearch, RandomSearch, Tuner
from minicnn.tune.space import Hyperparameter, HyperParameters

__all__ = [
    "BayesianOptimization",
    "GridSearch",
    "HyperParameters",
    "Hyperparameter",
    "RandomSearch",
    "Tuner",
    "photo_space",
]
