"""Variables: weights that a user's layer makes without `add_weight`."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn import initializers, random
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError
from minicnn.layers.inspection import check_dtype
from minicnn.layers.parameter import Parameter, aligned
from minicnn.support.auto_names import unique_name


def Variable(
    initializer: Any,
    shape: Shape | None = None,
    dtype: str | None = None,
    trainable: bool = True,
    name: str | None = None,
) -> Parameter:
    """Return a new weight, which belongs to the layer of which it becomes an attribute.

    Parameters
    ----------
    initializer : an array or a number, whose values it gets; or an initializer, or its name
    shape : the shape that the initializer draws for; an array has its own
    dtype : None or "float32"
    trainable : whether training changes it
    name : default: "variable", numbered

    Raises
    ------
    ArgumentError : an initializer needs a shape

    Examples
    --------
    >>> Variable([1.0, 2.0]).value.tolist()
    [1.0, 2.0]
    """
    check_dtype(dtype)
    name = name or unique_name("Variable")
    if isinstance(initializer, (list, tuple, int, float, np.ndarray, np.generic)):
        values = np.asarray(initializer, np.float32)
    elif shape is None:
        raise ArgumentError("an initializer needs the shape of the values: Variable('zeros', (3,))")
    else:
        drawn = initializers.initial_values(
            initializers.get(initializer), tuple(shape), random.generator(name)
        )
        values = np.asarray(drawn, np.float32).reshape(shape)
    memory = aligned(values.shape, "float32")
    memory[...] = values
    variable = Parameter(name, memory, trainable=trainable)
    variable.is_free = True
    return variable
