"""Measure how much reading image files slows training: the scene network from files and memory.

    python benchmarks/feeding.py --data FOLDER/scenes/train

FOLDER/scenes/train has one folder of images per class; default: $MINICNN_DATA. An epoch from files
reads, decodes and augments every image as the paper does (shear, zoom, flip). An epoch from memory
uses the same images as float32 arrays, read and scaled before, without augmentation. The two take
turns. Writes feeding.json to --out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from output import add_out
from peers import machine

import minicnn as mc
from minicnn.data import ImageDataGenerator, list_folder, read_images

SIDE, BATCH, ROUNDS = 150, 32, 6  # after a first round that does not count
PAPER = {"rescale": 1 / 255, "shear_range": 0.2, "zoom_range": 0.2, "horizontal_flip": True}
WANTED = 0.85


def measure(folder: Path) -> dict[str, Any]:
    """Images per second of both in every round, and the median of their ratios."""
    names = list_folder(folder)
    x, kept, _ = read_images(names.paths, (SIDE, SIDE), interpolation="nearest")
    x, y = x.astype(np.float32) / 255, np.eye(len(names.class_names), dtype=np.float32)
    y = y[names.labels[kept]]
    files = ImageDataGenerator(**PAPER).flow_from_directory(
        folder, target_size=(SIDE, SIDE), batch_size=BATCH, class_mode="categorical", seed=0
    )
    model = mc.zoo.scene((SIDE, SIDE, 3), len(names.class_names))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    ways = {
        "memory": lambda: model.fit(x, y, batch_size=BATCH, verbose=0),
        "files": lambda: model.fit(files, verbose=0),
    }
    rates = {way: [len(x) / seconds for seconds in times] for way, times in _in_turn(ways).items()}
    each = [a / b for a, b in zip(rates["files"], rates["memory"], strict=True)]
    return {"images": len(x), "rates": rates, "ratio": statistics.median(each), "wanted": WANTED}


def _in_turn(ways: dict[str, Callable[[], Any]]) -> dict[str, list[float]]:
    """Run each function once per round and return its times in seconds."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(ROUNDS + 1):
        for way, run in ways.items():
            start = time.perf_counter()
            run()
            if number > 0:
                seconds[way].append(time.perf_counter() - start)
    return seconds


def main() -> int:
    """Measure both, then print and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    data = os.environ.get("MINICNN_DATA")
    parser.add_argument("--data", type=Path, default=data and Path(data) / "scenes" / "train")
    parser.add_argument("--threads", type=int, default=2)
    add_out(parser)
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("say where the images are: --data FOLDER, or set MINICNN_DATA")
    about = machine.describe(arguments.threads, machine.pin(arguments.threads))
    mc.config.set_threads(arguments.threads)
    found = measure(arguments.data)
    for way, rates in found["rates"].items():
        print(f"{way:7} {statistics.median(rates):6.0f} images/s")
    print(f"from files at {found['ratio']:.1%} of the rate from memory; target {WANTED:.0%}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**about, **found}, indent=1)
    (arguments.out / "feeding.json").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
