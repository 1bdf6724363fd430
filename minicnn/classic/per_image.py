"""Calling a function for each of many images, in as many processes as there are processors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from minicnn.installed import missing_extra

CHUNK = 32  # images that a process is given at once
FEW = 256  # images; for fewer, starting processes takes longer than the work

Progress = Callable[[int, int], None]
Function = Callable[[np.ndarray], np.ndarray]


def no_progress(done: int, total: int) -> None:
    """Show no progress."""


def map_images(
    function: Function, images: np.ndarray, progress: Progress = no_progress
) -> list[np.ndarray]:
    """Return `[function(image) for image in images]`, computed in parallel if there are many.

    Processes are used, not threads, because scikit-image computes features in Python for the most
    part, of which one process runs one thread at a time.

    Parameters
    ----------
    function : a function of a module, or a partial one, as other processes must find it
    images : (N, ...)
    progress : called with (images done, N) from time to time
    """
    chunks = [images[i : i + CHUNK] for i in range(0, len(images), CHUNK)]
    results: list[np.ndarray] = []
    for found in _in_processes(function, chunks) if len(images) > FEW else _here(function, chunks):
        results += found
        progress(len(results), len(images))
    return results


def _here(function: Function, chunks: Sequence[np.ndarray]) -> Iterable[list[np.ndarray]]:
    return (_of_chunk(function, chunk) for chunk in chunks)


def _in_processes(function: Function, chunks: Sequence[np.ndarray]) -> Iterable[list[np.ndarray]]:
    """Yield the results of each chunk in order, as soon as they are there."""
    try:
        import joblib
    except ModuleNotFoundError as err:
        raise missing_extra("features of many images need joblib", "classic") from err
    tasks = (joblib.delayed(_of_chunk)(function, chunk) for chunk in chunks)
    results: Any = joblib.Parallel(n_jobs=-1, return_as="generator")(tasks)
    return results


def _of_chunk(function: Function, images: np.ndarray) -> list[np.ndarray]:
    return [function(image) for image in images]
