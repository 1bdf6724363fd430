"""What pixels become before a network of `minicnn.applications` sees them: `preprocess_input`.

Whoever publishes weights has trained them on pixels in one of three forms; a network needs the form
of its weights. Each function takes images of 0 ... 255 in RGB, as an array or a symbolic tensor
(..., 3), and returns float32.
"""

from __future__ import annotations

from typing import Any

from minicnn import ops
from minicnn.checks import check_choice, shape_text
from minicnn.errors import ShapeError

BGR_MEANS = (103.939, 116.779, 123.68)  # of ImageNet's pixels, as Caffe's networks subtract them
RGB_MEANS, RGB_DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # the same of pixels / 255


def from_minus_one_to_one(x: Any, data_format: str | None = None) -> Any:
    """Return x / 127.5 - 1, between -1 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> print(from_minus_one_to_one(np.array([[0, 255, 51]])))
    [[-1.   1.  -0.6]]
    """
    return _floats(x, data_format) / 127.5 - 1.0


def standardized(x: Any, data_format: str | None = None) -> Any:
    """Return (x / 255 - mean) / deviation, with ImageNet's numbers for each channel.

    Examples
    --------
    >>> import numpy as np
    >>> print(standardized(np.full((1, 3), 128)).round(3))
    [[0.074 0.205 0.426]]
    """
    return (_floats(x, data_format) / 255.0 - _row(RGB_MEANS)) / _row(RGB_DEVIATIONS)


def centered_bgr(x: Any, data_format: str | None = None) -> Any:
    """Return the channels in the order BGR, each without its mean over ImageNet.

    Examples
    --------
    >>> import numpy as np
    >>> print(centered_bgr(np.array([[255, 0, 128]])).round(3))
    [[  24.061 -116.779  131.32 ]]
    """
    return _floats(x, data_format)[..., ::-1] - _row(BGR_MEANS)


def _row(values: tuple[float, ...]) -> Any:
    return ops.convert_to_tensor(values, dtype="float32")


def _floats(x: Any, data_format: str | None) -> Any:
    """Return the images as float32; their last axis must be three channels."""
    check_choice(data_format or "channels_last", "data_format", ("channels_last",))
    shape = tuple(x.shape)
    if not shape or shape[-1] != 3:
        raise ShapeError(f"preprocess_input needs RGB images (..., 3); got {shape_text(shape)}")
    return ops.cast(x, "float32")
