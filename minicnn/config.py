"""Settings of the engines: threads, the algorithm of convolutions, the precision of products."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from minicnn.backends import current_backend, num_threads, set_backend, set_num_threads
from minicnn.backends.settings import conv_algorithm, precision
from minicnn.checks import check_int, quoted
from minicnn.errors import ArgumentError
from minicnn.support.environment import value_of
from minicnn.support.progress import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)

__all__ = [
    "backend",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "epsilon",
    "floatx",
    "get_conv_algorithm",
    "get_precision",
    "get_threads",
    "image_data_format",
    "is_interactive_logging_enabled",
    "limit_threads",
    "set_backend",
    "set_conv_algorithm",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_precision",
    "set_threads",
    "threads",
]

MAX_THREADS = 64
THREAD_VARIABLES = ("MINICNN_NUM_THREADS", "OMP_NUM_THREADS")
FLOATX, EPSILON, DATA_FORMAT = "float32", 1e-7, "channels_last"
backend = current_backend  # under Keras's name
_chosen = False  # whether `set_threads` has been called


def get_threads() -> int:
    """Return how many threads the C++ engine uses.

    The default is MINICNN_NUM_THREADS, else OMP_NUM_THREADS, else the number of processors that
    this process may run on.

    >>> get_threads() >= 1
    True
    """
    return num_threads()


def set_threads(count: int) -> None:
    """Use `count` threads from now on; results do not depend on it, bit for bit.

    At most 8 threads are used, and at most one per processor.
    """
    global _chosen
    set_num_threads(min(check_int(count, "threads"), MAX_THREADS))
    _chosen = True


def limit_threads(count: int) -> None:
    """Use at most `count` threads, unless the program or a variable has chosen a number."""
    if not _chosen and not any(value_of(name) for name in THREAD_VARIABLES):
        set_num_threads(min(num_threads(), count))


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
    """Return the algorithm of convolutions whose layer says "auto".

    The default is MINICNN_CONV_ALGORITHM, else "auto", which lets the engine choose.

    >>> get_conv_algorithm() in ("auto", "direct", "winograd")
    True
    """
    return conv_algorithm.get()


def set_conv_algorithm(name: str) -> None:
    """Set the algorithm of convolutions whose layer says "auto", from now on.

    It is "direct", "winograd" or "auto", the fastest for each shape. The results agree within
    rounding; "direct" has the smallest rounding errors. See `minicnn.operations.conv2d`.
    """
    conv_algorithm.set(name)


def get_precision() -> str:
    """Return the precision of products: by default MINICNN_PRECISION, else "float32".

    >>> get_precision() in ("float32", "tf32")
    True
    """
    return precision.get()


def set_precision(name: str) -> None:
    """Compute the products of convolutions and dense layers in "float32" or "tf32" from now on.

    TF32 is the format that the tensor cores of NVIDIA's GPUs multiply. It has the range of float32,
    but only 10 of the 23 bits of its fraction. Factors are rounded to TF32, with a relative error
    of at most 2^-11; products are summed in float32. This is several times as fast, and accurate
    enough for most training. Only the engine "cuda" uses it, on cards of compute capability 8.0 and
    later; other engines, and shapes that would not be faster, are computed in float32.

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


# --- what Keras lets one choose and minicnn has one of ------------------------------------------


def floatx() -> str:
    """Return the dtype of weights and of everything that networks compute, "float32"."""
    return FLOATX


def set_floatx(value: str) -> None:
    """Accept "float32"; raise ArgumentError for another dtype, as networks compute in float32."""
    if value != FLOATX:
        raise ArgumentError(
            f"networks compute in {FLOATX} only; got {quoted(value, 40)}. On a GPU "
            'mc.set_precision("tf32") uses its tensor cores'
        )


def epsilon() -> float:
    """Return the small number that keeps losses from the logarithm of 0.

    >>> epsilon()
    1e-07
    """
    return EPSILON


def set_epsilon(value: float) -> None:
    """Accept 1e-7; raise ArgumentError for another number, as the kernels have this one."""
    if value != EPSILON:
        raise ArgumentError(
            f"the kernels of losses have epsilon={EPSILON}; got {quoted(value, 40)}"
        )


def image_data_format() -> str:
    """Return "channels_last": batches of images are (N, H, W, C)."""
    return DATA_FORMAT


def set_image_data_format(data_format: str) -> None:
    """Accept "channels_last"; raise ArgumentError for another order of the axes."""
    if data_format != DATA_FORMAT:
        raise ArgumentError(
            f"images are (N, H, W, C), {DATA_FORMAT!r}; got {quoted(data_format, 40)}. Of arrays "
            "(N, C, H, W) pass x.transpose(0, 2, 3, 1)"
        )
