"""Folding: work on parameters alone, done once for all batches instead of once for each.

In use, a batch norm is a scale and a shift a channel, which the convolution beside it can do: its
weights are multiplied once, and the batch norm is gone. What an engine derives from the weights in
a form of its own, such as their Winograd transform, it may keep as well.
"""

from __future__ import annotations

from minicnn.contracts import CONTRACTS
from minicnn.models.planner.fusion import replace_chains
from minicnn.models.planner.trace import Call, Node, Value
from minicnn.ops.conv2d import CONV2D
from minicnn.ops.operation import infer

CONVOLUTIONS = ("conv2d", "conv2d_relu", "conv2d_max_pool2d")


def fold_batch_norms(nodes: list[Node], kept: set[int]) -> tuple[list[Node], list[Call]]:
    """The nodes without the batch norms that a convolution can take over, and the calls that make
    its weights.

    Only where nobody else reads what is between the two, and it is not in `kept`.
    """
    folding = _Folding()
    nodes = replace_chains(nodes, ("conv2d", "batch_norm_inference"), folding.after, kept)
    nodes = replace_chains(nodes, ("batch_norm_inference", "conv2d"), folding.before, kept)
    return nodes, folding.calls


def cache_weights(nodes: list[Node]) -> list[Node]:
    """Tells convolutions that their weights seldom change: an engine may keep what it derives from
    them, as long as they are the same bit for bit.
    """
    return [
        Node(n.operation, n.reads, n.writes, {**n.attributes, "cache_weights": True})
        if n.operation.name in CONVOLUTIONS
        else n
        for n in nodes
    ]


class _Folding:
    def __init__(self) -> None:
        self.calls: list[Call] = []

    def after(self, chain: list[Node]) -> Node:
        conv, norm = chain
        weights = self._folded("fold_batch_norm_after_conv2d", conv, norm)
        return Node(CONV2D, (conv.reads[0], *weights), norm.writes, conv.attributes)

    def before(self, chain: list[Node]) -> Node | None:
        norm, conv = chain
        window = conv.attributes["window"]
        if any((*window.pad_h, *window.pad_w)) or conv.attributes["groups"] != 1:
            return None
        weights = self._folded("fold_batch_norm_before_conv2d", conv, norm)
        return Node(CONV2D, (norm.reads[0], *weights), conv.writes, conv.attributes)

    def _folded(self, kernel: str, conv: Node, norm: Node) -> tuple[Value, ...]:
        _, w, b = conv.reads
        reads = (w, b, *norm.reads[1:])
        specs = infer(CONTRACTS[kernel], reads, norm.attributes)
        name = w.name if w is not None else ""
        writes = tuple(
            Value(f"{name} {part}", spec)
            for part, spec in zip(("folded", "folded bias"), specs, strict=True)
        )
        self.calls.append(Call(kernel, reads, writes, norm.attributes))
        return writes
