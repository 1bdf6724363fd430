"""Modules that Keras 1 and 2 had: `minicnn.layers.core`, `minicnn.utils.np_utils`, `engine`, ..."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import minicnn
from minicnn.compat.keras2 import merge, say_once

# Old modules, and the modules where their names are today; the first that has a name counts.
_LAYERS = ("advanced_activations", "convolutional", "core", "merge", "noise", "normalization")
_ENGINE = ("engine", "engine.base_layer", "engine.topology", "engine.training")
_UTILS = ("data_utils", "generic_utils", "np_utils", "vis_utils", "visualize_util")
MODULES = {
    **{f"layers.{name}": ("layers",) for name in (*_LAYERS, "pooling")},
    **dict.fromkeys(_ENGINE, ("", "layers", "models")),
    **{f"utils.{name}": ("utils",) for name in _UTILS},
    "objectives": ("losses",),
}
RENAMED = {"plot": "plot_model"}


class OldModule(ModuleType):
    """A module whose names are found in today's modules, with a warning on first use.

    It can be called as Keras 1's function `merge`, which had the name of a module.
    """

    def __getattr__(self, name: str) -> Any:
        short = self.__name__.removeprefix("minicnn.")
        if name == "__all__" and short in MODULES:
            return _module(MODULES[short][0]).__all__
        for today in () if name.startswith("__") else MODULES.get(short, ()):
            module = _module(today)
            word = RENAMED.get(name, name)
            if hasattr(module, word):
                say_once(
                    short,
                    f"minicnn.{short} is a module of Keras 2; write "
                    f"from {module.__name__} import {word}",
                )
                return getattr(module, word)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Join tensors as Keras 1's function `merge` did."""
        if not self.__name__.endswith(".merge"):
            raise TypeError(f"{self.__name__} is a module and cannot be called")
        return merge(*args, **kwargs)


def _module(short: str) -> ModuleType:
    return sys.modules[f"minicnn.{short}" if short else "minicnn"]


def make_modules() -> None:
    """Put the old modules where `import` looks for them; a real one of that name is kept."""
    for short in MODULES:
        name = f"minicnn.{short}"
        module = sys.modules.setdefault(name, OldModule(name))
        module.__class__ = OldModule  # a real one finds today's names too
        parent, _, last = name.rpartition(".")
        setattr(sys.modules.get(parent, minicnn), last, module)
