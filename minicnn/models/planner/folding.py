"""Folding: computations on parameters alone are done once, not once per batch.

At inference a batch norm is a scale and a shift per channel. A convolution next to it can do both
if its weights are multiplied once, so the batch norm disappears. An engine may also cache what it
derives from the weights, such as their Winograd transform.
"""

from __future__ import annotations

from minicnn.contracts import CONTRACTS
from minicnn.models.planner.fusion import replace_chains
from minicnn.models.planner.trace import Call, Node, Value
from minicnn.operations.conv2d import CONV2D
from minicnn.operations.operation import infer

CONVOLUTIONS = ("conv2d", "conv2d_relu", "conv2d_max_pool2d")


def fold_batch_norms(nodes: list[Node], live_out: set[int]) -> tuple[list[Node], list[Call]]:
    """Fold batch norms into the convolutions before or after them.

    Returns the remaining nodes, and the calls that compute the convolutions' new weights. A pair is
    folded if nothing else reads the value between the two and it is not in `live_out`.
    """
    folding = _Folding()
    nodes = replace_chains(nodes, ("conv2d", "batch_norm_inference"), folding.after, live_out)
    nodes = replace_chains(nodes, ("batch_norm_inference", "conv2d"), folding.before, live_out)
    return nodes, folding.calls


def cache_weights(nodes: list[Node]) -> list[Node]:
    """Tell convolutions that their weights seldom change.

    An engine may cache what it derives from them for as long as they are the same bit for bit.
    """
    return [
        Node(n.operation, n.reads, n.writes, {**n.attributes, "cache_weights": True})
        if n.operation.name in CONVOLUTIONS
        else n
        for n in nodes
    ]


class _Folding:
    """Folds one chain of nodes at a time; `calls` compute the weights."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def after(self, chain: list[Node]) -> Node | None:
        """Return the convolution that also does the batch norm after it; None if it cannot."""
        conv, norm = chain
        if not self._knows_weights(conv):
            return None
        weights = self._folded("fold_batch_norm_after_conv2d", conv, norm)
        return Node(CONV2D, (conv.reads[0], *weights), norm.writes, conv.attributes)

    def before(self, chain: list[Node]) -> Node | None:
        """Return the convolution that also does the batch norm before it; None if it cannot.

        The shift of a batch norm does not reach the padding, and groups mix no channels.
        """
        norm, conv = chain
        window = conv.attributes["window"]
        padded = any((*window.pad_h, *window.pad_w))
        if padded or conv.attributes["groups"] != 1 or not self._knows_weights(conv):
            return None
        weights = self._folded("fold_batch_norm_before_conv2d", conv, norm)
        return Node(CONV2D, (norm.reads[0], *weights), conv.writes, conv.attributes)

    def _knows_weights(self, conv: Node) -> bool:
        """Return whether the weights are parameters, or folded, not computed by other nodes.

        New weights are computed before all nodes.
        """
        folded = {id(value) for call in self.calls for value in call.writes}
        weights = [value for value in conv.reads[1:] if value is not None]
        return all(value.storage or id(value) in folded for value in weights)

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
