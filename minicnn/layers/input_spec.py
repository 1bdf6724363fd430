"""What a layer of one's own takes, as Keras describes it: so many axes, of these lengths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minicnn.checks import check_int, check_list, quoted, shape_text
from minicnn.contracts import Shape
from minicnn.errors import ArgumentError, ShapeError
from minicnn.support.reprs import repr_from_config


class InputSpec:
    """The shape, or the number of axes, that a layer takes; set it as `layer.input_spec`.

    >>> InputSpec(ndim=4, axes={-1: 3}).check((None, 8, 8, 3))
    >>> InputSpec(ndim=4).check((None, 8))
    Traceback (most recent call last):
    ...
    minicnn.errors.ShapeError: the input must have 4 axes; got shape (None, 8)

    Parameters
    ----------
    dtype : without effect: layers compute in float32
    shape : the lengths of all axes, None for any length
    ndim, max_ndim, min_ndim : the number of axes, or the most and the fewest
    axes : {axis: its length}
    """

    __repr__ = repr_from_config

    def __init__(
        self,
        dtype: str | None = None,
        shape: Shape | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
    ) -> None:
        self.dtype = dtype
        self.shape = None if shape is None else tuple(map(_length, check_list(shape, "shape")))
        counts = {"ndim": ndim, "max_ndim": max_ndim, "min_ndim": min_ndim}
        found = {k: None if n is None else check_int(n, k, 0) for k, n in counts.items()}
        self.ndim = found["ndim"] if self.shape is None else len(self.shape)
        self.max_ndim, self.min_ndim = found["max_ndim"], found["min_ndim"]
        self.axes = _checked_axes(axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return dict(vars(self))

    def check(self, shape: Shape) -> None:
        """Raise ShapeError for a shape that does not fit; unknown lengths, None, always fit."""
        axes = len(shape)
        if self.ndim is not None and axes != self.ndim:
            raise ShapeError(f"the input must have {self.ndim} axes; got shape {shape_text(shape)}")
        if axes < (self.min_ndim or 0) or axes > (self.max_ndim or axes):
            least, most = self.min_ndim or 0, self.max_ndim or "more"
            raise ShapeError(
                f"the input must have {least} to {most} axes; got shape {shape_text(shape)}"
            )
        wanted = dict(enumerate(self.shape or ())) | self.axes
        for axis, length in wanted.items():
            if length is not None and shape[axis] not in (None, length):
                raise ShapeError(
                    f"axis {axis} of the input must have length {length}; got shape "
                    f"{shape_text(shape)}"
                )


def _length(value: Any) -> int | None:
    return None if value is None else check_int(value, "each length in shape", 0)


def _checked_axes(axes: Any) -> dict[int, int | None]:
    """Return {axis: its length}; a number of an axis may be negative, a length may be None."""
    if not isinstance(axes, (Mapping, type(None))):
        raise ArgumentError(f"axes must be a dict like {{-1: 3}}; got {quoted(axes)}")
    return {check_int(axis, "an axis", -99): _length(n) for axis, n in (axes or {}).items()}
