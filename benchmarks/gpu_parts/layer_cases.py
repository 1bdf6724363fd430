"""Float32 inputs of the kernels of group norms, resizing and random image layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gpu_parts.draws import Size, normal, positive

Cases = dict[str, tuple[str, dict[str, Any], dict[str, Any]]]


def differentiable(size: Size, rng: np.random.Generator) -> Cases:
    """Return {case: (operation, arrays, attributes)} of operations with a gradient."""
    return {**_group_norms(size, rng), "resample": ("resample", *_resampled(size, rng))}


def without_gradient(size: Size, rng: np.random.Generator) -> Cases:
    """Return {case: (kernel, arrays, attributes)} of kernels without a gradient."""
    shape = (size.n, size.h, size.w, size.channels)
    colored = {"x": normal(rng, *shape[:3], 3), "levels": positive(rng, size.n, 3)}
    about_mean = {"about_mean": True, "low": 0.1, "high": math.inf}
    key = {"rng_key": np.array([1, 2, 3, 4], np.uint32)}
    mask = {"shape": shape, "drawn": (size.n, 1, 1, size.channels), "rate": 0.3, "purpose": 2}
    drawn = {"shape": shape, "mean": 1.0, "stddev": 0.5, "purpose": 2}
    return {
        "adjust_colors": ("adjust_colors_forward", colored, about_mean),
        "dropout_mask": ("dropout_mask_forward", key, mask),
        "random_normal": ("random_normal_forward", key, drawn),
    }


def _group_norms(size: Size, rng: np.random.Generator) -> Cases:
    c = size.channels
    arrays = {
        "x": 1 + normal(rng, size.n, size.h, size.w, c),
        "gamma": positive(rng, c),
        "beta": normal(rng, c),
    }
    groups = next(k for k in range(2, c + 1) if c % k == 0)
    rules = (("variance", groups, 1), ("mean_square", 1, 3), ("norm", 1, 1))
    shared = {"channel_axis": 3, "epsilon": 1e-3}
    return {
        f"group_norm by {statistic}": (
            "group_norm",
            arrays,
            {**shared, "statistic": statistic, "groups": parts, "sample_axis": axis},
        )
        for statistic, parts, axis in rules
    }


def _resampled(size: Size, rng: np.random.Generator) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return images twice as high and half as wide, and one pixel beyond each border."""
    arrays = {"x": normal(rng, size.n, size.h, size.w, size.channels)}
    for name, length, outputs in (("row", size.h, 2 * size.h), ("column", size.w, size.w // 2)):
        arrays[f"{name}_index"] = rng.integers(-1, length + 1, (outputs, 2)).astype(np.int32)
        arrays[f"{name}_weight"] = positive(rng, outputs, 2)
    return arrays, {"fill": 2.0, "image": (size.h, size.w)}
