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
        parts = {ranks: self._weak_parts(name, ranks) for ranks in RANKS}
        points = list(self._points(parts, gigabits, overlap, speed))
        first = points[0].seconds
        return [point._replace(efficiency=first / point.seconds) for point in points]

    def strong(self, name: str, gigabits: float, *, overlap: bool, speed: float = 1) -> list[Point]:
        """One batch for all ranks, cut into as many shards as there are ranks."""
        batch = NETWORKS[name].batch
        ranks_of = [ranks for ranks in RANKS if ranks <= batch]
        parts = {ranks: self.network(name, Shard(batch // ranks, batch)) for ranks in ranks_of}
        points = list(self._points(parts, gigabits, overlap, speed))
        first = points[0].seconds
        return [point._replace(efficiency=first / point.seconds / point.ranks) for point in points]

    def _weak_parts(self, name: str, ranks: int) -> Network:
        """The parts of a step of so many ranks, which differ in how large dense layers are summed.

        What the ranks do alike takes the time of one rank, as measured once.
        """
        batch = NETWORKS[name].batch
        alone = self.network(name, Shard(batch, batch))
        whole = batch * ranks
        large = has_large_dense(NETWORKS[name], whole)
        parts = self.network(name, Shard(batch, whole if large else SUMMED))
        parts = parts._replace(shard=alone.shard, step=alone.step)
        return parts._replace(kernels=alone.kernels) if large else parts

    def _points(
        self, networks: dict[int, Network], gigabits: float, overlap: bool, speed: float
    ) -> Iterator[Point]:
        link = ethernet(gigabits, self.loggops("loopback"))
        for ranks, parts in networks.items():
            operations = program(
                faster(parts, speed), ranks, ranks, self.add() / speed, overlap=overlap
            )
            yield Point(ranks, predict(operations, ranks, link).seconds, 1.0)


def faster(parts: Network, speed: float) -> Network:
    """The same on a machine that computes so many times as fast."""
    return parts._replace(
        kernels=[seconds / speed for seconds in parts.kernels],
        dense=[one._replace(update=one.update / speed) for one in parts.dense],
        **{name: getattr(parts, name) / speed for name in ("update", "shard", "step", "join")},
    )


def check(model: Model, trainings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The measured trainings with their predictions; `ratio` is measured / predicted."""
    rows = []
    for training in trainings:
        step = model.training(training["network"], training["ranks"], training["place"])
        ratio = training["seconds"] / step.seconds
        shown = {key: training[key] for key in ("network", "place", "ranks", "seconds")}
        found = {"predicted": step.seconds, "waiting": step.waiting, "ratio": ratio}
        rows.append(shown | found)
    return rows
