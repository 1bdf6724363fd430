"""The search space: the function that builds a model asks for the hyperparameters it needs.

    def build_model(hp):
        model = Sequential([Input((28, 28, 1))])
        for i in range(hp.Int("layers", 1, 3)):
            model.add(Conv2D(hp.Int(f"filters_{i}", 16, 64, step=16), 3, activation="relu"))
        ...

A network of one layer never asks for `filters_1`, so its trial does not have this hyperparameter: a
trial has exactly the hyperparameters with which its network was built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from minicnn.checks import check_choice, check_int, check_number, quoted
from minicnn.errors import ArgumentError

Value = bool | int | float | str
Draw = Callable[["Hyperparameter"], Any]


class Hyperparameter(NamedTuple):
    """The name and the possible values of a hyperparameter."""

    name: str
    kind: str  # "Int", "Float", "Choice", "Boolean" or "Fixed"
    default: Any
    low: Any = None  # for Int and Float
    high: Any = None  # included
    step: Any = None  # None: any number between low and high
    log: bool = False  # sample the logarithm uniformly
    values: tuple[Any, ...] = ()  # for Choice and Boolean


def default_of(one: Hyperparameter) -> Any:
    """The default value of a hyperparameter."""
    return one.default


class HyperParameters:
    """Gives a function that builds a model the values for which it asks, and records them.

    Parameters
    ----------
    values : dict of str to values, optional
        Values that are given, for example those of the best trial.
    draw : function of a Hyperparameter, optional
        Chooses the values that are not given; default: each hyperparameter's default.

    Attributes
    ----------
    values : dict
        The given values, followed by the others in the order in which they were asked for.
    space : list of Hyperparameter
        The hyperparameters that were asked for, with their ranges.

    Examples
    --------
    >>> hp = HyperParameters({"units": 64})
    >>> hp.Int("units", 32, 128, step=32), hp.Float("rate", 1e-4, 1e-2, sampling="log")
    (64, 0.0001)
    >>> hp.values
    {'units': 64, 'rate': 0.0001}
    """

    def __init__(self, values: Mapping[str, Value] | None = None, draw: Draw = default_of) -> None:
        self._draw = draw
        self.values: dict[str, Value] = dict(values or {})
        self.space: list[Hyperparameter] = []

    def Int(
        self,
        name: str,
        min_value: int,
        max_value: int,
        step: int | None = None,
        sampling: str = "linear",
        default: int | None = None,
    ) -> int:
        """An integer from `min_value` to `max_value`, both included, in steps of `step`.

        `step` is 1 by default, and `default` is `min_value`. `sampling="log"` samples the
        logarithm uniformly.
        """
        low = check_int(min_value, f"min_value of {name!r}", -(2**62))
        check_int(max_value, f"max_value of {name!r}", low)
        log = _is_log(name, sampling, low, step)
        pace = 1 if step is None else check_int(step, f"step of {name!r}")
        first = low if default is None else default
        high = low + (max_value - low) // pace * pace  # the largest value that the steps reach
        return self._value(Hyperparameter(name, "Int", first, low, high, pace, log))

    def Float(
        self,
        name: str,
        min_value: float,
        max_value: float,
        step: float | None = None,
        sampling: str = "linear",
        default: float | None = None,
    ) -> float:
        """A float from `min_value` to `max_value`, both included, in steps of `step` if given.

        `default` is `min_value` by default. `sampling="log"` samples the logarithm uniformly.
        """
        low = check_number(min_value, f"min_value of {name!r}")
        high = check_number(max_value, f"max_value of {name!r}", low)
        log = _is_log(name, sampling, low, step)
        if step is not None:
            pace = check_number(step, f"step of {name!r}", 0.0, open=True)
            # 1e-9 makes up for rounding: 0.3 / 0.1 is a little less than 3.
            high = low + int((high - low) / pace + 1e-9) * pace
        first = low if default is None else float(default)
        return self._value(Hyperparameter(name, "Float", first, low, high, step, log))

    def Choice(self, name: str, values: Sequence[Value], default: Value | None = None) -> Any:
        """One of several numbers, strings, True, False and None; `default` is the first of them.

        To choose among lists or functions, choose among their names:
        `{"3x3": (3, 3), "5x5": (5, 5)}[hp.Choice("kernel", ["3x3", "5x5"])]`.
        """
        if not isinstance(values, (list, tuple, range)):
            raise ArgumentError(f"{name!r} needs a list of different values; got {quoted(values)}")
        for value in values:
            if not isinstance(value, (str, int, float, type(None))):
                raise ArgumentError(
                    f"{name!r} can only choose among numbers, strings, True, False and None; got "
                    f"{quoted(value)}. Choose a string, and use it as the key of a dict"
                )
        if not values or len(set(values)) != len(values):
            raise ArgumentError(f"{name!r} needs a list of different values; got {quoted(values)}")
        if default is not None and default not in values:
            raise ArgumentError(f"default of {name!r} must be one of {list(values)}")
        first = values[0] if default is None else default
        return self._value(Hyperparameter(name, "Choice", first, values=tuple(values)))

    def Boolean(self, name: str, default: bool = False) -> bool:
        """Either True or False."""
        return self._value(Hyperparameter(name, "Boolean", default, values=(False, True)))

    def Fixed(self, name: str, value: Value) -> Any:
        """Return `value` and report it with the other hyperparameters."""
        return self._value(Hyperparameter(name, "Fixed", value))

    def get(self, name: str) -> Value:
        """The value of a hyperparameter that is given or was asked for before."""
        if name not in self.values:
            raise ArgumentError(
                f"no hyperparameter {name!r} was asked for; there are {list(self.values)}"
            )
        return self.values[name]

    __getitem__ = get

    def _value(self, one: Hyperparameter) -> Any:
        """Record a hyperparameter and return its value."""
        if not isinstance(one.name, str):
            raise ArgumentError(f"a hyperparameter's name must be a string; got {quoted(one.name)}")
        asked = next((other for other in self.space if other.name == one.name), one)
        if asked != one:
            raise ArgumentError(
                f"hyperparameter {one.name!r} was asked for twice with different ranges; use "
                "another name for the second"
            )
        if one not in self.space:
            self.space.append(one)
        if one.name not in self.values:
            self.values[one.name] = self._draw(one)
        return self.values[one.name]


def _is_log(name: str, sampling: str, low: float, step: Any) -> bool:
    """Return whether the logarithm is sampled, which needs a positive range without steps."""
    log = check_choice(sampling, f"sampling of {name!r}", ("linear", "log")) == "log"
    if log and (low <= 0 or step is not None):
        wrong = f"min_value={low}" if low <= 0 else f"step={step}"
        raise ArgumentError(
            f'sampling="log" of {name!r} needs min_value > 0 and no step; got {wrong}'
        )
    return log
