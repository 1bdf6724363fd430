"""A network as a list of blocks: what does not fit, the sizes between them, and the model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from minicnn import layers
from minicnn.apps.explorer.training.block_kinds import KINDS, BlockKind, Shape
from minicnn.apps.explorer.training.fields import checked_fields
from minicnn.checks import nearest
from minicnn.contracts import Spec
from minicnn.errors import ArgumentError
from minicnn.layers.base import Layer
from minicnn.models import Sequential
from minicnn.support.text import quoted

MAX_BLOCKS = 40
MAX_PARAMETERS = 5_000_000
MAX_OPERATIONS = 150_000_000  # per image, forward; a product that is added to a sum counts as two
MAX_VALUES = 2_000_000  # of all layers' outputs, per image
RESCALE = 1 / 255
OUTPUT = "output"  # the name of the last layer, which every network gets


class Block(NamedTuple):
    """A kind of layer with the values of its fields."""

    kind: BlockKind
    values: dict[str, Any]


class Row(NamedTuple):
    """What a block does to the sizes; `shape` is None after a block that does not fit."""

    block: int  # its index; the layer after the last block is the output
    title: str
    name: str
    shape: Shape | None
    parameters: int
    operations: int

    @property
    def values(self) -> int:
        """The number of values that the layer gives for one image."""
        return 0 if self.shape is None else math.prod(self.shape)


class Problem(NamedTuple):
    """Why a network cannot be built: a sentence, and the block that it is about."""

    block: int
    message: str


class Plan(NamedTuple):
    """A network before it is built: its layers, and what is wrong with it."""

    rows: list[Row]
    problems: list[Problem]

    @property
    def parameters(self) -> int:
        """The number of weights of the whole network."""
        return sum(row.parameters for row in self.rows)

    @property
    def operations(self) -> int:
        """The operations for one image, forward."""
        return sum(row.operations for row in self.rows)


def read_blocks(given: Any) -> list[Block]:
    """Return the blocks that a list of JSON describes: [{"kind": "conv2d", "filters": 20}, ...].

    Raises
    ------
    ArgumentError : it is no such list; the message names the block and says what is needed
    """
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise ArgumentError('blocks must be a list such as [{"kind": "conv2d", "filters": 20}]')
    if len(given) > MAX_BLOCKS:
        raise ArgumentError(f"a network may have {MAX_BLOCKS} blocks here; got {len(given)}")
    return [_read(i, one) for i, one in enumerate(given)]


def plan_network(input_shape: Shape, classes: int, blocks: Sequence[Block]) -> Plan:
    """Return the sizes after each block, and what does not fit, in words."""
    plan = Plan([], [])
    shape: Shape | None = tuple(input_shape)
    for number, (block, name) in enumerate(
        zip(_whole(blocks, classes), _names(blocks), strict=True)
    ):
        row, problem = _planned(number, block, name, shape)
        plan.rows.append(row)
        if problem is not None and shape is not None:
            plan.problems.append(Problem(number, problem))
        shape = row.shape
    if not plan.problems:
        plan.problems.extend(_too_much(plan))
    return plan


def build_network(input_shape: Shape, classes: int, blocks: Sequence[Block]) -> Sequential:
    """Return the model of these blocks, with a softmax over the classes at its end.

    Raises
    ------
    ArgumentError : a block does not fit; the message is that of `plan_network`
    """
    plan = plan_network(input_shape, classes, blocks)
    if plan.problems:
        raise ArgumentError(plan.problems[0].message)
    found = [_layer(one, row.name) for one, row in zip(blocks, plan.rows, strict=False)]
    last = layers.Dense(classes, activation="softmax", name=OUTPUT)
    return Sequential([layers.Input(tuple(input_shape), rescale=RESCALE), *found, last])


def _read(number: int, given: dict[str, Any]) -> Block:
    kind = given.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        near = nearest(kind, KINDS) if isinstance(kind, str) else f"; {', '.join(KINDS)}"
        raise ArgumentError(f"block {number + 1}: there is no kind {quoted(kind, 30)}{near}")
    values = {name: value for name, value in given.items() if name != "kind"}
    try:
        return Block(KINDS[kind], checked_fields(KINDS[kind].fields, values))
    except ArgumentError as error:
        raise ArgumentError(f"block {number + 1}, {KINDS[kind].title}: {error}") from error


def _whole(blocks: Sequence[Block], classes: int) -> list[Block]:
    """Return the blocks and the output layer, as a block."""
    return [*blocks, Block(KINDS["dense"], {"units": classes, "activation": "linear"})]


def _names(blocks: Sequence[Block]) -> list[str]:
    """Return a name for each layer: conv1, pool1, dense1, ... and the output's."""
    counts: dict[str, int] = {}
    names = []
    for block in blocks:
        word = _WORDS.get(block.kind.kind, block.kind.kind)
        counts[word] = counts.get(word, 0) + 1
        names.append(f"{word}{counts[word]}")
    return [*names, OUTPUT]


_WORDS = {
    "conv2d": "conv",
    "maxpooling2d": "pool",
    "averagepooling2d": "pool",
    "globalaveragepooling2d": "mean",
    "batchnormalization": "norm",
}


def _planned(number: int, block: Block, name: str, shape: Shape | None) -> tuple[Row, str | None]:
    """Return the row of a block that is fed this shape, and the sentence if it does not fit."""
    title = "Output" if name == OUTPUT else block.kind.title
    empty = Row(number, title, name, None, 0, 0)
    if shape is None:
        return empty, None
    refusal = _refusal(block, shape)
    if refusal is None:
        return _row(empty, block, shape), None
    where = "The output layer, Dense" if name == OUTPUT else f"Block {number + 1}, {title}"
    return empty, f"{where}: {refusal}."


def _refusal(block: Block, shape: Shape) -> str | None:
    found = block.kind.refusal(shape, block.values)
    weights = 0 if found else block.kind.weights(shape, block.values)
    if weights > MAX_PARAMETERS:
        return (
            f"it would have {weights:,} weights, and this page allows {MAX_PARAMETERS:,} in all; "
            "use fewer, or more pooling before it"
        )
    return found


def _row(empty: Row, block: Block, shape: Shape) -> Row:
    layer, fed = _layer(block, empty.name), Spec((1, *shape))
    output = layer.output_spec(fed)
    parameters = sum(parameter.size for parameter in layer.parameters)
    operations = layer.flops([fed], output)
    return empty._replace(shape=output.shape[1:], parameters=parameters, operations=operations)


def _layer(block: Block, name: str) -> Layer:
    return block.kind.make(block.values, name)


def _too_much(plan: Plan) -> list[Problem]:
    """Return the problem of a network that is larger than a page may ask this machine for."""
    limits = (
        ("parameters", MAX_PARAMETERS, "weights", "fewer kernels or units"),
        ("operations", MAX_OPERATIONS, "operations for each image", "fewer or smaller kernels"),
        ("values", MAX_VALUES, "values between its layers", "fewer kernels or more pooling"),
    )
    for name, limit, what, remedy in limits:
        counts = [getattr(row, name) for row in plan.rows]
        if sum(counts) > limit:
            text = f"This network has {sum(counts):,} {what}, and this page allows {limit:,}"
            return [Problem(counts.index(max(counts)), f"{text}; use {remedy}.")]
    return []
