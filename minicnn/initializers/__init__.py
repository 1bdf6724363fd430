"""Initializers: the initial values of weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError
from minicnn.initializers.base import Initializer, RandomInitializer, initial_values
from minicnn.initializers.constants import Constant, Identity, Ones, Zeros
from minicnn.initializers.distributions import (
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    truncated_draws,
)
from minicnn.initializers.variance import (
    TRUNCATED_STD,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    fans,
)
from minicnn.support.callables import CallableRegistry

__all__ = [
    "TRUNCATED_STD",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "fans",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "initial_values",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "truncated_draws",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]

constant, identity, ones, zeros = Constant, Identity, Ones, Zeros
random_normal, random_uniform = RandomNormal, RandomUniform
truncated_normal, orthogonal = TruncatedNormal, Orthogonal
variance_scaling = VarianceScaling
glorot_uniform, glorot_normal = GlorotUniform, GlorotNormal
he_uniform, he_normal = HeUniform, HeNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal

_CLASSES = (
    Zeros, Ones, Constant, Identity, RandomNormal, RandomUniform, TruncatedNormal, Orthogonal,
    VarianceScaling, GlorotUniform, GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal,
)  # fmt: skip
_ALIASES = {
    "normal": RandomNormal,
    "uniform": RandomUniform,
    "zero": Zeros,
    "one": Ones,
    "identityinitializer": Identity,
    "orthogonalinitializer": Orthogonal,
}
_registry: CallableRegistry[Initializer] = CallableRegistry(
    "initializer", Initializer, _CLASSES, _ALIASES
)
serialize, deserialize = _registry.serialize, _registry.deserialize


def get(identifier: Any) -> Any:
    """Return an initializer from its name, its class or what `serialize` gave, or what is one.

    A function (shape, dtype=None) is one, and stays as it is. An array stands for its values. None
    means none: the layer's weights are then drawn by GlorotUniform.

    >>> get("glorot_uniform")((3, 3, 1, 20)).shape
    (3, 3, 1, 20)
    >>> get(serialize(Constant(0.5))).value
    0.5
    """
    if isinstance(identifier, np.ndarray):
        return Constant(identifier)
    if isinstance(identifier, Mapping) and "name" in identifier:  # the form in older files
        config = {key: value for key, value in identifier.items() if key != "name"}
        identifier = {"class": identifier["name"], "config": config}
    elif isinstance(identifier, Mapping) and not {"class", "class_name", "function"} & set(
        identifier
    ):
        raise ArgumentError(
            'a saved initializer is {"class": name, "config": arguments}; save it with '
            "minicnn.initializers.serialize(initializer), not with its get_config()"
        )
    return _registry.get(identifier)
