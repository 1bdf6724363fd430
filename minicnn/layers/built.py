"""A layer that is built by hand, by `layer.build(shape)`, is not built again by its first call."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def marks_built(build: Callable[..., None]) -> Callable[..., None]:
    """Return a layer's `build` so that the layer knows afterwards that it is built."""

    @functools.wraps(build)
    def wrapped(layer: Any, *args: Any, **kwargs: Any) -> None:
        before = layer.built
        try:
            build(layer, *args, **kwargs)
        except BaseException:  # a base class's part may have succeeded
            layer.built = before
            raise
        layer.built = True

    return wrapped
