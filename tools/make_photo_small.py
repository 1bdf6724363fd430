"""Write minicnn/zoo/pretrained/photo_small.mcnn, the trained network that comes with minicnn.

    minicnn reproduce photo-small --data DIR
    python tools/make_photo_small.py runs/photo-small-1

The weights become float16, which halves the file and changes no prediction by more than a rounding.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from minicnn.models.saving.archive import read_archive, write_archive
from minicnn.zoo.pretrained.photos import FILE

KEPT = ("config", "classes", "preprocess")  # documents; the history and the optimizer are left out
MOST = 2_000_000  # bytes


def main(run: str) -> None:
    """Write the best model of a run folder with half the bits."""
    found = read_archive(Path(run) / "best.mcnn")
    weights = {name: value.astype(np.float16) for name, value in found.weights.items()}
    if not all(np.isfinite(value).all() for value in weights.values()):
        raise SystemExit("a weight is too large for float16")
    documents = {name: found.documents[name] for name in KEPT}
    write_archive(FILE, weights, documents, samples=found.samples)
    size = FILE.stat().st_size
    print(f"{FILE}: {size:,} bytes")
    if size > MOST:
        raise SystemExit(f"the file may have {MOST:,} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
