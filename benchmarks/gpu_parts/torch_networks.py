"""The five networks in PyTorch, channels last: eager, and as a CUDA graph of the whole step."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from peers.networks import NETWORKS, SGD, Network, random_batch, random_weights
from peers.with_torch import Net

from gpu_parts.clock import images_per_second, seconds_each
from gpu_parts.options import Item, Options

VARIANTS = ("graph", "eager")
WARM = 3


def items(options: Options) -> list[Item]:
    """Return measurements with TF32, to compare with tf32 of this engine, and without."""
    names = [n for n in NETWORKS if not options.networks or n in options.networks]
    return [
        Item(f"{name}, {mode}, {precision}, {variant}",
             partial(measure, name, mode, precision, variant))
        for mode in ("fit", "training", "inference", "one")
        for precision in ("tf32", "float32")
        for name in names
        for variant in VARIANTS
    ]  # fmt: skip


def measure(name: str, mode: str, precision: str, variant: str) -> dict[str, Any]:
    """Measure images per second, with images on the GPU; "training" waits for each loss."""
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.benchmark = True
    network = NETWORKS[name]
    learns = mode in ("fit", "training")
    size = network.batch if learns else {"inference": network.inference_batch, "one": 1}[mode]
    step = (trainer if learns else predictor)(network, size, variant)
    run = {"training": lambda: step().item(), "fit": step}.get(mode, lambda: step().cpu())
    found = images_per_second(seconds_each(run, torch.cuda.synchronize), size)
    return {
        "network": name, "mode": mode, "precision": precision, "engine": f"torch {variant}",
        **found,
    }  # fmt: skip


def trainer(network: Network, size: int, variant: str) -> Callable[[], Any]:
    """Return a training step on one batch, which returns the loss on the GPU."""
    net, x, y = _net(network, size)
    optimizer = _optimizer(network, list(net.parameters()), variant)
    loss_of = _compiled(variant, lambda: F.cross_entropy(net(x), y))

    def step() -> Any:
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return _captured(step) if variant == "graph" else step


def predictor(network: Network, size: int, variant: str) -> Callable[[], Any]:
    """Return a function that computes the probabilities of one batch on the GPU."""
    net, x, _ = _net(network, size)
    net.eval()
    shares = _compiled(variant, lambda: F.softmax(net(x), dim=1))

    @torch.no_grad()
    def step() -> Any:
        return shares()

    return _captured(step) if variant == "graph" else step


def _net(network: Network, size: int) -> tuple[Any, Any, Any]:
    net = Net(network, random_weights(network, 0)).to("cuda")
    x, y = random_batch(network, size, 0)
    images = torch.from_numpy(x).to("cuda").permute(0, 3, 1, 2)  # channels last in memory
    return net, images, torch.from_numpy(y).long().to("cuda")


def _compiled(variant: str, function: Callable[[], Any]) -> Callable[[], Any]:
    return torch.compile(function, mode="reduce-overhead") if variant == "compile" else function


def _optimizer(network: Network, parameters: list[Any], variant: str) -> Any:
    numbers = network.optimizer
    if isinstance(numbers, SGD):
        rate, momentum = numbers
        return torch.optim.SGD(parameters, lr=rate, momentum=momentum, fused=True)
    rate, *betas, epsilon = numbers
    return torch.optim.Adam(
        parameters, lr=rate, betas=tuple(betas), eps=epsilon, fused=True,
        capturable=variant == "graph",
    )  # fmt: skip


def _captured(step: Callable[[], Any]) -> Callable[[], Any]:
    """Return the step as one CUDA graph; each replay overwrites what it returned before."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = step()

    def replay() -> Any:
        graph.replay()
        return out

    return replay
