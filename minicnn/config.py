"""How the engine computes: on how many threads, by which algorithm, how exactly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from minicnn.backends import num_threads, set_num_threads
from minicnn.backends.settings import conv_algorithm, precision
from minicnn.checks import check_int

MAX_THREADS = 64


def get_threads() -> int:
    """Threads in use: MINICNN_NUM_THREADS, else OMP_NUM_THREADS, else the processors we may use.

    >>> get_threads() >= 1
    True
    """
    return num_threads()


def set_threads(count: int) -> None:
    """Use `count` threads from now on; results do not depend on it, bit for bit.

    More than the machine has processors, and more than 8, are not used.
    """
    set_num_threads(min(check_int(count, "threads"), MAX_THREADS))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Use `count` threads inside a `with` block.

    >>> with threads(1):
    ...     get_threads()
    1
    """
    before = get_threads()
    set_threads(count)
    try:
        yield
    finally:
        set_threads(before)


def get_conv_algorithm() -> str:
    """How convolutions are computed whose layer says "auto": MINICNN_CONV_ALGORITHM, else "auto".

    >>> get_conv_algorithm() in ("auto", "direct", "winograd")
    True
    """
    return conv_algorithm.get()


def set_conv_algorithm(name: str) -> None:
    """Compute them by "direct", "winograd" or the fastest for each shape, "auto", from now on.

    The results agree within rounding; "direct" rounds least. See `minicnn.ops.conv2d`.
    """
    conv_algorithm.set(name)


def get_precision() -> str:
    """What products are computed in: MINICNN_PRECISION, else "float32".

    >>> get_precision() in ("float32", "tf32")
    True
    """
    return precision.get()


def set_precision(name: str) -> None:
    """Compute the products of convolutions and dense layers in "float32" or "tf32" from now on.

    TF32 is what the tensor cores of NVIDIA's GPUs multiply: float32's range, but 10 bits of its
    23-bit fraction. Factors are rounded to it, a relative error of 2^-11 each; products are summed
    in float32. Several times as fast, and close enough for most training. Only the engine "cuda"
    uses it, on cards of compute capability 8.0 and later; everywhere else, and for the shapes that
    gain nothing, float32 is computed.

    Raises
    ------
    ArgumentError : no precision has that name

    Examples
    --------
    >>> before = get_precision()
    >>> set_precision("tf32")
    >>> get_precision()
    'tf32'
    >>> set_precision(before)
    """
    precision.set(name)
