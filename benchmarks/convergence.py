"""Check that the faster algorithms learn as well as the plain ones: loss and accuracy by epoch.

Each network is trained from the same weights on the same batches with everything on, with
`algorithm="direct"` instead of Winograd, and with `fuse=False`, one kernel per operation. The three
variants differ only in rounding, but training is chaotic: runs that differ in a single bit diverge
after some hundred steps. So each variant is trained with several seeds. The variants learn equally
well if their curves differ no more than the curves of different seeds.

    python benchmarks/convergence.py --data FOLDER [--networks cifar scene] [--epochs 5] [--seeds 3]

FOLDER holds scenes/{train,test}/CLASS/*.jpg and cifar10.tar.xz (cifar10/{train,test}/CLASS/*.jpg);
default: $MINICNN_DATA. Writes convergence.json and convergence.png to --out.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from output import add_out, draw
from PIL import Image
from rich.progress import track
from variants import VARIANTS

import minicnn as mc
from minicnn.support.plots import new_figure

COLORS = {"everything on": "#2563eb", 'algorithm="direct"': "#ea580c", "fuse=False": "#16a34a"}


class Images(NamedTuple):
    """Images, uint8 (N, H, W, 3), and labels, int32 (N,), in random order."""

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def files_in_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield ("train/sea/17.jpg", its bytes) for every image in the folder."""
    for path in sorted(folder.rglob("*.jpg")):
        yield path.relative_to(folder).as_posix(), path.read_bytes()


def files_in_archive(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the same from a tar file, without the first folder of its names."""
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile():
                yield member.name.split("/", 1)[1], tar.extractfile(member).read()


def read_images(files: Iterator[tuple[str, bytes]], size: tuple[int, int], what: str) -> Images:
    """Decode the images named `split/class/file`, resized to `size`."""
    splits: dict[str, list[tuple[str, np.ndarray]]] = {"train": [], "test": []}
    for name, data in track(files, f"reading {what}", total=None):
        split, label, _ = name.split("/")
        image = Image.open(io.BytesIO(data)).convert("RGB").resize(size)
        splits[split].append((label, np.asarray(image)))
    classes = sorted({label for label, _ in splits["train"]})
    arrays: list[np.ndarray] = []
    for images in splits.values():
        order = np.random.default_rng(0).permutation(len(images))
        arrays.append(np.stack([images[i][1] for i in order]))
        arrays.append(np.array([classes.index(images[i][0]) for i in order], np.int32))
    return Images(*arrays)


def load(network: str, folder: Path) -> Images:
    """Load the images for which the network was made."""
    if network == "scene":
        return read_images(files_in_folder(folder / "scenes"), (150, 150), "scenes")
    return read_images(files_in_archive(folder / "cifar10.tar.xz"), (32, 32), "CIFAR-10")


def train(network: str, images: Images, variant: str, seed: int, epochs: int) -> dict[str, Any]:
    """Train once and return the history."""
    algorithm, fuse = VARIANTS[variant]
    mc.utils.set_random_seed(seed)
    mc.config.set_conv_algorithm(algorithm)
    model = getattr(mc.zoo, network)(rescale=1 / 255)
    model.compile(
        optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"], fuse=fuse
    )
    history = model.fit(
        images.x,
        images.y,
        batch_size=32,
        epochs=epochs,
        validation_data=(images.x_test, images.y_test),
        verbose=0,
    )
    return {k: [float(v) for v in values] for k, values in history.history.items()}


def plot(path: Path, runs: list[dict[str, Any]], networks: list[str]) -> None:
    """Draw training loss and test accuracy, one row per network, one color per variant."""
    figure = new_figure(10, 3.6 * len(networks))
    axes = figure.subplots(len(networks), 2, squeeze=False)
    titles = {"loss": "training loss", "val_accuracy": "test accuracy"}
    for row, network in zip(axes, networks, strict=True):
        for axis, (key, title) in zip(row, titles.items(), strict=True):
            for run in (r for r in runs if r["network"] == network):
                values = run["history"][key]
                label = run["way"] if run["seed"] == 0 else None
                axis.plot(range(1, len(values) + 1), values, color=COLORS[run["way"]], label=label)
            axis.set(title=f"{network}: {title}", xlabel="epoch")
            axis.grid(alpha=0.3)
    axes[0][0].legend(title="one line per seed")
    figure.savefig(path, dpi=110)


def spread(runs: list[dict[str, Any]], network: str, key: str) -> str:
    """Mean and range of the last epoch's value over the seeds, for each variant."""
    lines = []
    for variant in COLORS:
        found = [
            r["history"][key][-1] for r in runs if (r["network"], r["way"]) == (network, variant)
        ]
        lines.append(
            f"  {variant:20} {np.mean(found):.4f}  ({min(found):.4f} to {max(found):.4f}, "
            f"{len(found)} seeds)"
        )
    return "\n".join([f"{network}, {key} after the last epoch:", *lines])


def main() -> int:
    """Train every network in every variant with every seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, default=os.environ.get("MINICNN_DATA"))
    add("--networks", nargs="+", choices=("cifar", "scene"), default=["cifar", "scene"])
    add("--epochs", type=int, default=5)
    add("--seeds", type=int, default=3)
    add_out(parser)
    options = parser.parse_args()
    if options.data is None or not Path(options.data).is_dir():
        parser.error("say where the images are: --data FOLDER, or set MINICNN_DATA")
    runs = []
    for network in options.networks:
        images = load(network, Path(options.data))
        pairs = [(variant, seed) for seed in range(options.seeds) for variant in COLORS]
        for variant, seed in track(pairs, f"training {network}"):
            history = train(network, images, variant, seed, options.epochs)
            runs.append({"network": network, "way": variant, "seed": seed, "history": history})
        print(spread(runs, network, "val_accuracy"))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "convergence.json").write_text(json.dumps(runs, indent=1) + "\n")
    draw(plot, options.out / "convergence.png", runs, options.networks)
    print(f"wrote {options.out / 'convergence.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
