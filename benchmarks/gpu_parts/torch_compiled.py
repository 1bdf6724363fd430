"""The five networks by `torch.compile`, which takes long to begin: a part of its own."""

from __future__ import annotations

from functools import partial

from peers.networks import NETWORKS

from gpu_parts.options import Item, Options
from gpu_parts.torch_networks import measure


def items(options: Options) -> list[Item]:
    """Training first."""
    names = [n for n in NETWORKS if not options.networks or n in options.networks]
    return [
        Item(f"{name}, {mode}, tf32, compile", partial(measure, name, mode, "tf32", "compile"))
        for mode in ("fit", "inference")
        for name in names
    ]
