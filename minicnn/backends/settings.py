"""Settings that choose how kernels compute. They hold for the process; the environment sets them.

A change takes effect for operations called, and for programs planned, from then on.
"""

from __future__ import annotations

from minicnn.checks import check_choice
from minicnn.support import environment


class Setting:
    """One word of a few, which an environment variable may set before the import.

    Parameters
    ----------
    name : what error messages call it
    variable : the environment variable
    choices : the words that are allowed; the first one is the default

    Examples
    --------
    >>> color = Setting("color", "MINICNN_COLOR", ("red", "blue"))
    >>> color.set("blue")
    >>> color.get()
    'blue'
    """

    def __init__(self, name: str, variable: str, choices: tuple[str, ...]) -> None:
        self.name, self.choices = name, choices
        self._value = environment.choice(variable, choices[0], choices)

    def get(self) -> str:
        """Return the current value."""
        return self._value

    def set(self, value: str) -> None:
        """Replace the current value; raises ArgumentError if it is not one of the choices."""
        self._value = check_choice(value, self.name, self.choices)


# For convolutions whose caller says "auto"; if this is "auto" too, the engine chooses.
conv_algorithm = Setting("algorithm", "MINICNN_CONV_ALGORITHM", ("auto", "direct", "winograd"))
# For products, where the engine and the GPU can multiply in TF32.
precision = Setting("precision", "MINICNN_PRECISION", ("float32", "tf32"))
