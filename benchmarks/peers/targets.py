"""minicnn's targets: speed and memory relative to the best peer, for each network."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from peers.networks import NETWORKS
from peers.results import Case, Result, Run, best, cases, peers_of, ratio


class Row(NamedTuple):
    """A row of the summary: one figure per network, with its target (with `at_most`, its limit)."""

    name: str
    figure: Callable[[Run], float | None]
    targets: dict[str, float]
    at_most: bool = False

    def is_met(self, network: str, figure: float) -> bool | None:
        """Whether the figure meets its target; None if there is no target."""
        if network not in self.targets:
            return None
        target = self.targets[network]
        return figure <= target if self.at_most else figure >= target


def _case(run: Run, mode: str, batch: int, threads: int | None = None) -> list[Result]:
    case = Case(run.network, mode, batch, threads or run.about["threads"])
    return cases(run.results).get(case, [])


def _training(run: Run) -> float | None:
    return _times_best_peer(_case(run, "training", NETWORKS[run.network].batch))


def _training_avx2(run: Run) -> float | None:
    group = _case(run, "training", NETWORKS[run.network].batch)
    return ratio(best(group, ("native-avx2",)), best(group, ("tensorflow",)))


def _fit(run: Run) -> float | None:
    group = _case(run, "fit", NETWORKS[run.network].fit_images)
    return ratio(best(group, ("native",)), best(group, ("keras",)))


def _inference(run: Run) -> float | None:
    return _times_best_peer(_case(run, "inference", NETWORKS[run.network].inference_batch))


def _inference_of_one(run: Run) -> float | None:
    return _times_best_peer(_case(run, "inference", 1))


def _memory(run: Run) -> float | None:
    ours = [m.grown for m in run.memory if m.engine == "native"]
    theirs = [m.grown for m in run.memory if m.engine == "torch"]
    return min(ours) / min(theirs) if ours and theirs else None


def _scaling(run: Run) -> float | None:
    batch = NETWORKS[run.network].batch
    two, one = (best(_case(run, "training", batch, n), ("native",)) for n in (None, 1))
    return ratio(two, one)


def _times_best_peer(group: list[Result]) -> float | None:
    return ratio(best(group, ("native",)), best(group, peers_of(group)))


def _by_network(*targets: float) -> dict[str, float]:
    return dict(zip(("lenet", "cifar", "scene", "xray", "photo"), targets, strict=True))


ROWS = (
    Row("training, x best peer", _training, _by_network(2.0, 1.8, 2.3, 1.8, 2.0)),
    Row("fit, x Keras", _fit, _by_network(3.0, 2.0, 2.0, 1.8, 2.0)),
    Row("inference, x best peer", _inference, _by_network(1.5, 1.5, 1.6, 1.3, 1.6)),
    Row("inference of one, x best peer", _inference_of_one, _by_network(1.5, 1.3, 1.3, 1.2, 1.5)),
    Row("memory of training / PyTorch's", _memory, dict.fromkeys(NETWORKS, 0.6), at_most=True),
    Row("training on AVX2, x TensorFlow", _training_avx2, {"scene": 1.3}),
    Row("training, 2 threads x 1 thread", _scaling, {"scene": 1.85, "photo": 1.85}),
)
