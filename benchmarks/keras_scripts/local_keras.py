"""Run a script on Keras with the data sets of a folder, since `load_data` would download them.

usage: local_keras.py SCRIPT    (MINICNN_DATA names the folder)
"""

import os
import runpy
import sys

import keras
import numpy as np


def local_data(name, columns):
    """Return a `load_data` that reads NAME.npz; labels (N, 1) if `columns`, as CIFAR's are."""

    def load_data():
        arrays = np.load(os.path.join(os.environ["MINICNN_DATA"], f"{name}.npz"))
        labels = [arrays[key] for key in ("y_train", "y_test")]
        if columns:
            labels = [y[:, None] for y in labels]
        return (arrays["x_train"], labels[0]), (arrays["x_test"], labels[1])

    return load_data


if __name__ == "__main__":
    for name in ("mnist", "fashion_mnist", "cifar10"):
        getattr(keras.datasets, name).load_data = local_data(name, name == "cifar10")
    sys.argv = sys.argv[1:]
    sys.path.insert(0, os.getcwd())
    runpy.run_path(sys.argv[0], run_name="__main__")
