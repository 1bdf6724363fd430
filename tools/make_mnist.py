"""Make the MNIST files of the package from the four gzip files that MNIST is published as.

    python tools/make_mnist.py FOLDER_WITH_THE_GZIP_FILES

Writes `minicnn/datasets/mnist_files/*.xz` and prints the table `DIGESTS` of
`minicnn/datasets/mnist.py`. The content stays what it is, byte for byte: it is checked against the
digests that the published files have, packed, unpacked and compared.
"""

from __future__ import annotations

import gzip
import hashlib
import lzma
import sys
from pathlib import Path

from minicnn.data.idx import parse_idx
from minicnn.support.atomic_files import write_atomically

PUBLISHED = {  # SHA-256 of the unpacked files
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
TARGET = Path(__file__).parents[1] / "minicnn" / "datasets" / "mnist_files"
# Of lc 0-4, lp 0-2, pb 0-2, with and without a delta of 1 or 28: the smallest for the test images
# (1,351,120 bytes; the plain preset makes 1,354,388, a delta 1,607,252 or more).
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0, "pb": 0}]


def main(source: Path) -> None:
    """Pack all four files of `source`."""
    TARGET.mkdir(exist_ok=True)
    for name, digest in PUBLISHED.items():
        content = gzip.decompress((source / f"{name}.gz").read_bytes())
        if hashlib.sha256(content).hexdigest() != digest:
            raise SystemExit(f"{source / name}.gz is not the published file")
        packed = lzma.compress(content, lzma.FORMAT_XZ, filters=FILTERS)
        if lzma.decompress(packed) != content:
            raise SystemExit(f"{name}: packing changed the content")
        write_atomically(TARGET / f"{name}.xz", [packed])
        print(f'    "{name}": "{hashlib.sha256(packed).hexdigest()}",')
        print(f"# {len(packed):,} bytes, {parse_idx(packed, name).shape}", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
