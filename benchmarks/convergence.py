"""Does a faster engine learn the same? Loss and accuracy, epoch by epoch, computed in three ways.

Each network is trained from the same weights on the same batches with everything on, with
`algorithm="direct"` in place of Winograd, and with `fuse=False`, kernel by kernel. The three differ
in rounding only, but training is chaotic: two runs part company after some hundred steps even if
they differ in one last bit. So each way is run with several seeds; the ways learn the same if
their curves lie as close to each other as those of one way's seeds.

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

import minicnn as mc
from minicnn.support.plots import new_figure

WAYS = {  # name: (algorithm, fuse)
    "everything on": ("auto", True),
    'algorithm="direct"': ("direct", True),
    "fuse=False": ("auto", False),
}
COLORS = dict(zip(WAYS, ("#2563eb", "#ea580c", "#16a34a"), strict=True))


class Images(NamedTuple):
    """uint8 (N, H, W, 3) and labels, int32 (N,), shuffled once, for learning and for testing."""

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def files_in_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    """("train/sea/17.jpg", its bytes) for every image below."""
    for path in sorted(folder.rglob("*.jpg")):
        yield path.relative_to(folder).as_posix(), path.read_bytes()


def files_in_archive(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The same from a tar file; the first part of a name is the archive's own."""
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile():
                yield member.name.split("/", 1)[1], tar.extractfile(member).read()


def read_images(files: Iterator[tuple[str, bytes]], size: tuple[int, int], what: str) -> Images:
    """Decode `part/class/file` images; those of another size are scaled."""
    parts: dict[str, list[tuple[str, np.ndarray]]] = {"train": [], "test": []}
    for name, data in track(files, f"reading {what}", total=None):
        part, label, _ = name.split("/")
        image = Image.open(io.BytesIO(data)).convert("RGB").resize(size)
        parts[part].append((label, np.asarray(image)))
    classes = sorted({label for label, _ in parts["train"]})
    arrays: list[np.ndarray] = []
    for part in parts.values():
        order = np.random.default_rng(0).permutation(len(part))
        arrays.append(np.stack([part[i][1] for i in order]))
        arrays.append(np.array([classes.index(part[i][0]) for i in order], np.int32))
    return Images(*arrays)


def load(network: str, folder: Path) -> Images:
    """The images that the network was made for."""
    if network == "scene":
        return read_images(files_in_folder(folder / "scenes"), (150, 150), "scenes")
    return read_images(files_in_archive(folder / "cifar10.tar.xz"), (32, 32), "CIFAR-10")


def train(network: str, images: Images, way: str, seed: int, epochs: int) -> dict[str, Any]:
    """One training; its history."""
    algorithm, fuse = WAYS[way]
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
    """A row a network: loss of training, accuracy of testing; a color a way, a line a seed."""
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
    axes[0][0].legend(title="a line for each seed")
    figure.savefig(path, dpi=110)


def spread(runs: list[dict[str, Any]], network: str, key: str) -> str:
    """The last epoch's figure: mean and range over the seeds, way by way."""
    lines = []
    for way in WAYS:
        found = [r["history"][key][-1] for r in runs if (r["network"], r["way"]) == (network, way)]
        lines.append(
            f"  {way:20} {np.mean(found):.4f}  ({min(found):.4f} to {max(found):.4f}, "
            f"{len(found)} seeds)"
        )
    return "\n".join([f"{network}, {key} after the last epoch:", *lines])


def main() -> int:
    """Train every network in every way with every seed."""
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
        todo = [(way, seed) for seed in range(options.seeds) for way in WAYS]
        for way, seed in track(todo, f"training {network}"):
            history = train(network, images, way, seed, options.epochs)
            runs.append({"network": network, "way": way, "seed": seed, "history": history})
        print(spread(runs, network, "val_accuracy"))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "convergence.json").write_text(json.dumps(runs, indent=1) + "\n")
    draw(plot, options.out / "convergence.png", runs, options.networks)
    print(f"wrote {options.out / 'convergence.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
