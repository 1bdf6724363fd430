"""What the model predicts: for the trainings that were measured, and for up to 1,024 machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from peers.networks import NETWORKS

from scaling.algorithm import Network, network, program
from scaling.loggops import LogGOPS, ethernet, fit
from scaling.measuring import SHARDS, SUMMED, Shard, has_large_dense
from scaling.timeline import Step, predict

RANKS = [1 << power for power in range(11)]  # 1...1,024
GIGABITS = (10, 100)


class Point(NamedTuple):
    """The predicted step of a network on some ranks."""

    ranks: int
    seconds: float
    efficiency: float  # images per second and rank, relative to one rank


class Model:
    """The predictions that follow from what `measuring.py` has measured."""

    def __init__(self, measured: dict[str, Any]) -> None:
        self.steps, self.messages = measured["steps"], measured["messages"]
        self.processors = measured["processors"]

    def places(self) -> list[str]:
        """Where messages were measured."""
        return list(self.messages)

    def loggops(self, place: str) -> LogGOPS:
        """The parameters of the messages between ranks in a place."""
        return fit(self.messages[place], place)

    def add(self) -> float:
        """Seconds per byte to add gradients."""
        return float(self.messages["memory"]["add"])

    def network(self, name: str, shard: Shard) -> Network:
        """The parts of a step on shards of this size."""
        return network(shard.samples, self.steps[name][str(shard)])

    def training(self, name: str, ranks: int, place: str) -> Step:
        """The step of one of the trainings that were measured."""
        batch = NETWORKS[name].batch
        parts = self.network(name, Shard(batch // SHARDS, batch))
        operations = program(parts, ranks, SHARDS, self.add())
        sharing = max(1.0, ranks / self.processors)
        return predict(operations, ranks, self.loggops(place), sharing)

    def weak(self, name: str, gigabits: float, *, overlap: bool, speed: float = 1) -> list[Point]:
        """One shard for each rank, always of the same size."""
        batch = NETWORKS[name].batch

        def shard(ranks: int) -> Shard:
            whole = batch * ranks
            return Shard(batch, whole if has_large_dense(NETWORKS[name], whole) else SUMMED)

        shards = {ranks: shard(ranks) for ranks in RANKS}
        points = list(self._points(name, shards, gigabits, overlap, speed))
        first = points[0].seconds
        return [point._replace(efficiency=first / point.seconds) for point in points]

    def strong(self, name: str, gigabits: float, *, overlap: bool, speed: float = 1) -> list[Point]:
        """One batch for all ranks, cut into as many shards as there are ranks."""
        batch = NETWORKS[name].batch
        shards = {ranks: Shard(batch // ranks, batch) for ranks in RANKS if ranks <= batch}
        points = list(self._points(name, shards, gigabits, overlap, speed))
        first = points[0].seconds
        return [point._replace(efficiency=first / point.seconds / point.ranks) for point in points]

    def _points(
        self, name: str, shards: dict[int, Shard], gigabits: float, overlap: bool, speed: float
    ) -> Iterator[Point]:
        link = ethernet(gigabits, self.loggops("loopback"))
        for ranks, shard in shards.items():
            parts = faster(self.network(name, shard), speed)
            operations = program(parts, ranks, ranks, self.add(), overlap=overlap)
            yield Point(ranks, predict(operations, ranks, link).seconds, 1.0)


def faster(parts: Network, speed: float) -> Network:
    """The same on a machine that computes so many times as fast."""
    return parts._replace(
        kernels=[seconds / speed for seconds in parts.kernels],
        dense=[one._replace(update=one.update / speed) for one in parts.dense],
        update=parts.update / speed,
    )


def check(model: Model, trainings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The measured trainings with their predictions; `ratio` is measured / predicted."""
    rows = []
    for training in trainings:
        step = model.training(training["network"], training["ranks"], training["place"])
        ratio = training["seconds"] / step.seconds
        rows.append(
            {**training, "predicted": step.seconds, "waiting": step.waiting, "ratio": ratio}
        )
    return rows
