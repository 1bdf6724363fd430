"""What a layer of one's own takes, as Keras describes it: so many axes, of these lengths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minicnn.checks import check_int, shape_text
from minicnn.contracts import Shape
from minicnn.errors import ShapeError
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
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = {check_int(k, "an axis", -99): v for k, v in dict(axes or {}).items()}

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
