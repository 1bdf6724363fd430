"""The base class of the optimizers.

An optimizer does no arithmetic on weights. It names a kernel, the kernel's attributes, the arrays
of state that the kernel keeps for each weight (`slots`), and the `rates` of each step. The formulas
are in `minicnn.backends.numpy.optimizers`. The planner puts the kernel at the end of every
training step.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from minicnn import schedules
from minicnn.checks import check_flag, check_int, check_name, refuse_unknown
from minicnn.errors import ArgumentError
from minicnn.optimizers.arguments import (
    checked_momentum,
    full_signature,
    optional_count,
    optional_number,
)
from minicnn.optimizers.by_hand import apply_by_hand
from minicnn.optimizers.learning_rate import HasLearningRate, Rate, as_rate, saved_rate
from minicnn.optimizers.step_kind import ONLY_KIND, StepCount, StepKind
from minicnn.support.auto_names import snake
from minicnn.support.reprs import constructor_defaults, repr_from_config

_CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")
_AVERAGES = ("use_ema", "ema_momentum", "ema_overwrite_frequency")
_SHARED = (
    "weight_decay", *_CLIPPING, *_AVERAGES, "loss_scale_factor", "gradient_accumulation_steps",
    "decoupled",
)  # fmt: skip
# Arguments that older versions do not have; files leave them out where they have the default.
_LATER = {*_AVERAGES, "name", "loss_scale_factor", "gradient_accumulation_steps", "amsgrad"}


class Optimizer(HasLearningRate):
    """Base class of the optimizers: learning rate, weight decay, clipping, averages.

    A subclass sets `kernel`, and defines `slots` and `_numbers`. All take the parameters below
    after their own.

    Parameters
    ----------
    learning_rate : number, a schedule, or a function without arguments that returns the number
    weight_decay : pulls weights, but not biases, toward 0; default None: none
    clipnorm : limits the norm of each gradient; default None. Only one kind of clipping is allowed
    clipvalue : limits each element of a gradient to [-clipvalue, clipvalue]; default None
    global_clipnorm : limits the norm of all gradients together; default None
    use_ema : whether to keep moving averages of the weights, which replace the weights at the end
        of `fit`; default False
    ema_momentum : part of the averages that is kept from step to step; default 0.99
    ema_overwrite_frequency : replaces the weights by the averages after every so many steps, too;
        default None: at the end alone
    loss_scale_factor : has no effect: the loss is multiplied by it and the gradients are divided by
        it, which float32 does not need; default None
    gradient_accumulation_steps : changes the weights only after every so many batches, by the
        mean of their gradients; at least 2; default None: after each
    name : default: the class's name in snake case
    decoupled : True, the default, subtracts learning_rate * weight_decay * w from the weights, as
        Keras and AdamW do; False adds weight_decay * w to the gradient (L2), as Caffe does

    Raises
    ------
    ArgumentError : a value is out of its range, or gradients are to be clipped in several ways
    """

    __repr__ = repr_from_config
    kernel: str
    # Whether a step moves every weight by about the learning rate, whatever the gradient's size.
    adaptive: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        """Let `help` and `inspect.signature` show the shared parameters after the class's own."""
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            cls.__signature__ = full_signature(cls, Optimizer)  # type: ignore[attr-defined]

    def __init__(
        self,
        learning_rate: Rate | dict[str, Any],
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        *,
        decoupled: bool = True,
        **unknown: Any,
    ) -> None:
        refuse_unknown(type(self), unknown)
        self.steps = 0  # batches so far
        self._first_rate = self._rate = as_rate(learning_rate)
        self.weight_decay = optional_number(weight_decay, "weight_decay")
        self.clipnorm = optional_number(clipnorm, "clipnorm", positive=True)
        self.clipvalue = optional_number(clipvalue, "clipvalue", positive=True)
        self.global_clipnorm = optional_number(global_clipnorm, "global_clipnorm", positive=True)
        self.use_ema = check_flag(use_ema, "use_ema")
        self.ema_momentum = checked_momentum(ema_momentum)
        self.ema_overwrite_frequency = optional_count(
            ema_overwrite_frequency, "ema_overwrite_frequency", 1
        )
        self.loss_scale_factor = optional_number(
            loss_scale_factor, "loss_scale_factor", positive=True
        )
        self.gradient_accumulation_steps = optional_count(
            gradient_accumulation_steps, "gradient_accumulation_steps", 2
        )
        self.name = snake(type(self).__name__) if name is None else check_name(name)
        self.decoupled = check_flag(decoupled, "decoupled")
        self.arrays_by_hand: dict[Any, dict[str, np.ndarray]] = {}  # slots of `apply_gradients`
        self._spared: re.Pattern[str] | None = None  # names of weights without decay
        given = [name for name in _CLIPPING if getattr(self, name) is not None]
        if len(given) > 1:
            raise ArgumentError(f"clip gradients in one way, not by {' and '.join(given)}")

    @property
    def slots(self) -> dict[str, float]:
        """The arrays of state that the kernel keeps for each weight: {name: initial value}.

        Each has the weight's shape, and all its elements start at that value.
        """
        raise NotImplementedError

    @property
    def all_slots(self) -> dict[str, float]:
        """The same with those that the kernel does not know: sums of gradients, and averages."""
        used = {
            "gradient_accumulator": self.gradient_accumulation_steps is not None,
            "average": self.use_ema,
        }
        return {**self.slots, **{name: 0.0 for name, is_used in used.items() if is_used}}

    @property
    def iterations(self) -> StepCount:
        """How often the weights have followed their gradients."""
        return StepCount(self._updates_before(self.steps))

    @iterations.setter
    def iterations(self, value: int) -> None:
        count = check_int(value, "iterations", 0)
        self.steps = count * (self.gradient_accumulation_steps or 1)

    def attributes(self, multiplier: float, decay: bool) -> dict[str, Any]:
        """Return the kernel's attributes for one weight array.

        Parameters
        ----------
        multiplier : the array's own factor of the learning rate
        decay : whether weight decay acts on it
        """
        weight_decay = (self.weight_decay or 0.0) if decay else 0.0
        shared = {"weight_decay": weight_decay, "decoupled": self.decoupled}
        return {**self._numbers(), **shared, "multiplier": float(multiplier)}

    def rates(self, step: int) -> np.ndarray:
        """Return float32 numbers that depend on the step, as the kernel reads them.

        These are (2,), the learning rate and the same after bias correction, if a subclass does not
        say otherwise. A step is a batch, from 0 on.
        """
        rate = self._rate_at(step)
        return np.array([rate, rate * self._correction(self._updates_before(step))], np.float32)

    def step_kind(self, step: int) -> StepKind:
        """Return what step number `step` does with gradients and weights."""
        if not self.has_kinds:
            return ONLY_KIND
        average, overwrites = "", False
        if self.use_ema:
            updates, frequency = self._updates_before(step), self.ema_overwrite_frequency
            average = "move" if updates else "start"
            overwrites = frequency is not None and (updates + 1) % frequency == 0
        return StepKind(self._accumulation(step), average, overwrites)  # type: ignore[arg-type]

    @property
    def has_kinds(self) -> bool:
        """Whether not all steps do the same."""
        return self.use_ema or self.gradient_accumulation_steps is not None

    def exclude_from_weight_decay(
        self, var_list: Iterable[Any] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Spare some weights from weight decay; to be called before training.

        Parameters
        ----------
        var_list : the weights, such as `layer.kernel`
        var_names : parts of the names of the weights, or regular expressions
        """
        whole = (f"^{re.escape(one.name)}$" for one in var_list or ())
        patterns = [*whole, *(var_names or ())]
        self._spared = re.compile("|".join(patterns)) if patterns else None

    def decays(self, parameter: Any) -> bool:
        """Return whether weight decay acts on this weight."""
        spared = self._spared is not None and self._spared.search(parameter.name)
        return bool(parameter.decay and not spared)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]]) -> StepCount:
        """Update weights by gradients that were computed by hand, without `fit`.

        Parameters
        ----------
        grads_and_vars : pairs of a gradient, an array, and its weight, such as `layer.kernel`

        Returns
        -------
        The number of updates so far

        Raises
        ------
        ArgumentError : the optimizer adds up gradients or keeps averages, which `fit` alone does
        ShapeError : a gradient has another shape than its weight

        >>> import minicnn as mc
        >>> layer = mc.layers.Dense(1, kernel_initializer="ones", use_bias=False)
        >>> y = layer(np.ones((1, 2), np.float32))
        >>> mc.optimizers.SGD(0.25).apply_gradients([(np.ones((2, 1)), layer.kernel)])
        1
        >>> layer.kernel.value.tolist()
        [[0.75], [0.75]]
        """
        apply_by_hand(self, [(np.asarray(g, np.float32), w) for g, w in grads_and_vars])
        self.steps += 1
        return self.iterations

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, with the learning rate as it is now."""
        rate = self._rate
        shared = {name: getattr(self, name) for name in _SHARED}
        return {"name": self.name, "learning_rate": saved_rate(rate), **self._numbers(), **shared}

    def saved_config(self) -> dict[str, Any]:
        """Return the same for a file: with the learning rate that the constructor was given."""
        default = {**constructor_defaults(type(self)), "name": snake(type(self).__name__)}
        config = {**self.get_config(), "learning_rate": saved_rate(self._first_rate)}
        return {k: v for k, v in config.items() if k not in _LATER or v != default.get(k)}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Optimizer:
        """Return the optimizer that `get_config` describes; a schedule may be a custom object."""
        rate = config.get("learning_rate")
        if isinstance(rate, dict):
            config = {**config, "learning_rate": schedules.deserialize(rate, custom_objects)}
        return cls(**config)

    def get_state(self) -> dict[str, Any]:
        """Return what training has changed, JSON-able."""
        rate = self._rate if isinstance(self._rate, float) else None
        return {"iterations": self.steps, "learning_rate": rate}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over the state that `get_state` returned."""
        self.steps = check_int(state["iterations"], "iterations", 0)
        if state["learning_rate"] is not None:
            self.learning_rate = state["learning_rate"]

    def _numbers(self) -> dict[str, Any]:
        """Return the kernel's own constants, which are both arguments and attributes."""
        raise NotImplementedError

    def _correction(self, updates: int) -> float:
        """Return the factor of the learning rate that corrects the bias of moving means.

        `updates` is the number of updates before this one.
        """
        return 1.0

    def _updates_before(self, step: int) -> int:
        return step // (self.gradient_accumulation_steps or 1)

    def _accumulation(self, step: int) -> str:
        batches = self.gradient_accumulation_steps
        if batches is None:
            return ""
        return {0: "start", batches - 1: "finish"}.get(step % batches, "add")
