"""What a search may choose: a space that a function which builds a model spells out by asking.

    def build_model(hp):
        model = Sequential([Input((28, 28, 1))])
        for i in range(hp.Int("layers", 1, 3)):
            model.add(Conv2D(hp.Int(f"filters_{i}", 16, 64, step=16), 3, activation="relu"))
        ...

A network of one layer never asks for `filters_1`, so its trial does not have it: every
hyperparameter of a trial is one that its network was really made with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from minicnn.checks import check_choice, check_int, check_number, quoted
from minicnn.errors import ArgumentError

Value = bool | int | float | str
Draw = Callable[["Hyperparameter"], Any]


class Hyperparameter(NamedTuple):
    """One thing to choose, and what it may be."""

    name: str
    kind: str  # "Int", "Float", "Choice", "Boolean" or "Fixed"
    default: Any
    low: Any = None  # of Int and Float
    high: Any = None
    step: Any = None  # None: any number in between
    log: bool = False  # as many values in 1...10 as in 10...100
    values: tuple[Any, ...] = ()  # of Choice and Boolean


def default_of(one: Hyperparameter) -> Any:
    """What is taken where nothing chooses."""
    return one.default


class HyperParameters:
    """Asked for values by a function that builds a model; remembers what was asked and answered.

    Parameters
    ----------
    values : mapping of names to values, optional
        Answers that are known already, those of the best trial for one.
    draw : function of a Hyperparameter, optional
        Chooses what `values` does not know; default: each hyperparameter's default.

    Attributes
    ----------
    values : dict
        The known values, and behind them every other one that was asked for.
    space : list of Hyperparameter
        What they were chosen from.

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
        """A whole number from `min_value` to `max_value`, both included, in steps of `step`."""
        least = check_int(min_value, f"min_value of {name!r}", -(2**62))
        check_int(max_value, f"max_value of {name!r}", least)
        log = _is_log(name, sampling, least, step)
        pace = 1 if step is None else check_int(step, f"step of {name!r}")
        first = least if default is None else default
        high = least + (max_value - least) // pace * pace  # the last one that steps reach
        return self._value(Hyperparameter(name, "Int", first, least, high, pace, log))

    def Float(
        self,
        name: str,
        min_value: float,
        max_value: float,
        step: float | None = None,
        sampling: str = "linear",
        default: float | None = None,
    ) -> float:
        """A number from `min_value` to `max_value`; with `step` one of an even row of them."""
        least = check_number(min_value, f"min_value of {name!r}")
        most = check_number(max_value, f"max_value of {name!r}", least)
        log = _is_log(name, sampling, least, step)
        if step is not None:
            pace = check_number(step, f"step of {name!r}", 0.0, open=True)
            # A hair is added because 0.3 / 0.1 is a little less than 3.
            most = least + int((most - least) / pace + 1e-9) * pace
        first = least if default is None else float(default)
        return self._value(Hyperparameter(name, "Float", first, least, most, step, log))

    def Choice(self, name: str, values: Sequence[Value], default: Value | None = None) -> Any:
        """One of a few numbers or words; True, False and None are possible too.

        Where lists or functions are to be chosen, choose their names:
        `{"3x3": (3, 3), "5x5": (5, 5)}[hp.Choice("kernel", ["3x3", "5x5"])]`.
        """
        if not isinstance(values, (list, tuple, range)):
            raise ArgumentError(f"{name!r} needs a list of different values; got {quoted(values)}")
        for value in values:
            if not isinstance(value, (str, int, float, type(None))):
                raise ArgumentError(
                    f"{name!r} chooses among numbers, words, True, False and None; got "
                    f"{quoted(value)}. Choose a word, and look up in a dict what it stands for"
                )
        if not values or len(set(values)) != len(values):
            raise ArgumentError(f"{name!r} needs a list of different values; got {quoted(values)}")
        if default is not None and default not in values:
            raise ArgumentError(f"default of {name!r} must be one of {list(values)}")
        first = values[0] if default is None else default
        return self._value(Hyperparameter(name, "Choice", first, values=tuple(values)))

    def Boolean(self, name: str, default: bool = False) -> bool:
        """True or False."""
        return self._value(Hyperparameter(name, "Boolean", default, values=(False, True)))

    def Fixed(self, name: str, value: Value) -> Any:
        """Always `value`; reported with the others."""
        return self._value(Hyperparameter(name, "Fixed", value))

    def get(self, name: str) -> Value:
        """The value of a hyperparameter that was asked for before."""
        if name not in self.values:
            raise ArgumentError(
                f"no hyperparameter {name!r} was asked for; there are {list(self.values)}"
            )
        return self.values[name]

    __getitem__ = get

    def _value(self, one: Hyperparameter) -> Any:
        if not isinstance(one.name, str):
            raise ArgumentError(f"a hyperparameter's name must be a text; got {quoted(one.name)}")
        asked = next((other for other in self.space if other.name == one.name), one)
        if asked != one:
            raise ArgumentError(
                f"hyperparameter {one.name!r} was asked for twice with different ranges; give the "
                "second another name"
            )
        if one not in self.space:
            self.space.append(one)
        if one.name not in self.values:
            self.values[one.name] = self._draw(one)
        return self.values[one.name]


def _is_log(name: str, sampling: str, least: float, step: Any) -> bool:
    """Is the logarithm to be spread evenly? Then there are no steps, and 0 has none."""
    log = check_choice(sampling, f"sampling of {name!r}", ("linear", "log")) == "log"
    if log and (least <= 0 or step is not None):
        wrong = f"min_value={least}" if least <= 0 else f"step={step}"
        raise ArgumentError(
            f'sampling="log" of {name!r} needs min_value > 0 and no step; got {wrong}'
        )
    return log
