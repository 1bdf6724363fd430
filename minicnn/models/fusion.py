"""Patterns: runs of operations that one kernel does better than several."""

from __future__ import annotations

from minicnn.losses import Loss
from minicnn.models.trace import Node, Trace, Value
from minicnn.ops.conv2d_max_pool2d import CONV2D_MAX_POOL2D, MOST_CELLS


def fuse_convolutions(nodes: list[Node], kept: set[int]) -> list[Node]:
    """conv2d -> (relu ->) max_pool2d becomes conv2d_max_pool2d.

    Only where nobody else reads what is between, and it is not in `kept` (ids of the values that
    leave the program).
    """
    readers = _readers(nodes)
    fused: list[Node] = []
    for node in nodes:
        chain = _chain_to_pool(node, {id(n.writes[0]): n for n in fused}, readers, kept)
        if chain is None:
            fused.append(node)
        else:
            fused = [n for n in fused if n not in chain]
            fused.append(_fused(chain))
    return fused


def _chain_to_pool(
    pool: Node, makers: dict[int, Node], readers: dict[int, int], kept: set[int]
) -> list[Node] | None:
    """[conv2d, max_pool2d] or [conv2d, relu, max_pool2d] if the nodes before `pool` are that."""
    if pool.operation.name != "max_pool2d":
        return None
    size = pool.attributes["window"].size
    if size[0] * size[1] > MOST_CELLS:
        return None
    chain = [pool]
    while chain[0].operation.name != "conv2d":
        between = chain[0].reads[0]
        maker = makers.get(id(between))
        private = readers.get(id(between)) == 1 and id(between) not in kept
        wanted = ("conv2d", "relu") if len(chain) == 1 else ("conv2d",)
        if maker is None or not private or maker.operation.name not in wanted:
            return None
        chain.insert(0, maker)
    return chain


def _fused(chain: list[Node]) -> Node:
    conv, pool = chain[0], chain[-1]
    attributes = {
        **conv.attributes,
        "pool": pool.attributes["window"],
        "activation": "relu" if len(chain) == 3 else "linear",
    }
    y, winner = pool.writes
    winner = Value(winner.name, winner.spec._replace(dtype="uint8"))
    return Node(CONV2D_MAX_POOL2D, conv.reads, (y, winner), attributes)


def loss_node(trace: Trace, loss: Loss, output: Value, y_true: Value) -> tuple[Node, Value]:
    """Record the loss; returns its node and the value that holds the model's predictions.

    A softmax or sigmoid that ends the network is fused with its crossentropy: exact where the
    probabilities themselves would round to 0 or 1.
    """
    last = trace.nodes[-1] if trace.nodes else None
    if last is not None and last.writes[0] is output:
        name = loss.fused_with.get(last.operation.name)
        if name is not None:
            trace.nodes.pop()
            fused = loss.operation_named(name)
            node = trace.record(fused, (last.reads[0], y_true), loss.attributes)
            return node, node.writes[1]
    operation = loss.operation_named(loss.operation)
    return trace.record(operation, (output, y_true), loss.attributes), output


def _readers(nodes: list[Node]) -> dict[int, int]:
    """How many nodes read each value, by its id."""
    counts: dict[int, int] = {}
    for node in nodes:
        for value in node.reads:
            counts[id(value)] = counts.get(id(value), 0) + 1
    return counts
