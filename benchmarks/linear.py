"""Measure whether the time of training grows linearly with the images and with their pixels.

    python benchmarks/linear.py [--network scene]

An epoch of n images should take n times as long as one image, and an image of p pixels p times as
long as one pixel. The program fits a line to each series, prints how well it fits, and draws it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from output import add_out, draw
from peers import machine
from peers.networks import NETWORKS, Network
from peers.with_minicnn import optimizer_of

import minicnn as mc
from minicnn.support.plots import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEPS = (2, 4, 8, 12, 16)  # batches per epoch
SIDES = (
    96,
    128,
    160,
    192,
    224,
    256,
)  # pixels; large, so that the edges lost by valid convolutions matter little
ROUNDS = 5


class Line(NamedTuple):
    """A series of points, and the least-squares line through them."""

    what: str
    amounts: list[float]
    seconds: list[float]

    @property
    def fitted(self) -> tuple[float, float]:
        """(slope in seconds per unit, intercept in seconds)."""
        slope, start = np.polyfit(self.amounts, self.seconds, 1)
        return float(slope), float(start)

    @property
    def determination(self) -> float:
        """R squared, which is 1 if all points are on the line."""
        slope, start = self.fitted
        seconds = np.array(self.seconds)
        off = seconds - (slope * np.array(self.amounts) + start)
        return 1 - float((off**2).sum() / ((seconds - seconds.mean()) ** 2).sum())


def over_images(network: Network) -> Line:
    """Time an epoch of `fit` with increasing numbers of images."""
    model = _compiled(network, network.image)
    counts = [steps * network.batch for steps in STEPS]
    x, y = _images(max(counts), network.image, network.classes)

    def epoch(count: int) -> None:
        model.fit(x[:count], y[:count], batch_size=network.batch, verbose=0)

    return Line("images", counts, _fastest(epoch, counts))


def over_pixels(network: Network) -> Line:
    """Time a training step with increasing image sizes."""
    batches: dict[int, Any] = {}
    for side in SIDES:
        image = (side, side, network.image[2])
        batches[side] = (_compiled(network, image), *_images(network.batch, image, network.classes))

    def step(side: int) -> None:
        model, x, y = batches[side]
        model.train_on_batch(x, y)

    pixels = [float(network.batch * side**2) for side in SIDES]
    return Line("pixels", pixels, _fastest(step, list(SIDES)))


def _compiled(network: Network, image: tuple[int, int, int]) -> mc.Sequential:
    model = getattr(mc.zoo, network.name)(image, rescale=network.scale)
    model.compile(optimizer_of(network), loss="sparse_categorical_crossentropy")
    return model


def _images(count: int, image: tuple[int, int, int], classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (count, *image), dtype=np.uint8)
    return x, rng.integers(0, classes, count, dtype=np.int32)


def _fastest(work: Any, amounts: list[int]) -> list[float]:
    """The shortest time for each amount over several rounds, not counting the first round."""
    seconds = np.full((ROUNDS + 1, len(amounts)), np.inf)
    for number in range(ROUNDS + 1):
        for i, amount in enumerate(amounts):
            start = time.perf_counter()
            work(amount)
            seconds[number, i] = time.perf_counter() - start
    return seconds[1:].min(0).tolist()


def plot(path: Path, network: Network, lines: list[Line]) -> None:
    """Draw both lines and their points."""
    figure = new_figure(9, 3.6)
    for axes, line in zip(figure.subplots(1, len(lines)), lines, strict=True):
        _draw(axes, line)
    figure.suptitle(f"{network.name}: time of training, batch {network.batch}", fontsize=10)
    figure.savefig(path, dpi=130)


def _draw(axes: Axes, line: Line) -> None:
    slope, start = line.fitted
    ends = np.array([0, max(line.amounts)])
    axes.plot(ends, slope * ends + start, color="#d62728", linewidth=1)
    axes.plot(line.amounts, line.seconds, "o", color="#d62728")
    axes.set_xlabel(f"{line.what} (R² = {line.determination:.4f})")
    axes.set_ylabel("seconds")
    axes.set_ylim(bottom=0)


def main() -> int:
    """Measure both series, then print, draw and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sizeless = [name for name in NETWORKS if name != "lenet"]
    parser.add_argument("--network", choices=sizeless, default="scene")
    parser.add_argument("--threads", type=int, default=2)
    add_out(parser)
    options = parser.parse_args()
    about = machine.describe(options.threads, machine.pin(options.threads))
    mc.config.set_threads(options.threads)
    network = NETWORKS[options.network]
    lines = [over_images(network), over_pixels(network)]
    for line in lines:
        slope, start = line.fitted
        print(
            f"{line.what}: {slope * 1e6:.4g} µs each plus {start * 1e3:.2f} ms; "
            f"R² = {line.determination:.5f}"
        )
    options.out.mkdir(parents=True, exist_ok=True)
    stem = options.out / f"linear-{network.name}"
    draw(plot, stem.with_suffix(".png"), network, lines)
    found = {line.what: {**line._asdict(), "R2": line.determination} for line in lines}
    stem.with_suffix(".json").write_text(json.dumps({**about, **found}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
