"""The five networks with `torch.compile`, a separate part because compiling takes long."""

from __future__ import annotations

from functools import partial

from peers.networks import NETWORKS

from gpu_parts.options import Item, Options
from gpu_parts.torch_networks import measure


def items(options: Options) -> list[Item]:
    """Return training before inference, as there may not be time for all."""
    names = [n for n in NETWORKS if not options.networks or n in options.networks]
    return [
        Item(f"{name}, {mode}, tf32, compile", partial(measure, name, mode, "tf32", "compile"))
        for mode in ("fit", "inference")
        for name in names
    ]
