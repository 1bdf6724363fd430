"""Fashion-MNIST: 70,000 small images of clothes in ten classes.

Collected by Zalando Research (MIT license). It is not part of the package, and nothing is
downloaded.
"""

from __future__ import annotations

from pathlib import Path

from minicnn.datasets import mnist
from minicnn.datasets.mnist import LabeledImages
from minicnn.datasets.places import find
from minicnn.errors import FormatError

CLASS_NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
    "Ankle boot",
)  # fmt: skip
# The names under which it is looked for in a folder of data sets.
USUAL_NAMES = (
    "fashion-mnist", "fashion_mnist", "FashionMNIST", "FashionMNIST/raw", "fashion",
    "fashion-mnist/data/fashion",
)  # fmt: skip
DIGITS = [5, 0, 4, 1, 9, 2]  # the first labels of MNIST
SOURCE = "github.com/zalandoresearch/fashion-mnist"


def load_data(path: str | Path | None = None) -> tuple[LabeledImages, LabeledImages]:
    """Load images of clothes, 28 x 28, white (255) on black (0), and the index of each one's class.

    Parameters
    ----------
    path : str or path, optional
        The folder of the four files `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
        `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, plain or compressed as `.gz` or
        `.xz`; or a folder that contains it under one of `USUAL_NAMES`. Default: the folder that
        MINICNN_DATA names, Keras's `~/.keras/datasets`, and the folder `data`.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images uint8 (60000, 28, 28) and (10000, 28, 28), labels uint8 (60000,) and (10000,).

    Raises
    ------
    FileNotFoundError
        It is not there; the message says where to get it.
    FormatError
        A file is not an IDX file or is damaged, or images and labels do not match.

    References
    ----------
    Xiao, Rasul, Vollgraf: Fashion-MNIST: a novel image dataset for benchmarking machine learning
    algorithms. 2017.
    """
    folder = find(
        None if path is None else Path(path),
        USUAL_NAMES,
        _holds,
        "Fashion-MNIST",
        f"the four files train-images-idx3-ubyte.gz, ... of {SOURCE} in fashion-mnist/",
    )
    train, test = mnist.load_data(folder)
    if train[1][: len(DIGITS)].tolist() == DIGITS:
        raise FormatError(folder, "holds MNIST's digits, whose files have the same names")
    return train, test


def _holds(folder: Path) -> bool:
    return any((folder / f"train-images-idx3-ubyte{end}").is_file() for end in mnist.ENDINGS)
