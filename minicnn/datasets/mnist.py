"""MNIST: 70,000 handwritten digits, inside the package.

Collected by Yann LeCun, Corinna Cortes and Christopher J. C. Burges from NIST's Special Databases
1 and 3; shared under CC BY-SA 3.0 (see NOTICE). The four files are the original ones, compressed
again with xz by `tools/make_mnist.py`.
"""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path

import numpy as np

from minicnn.data.idx import MAX_BYTES, check_labeled_images, parse_idx, read_idx
from minicnn.errors import ChecksumError
from minicnn.installed import reinstall_command
from minicnn.support.files import read_whole
from minicnn.support.threads import ThreadPool

LabeledImages = tuple[np.ndarray, np.ndarray]

# The original names, and the SHA-256 of each compressed file, as tools/make_mnist.py prints them.
DIGESTS = {
    "train-images-idx3-ubyte": "f4244629d990955b77aebe8df6587ecec8d3f831c5fb6d956be954036acb74af",
    "train-labels-idx1-ubyte": "c4ea33970fe891c3bbaeaf941c4a2eb2a2eceb87297a8832a429047f23acb9cd",
    "t10k-images-idx3-ubyte": "b8afd12a2f297ef42875bf57eeb7e2dffe66b07e8b53cfcf915c7db613cf4f79",
    "t10k-labels-idx1-ubyte": "587e1a086bafdec536a0b3439c5b1f497c701948ad1021822fab871097e50dc3",
}
PACKAGED = Path(__file__).parent / "mnist_files"
ENDINGS = ("", ".gz", ".xz")
PACKAGED_NAME = "mnist.npz"  # the name that Keras has for it


def load_data(
    path: str | Path | None = PACKAGED_NAME,
) -> tuple[LabeledImages, LabeledImages]:
    """Load images of handwritten digits, 28 x 28, white (255) on black (0), and their labels.

    Parameters
    ----------
    path : str or path, optional
        A folder with files of the same four names (`train-images-idx3-ubyte`, ...), plain or
        compressed as `.gz` or `.xz`, such as those of Fashion-MNIST. Default, and None: the
        files inside the package. Nothing is downloaded in either case.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images uint8 (60000, 28, 28) and (10000, 28, 28), labels uint8 (60000,) and (10000,).

    Raises
    ------
    ChecksumError
        A file inside the package was changed.
    FormatError
        A file in `path` is not an IDX file or is damaged, or images and labels do not match.
    FileNotFoundError
        A file is missing in `path`.

    Notes
    -----
    The writers of the training and the test digits are different people. The four files are
    unpacked in parallel, in about half a second.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition,
    Proceedings of the IEEE 86 (11), 1998.

    Examples
    --------
    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, x_train.dtype, y_train[:5]
    ((60000, 28, 28), dtype('uint8'), array([5, 0, 4, 1, 9], dtype=uint8))
    """
    packaged = path is None or path == PACKAGED_NAME
    paths = _packaged() if packaged else [_find(Path(str(path)), name) for name in DIGESTS]
    # Decompression releases the GIL, so the two large files take the time of one.
    with ThreadPool(len(paths)) as pool:
        arrays = list(pool.map(_read_packaged if packaged else read_idx, paths))
    x_train, y_train, x_test, y_test = arrays
    check_labeled_images(x_train, y_train, paths[0], paths[1])
    check_labeled_images(x_test, y_test, paths[2], paths[3])
    return (x_train, y_train), (x_test, y_test)


def _packaged() -> list[Path]:
    return [PACKAGED / f"{name}.xz" for name in DIGESTS]


def _find(folder: Path, name: str) -> Path:
    """Return the file of that name, compressed or not; some copies have a dot for a dash."""
    names = (name, name.replace("-idx", ".idx"))
    candidates = [folder / f"{n}{ending}" for n in names for ending in ENDINGS]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(
        errno.ENOENT,
        f"no {name}, with or without {' or '.join(ENDINGS[1:])}, here; load_data() without a path "
        "reads the files inside the package",
        str(folder),
    )


def _read_packaged(path: Path) -> np.ndarray:
    content = read_whole(path, MAX_BYTES)
    found, expected = hashlib.sha256(content).hexdigest(), DIGESTS[path.stem]
    if found != expected:
        raise ChecksumError(
            path,
            f"has the SHA-256 {found[:12]}..., not {expected[:12]}...: the file was changed after "
            f"it was installed. {reinstall_command()}",
        )
    return parse_idx(content, path)
