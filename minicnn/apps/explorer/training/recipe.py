"""What a training begins with: the network, the images, the optimizer and the seed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from minicnn import optimizers, random
from minicnn.apps.explorer.training.blocks import Block, build_network, plan_network, read_blocks
from minicnn.apps.explorer.training.datasets import MNIST, DataChoice, find_choice
from minicnn.apps.explorer.training.fields import CHOICE, INTEGER, NUMBER, Field, checked_fields
from minicnn.apps.explorer.training.presets import PRESETS
from minicnn.errors import ArgumentError
from minicnn.models import Sequential
from minicnn.optimizers import Optimizer
from minicnn.support.text import quoted

LOSS = "sparse_categorical_crossentropy"
# Operations of one step, forward: a step should take a second at most on a small machine.
MAX_STEP_OPERATIONS = 4_000_000_000
MIN_RATE, MAX_RATE = 1e-6, 10.0
OPTIMIZERS = ("sgd", "momentum", "adam")
FIELDS = (
    Field(
        "optimizer", "Optimizer", CHOICE, "momentum", choices=OPTIMIZERS,
        help="sgd follows the gradient of each batch; momentum follows a mean of the last ones; "
        "adam also gives each weight a step size of its own.",
    ),
    Field(
        "learning_rate", "Learning rate", NUMBER, 0.01, MIN_RATE, MAX_RATE,
        help="The size of a step against the gradient.",
    ),
    Field(
        "batch_size", "Batch size", INTEGER, 64, 1, 512,
        help="Number of images in a step.",
    ),
    Field(
        "seed", "Seed", INTEGER, 0, 0, 2**32 - 1,
        help="A different seed gives different initial weights and a different order of the "
        "images.",
    ),
)  # fmt: skip
MOMENTUM = 0.9


class Recipe(NamedTuple):
    """All that a training depends on: the same recipe gives the same weights, bit for bit."""

    blocks: list[Block]
    data: DataChoice
    optimizer: str
    learning_rate: float
    batch_size: int
    seed: int

    def build(self) -> Sequential:
        """Return the compiled network with its first weights."""
        with random.seeded(self.seed):
            model = build_network(self.data.input_shape, len(self.data.class_names), self.blocks)
            model.compile(self._optimizer(), LOSS)
            model.get_weights()  # draws them now, by this seed
        model.class_names = list(self.data.class_names)
        return model

    def _optimizer(self) -> Optimizer:
        if self.optimizer == "adam":
            return optimizers.Adam(self.learning_rate)
        momentum = MOMENTUM if self.optimizer == "momentum" else 0.0
        return optimizers.SGD(self.learning_rate, momentum=momentum)


def read_recipe(given: Any, folder: Path | None) -> Recipe:
    """Return the recipe that JSON describes.

    Parameters
    ----------
    given : {"blocks": [...] or "preset": "lenet", "data": "mnist", "optimizer": "adam", ...};
        everything but the blocks has a default
    folder : of images that can be chosen

    Raises
    ------
    ArgumentError : something does not fit; the message says what and what is needed
    """
    if not isinstance(given, Mapping):
        raise ArgumentError('a training is described by an object such as {"preset": "lenet"}')
    rest = {name: value for name, value in given.items() if name not in _OTHERS}
    choice = find_choice(given.get("data", MNIST), folder)
    recipe = Recipe(_blocks(given), choice, **checked_fields(FIELDS, rest))
    _check_size(recipe)
    return recipe


_OTHERS = ("blocks", "preset", "data")


def _blocks(given: Mapping[str, Any]) -> list[Block]:
    if "blocks" in given:
        return read_blocks(given["blocks"])
    name = given.get("preset", "lenet")
    if not isinstance(name, str) or name not in PRESETS:
        raise ArgumentError(f"preset must be {' or '.join(PRESETS)}; got {quoted(name, 30)}")
    return read_blocks(PRESETS[name].blocks)


def _check_size(recipe: Recipe) -> None:
    plan = plan_network(recipe.data.input_shape, len(recipe.data.class_names), recipe.blocks)
    if plan.problems:
        raise ArgumentError(plan.problems[0].message)
    most = MAX_STEP_OPERATIONS // max(plan.operations, 1)
    if recipe.batch_size > most:
        raise ArgumentError(
            f"one step with {recipe.batch_size} images would take too long on a page: this "
            f"network allows a batch size of {max(most, 1)}"
        )
