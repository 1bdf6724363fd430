"""The C++ engine. Arrays must be C-contiguous, aligned and in native byte order."""

from collections.abc import Sequence
from typing import Any

import numpy as np

Arrays = Sequence[np.ndarray | None]

def kernels() -> list[str]:
    """Return the names of the engine's kernels."""

def run(kernel: str, reads: Arrays, writes: Arrays, attributes: dict[str, Any]) -> None:
    """Check and run one kernel."""

def isa() -> str:
    """Return the instruction set that kernels use: "generic", "avx2" or "avx512"."""

def num_threads() -> int:
    """Return how many threads a kernel may use."""

def set_num_threads(threads: int) -> None:
    """Set how many threads a kernel may use; results do not depend on it."""

class TransformedWeightCache:
    """Transformed weights that the kernels of programs that run in turn keep between runs."""

    def __len__(self) -> int: ...

def WeightCache() -> TransformedWeightCache:
    """Return a new, empty cache."""

class PreparedProgram:
    """A list of checked kernel calls."""

    def run(self, first: int, last: int, version: int = 0) -> None:
        """Run the calls from `first` up to, not including, `last`.

        Parameters have not changed since the last run with the same version; 0 promises nothing.
        Ctrl-C stops the run between two calls before `commit`, with the handler's exception.
        """

    def __len__(self) -> int: ...

def Program(
    steps: list[tuple[str, Arrays, Arrays, dict[str, Any]]],
    commit: int | None = None,
    weight_cache: TransformedWeightCache | None = None,
) -> PreparedProgram:
    """Check kernel calls, (kernel, reads, writes, attributes) each, and return them as a program.

    The calls from index `commit` on change arrays that outlive a run, such as parameters.
    """
