"""The C++ engine. Arrays must be C-contiguous, aligned and native; see backends/native."""

from collections.abc import Sequence
from typing import Any

import numpy as np

Arrays = Sequence[np.ndarray | None]

def kernels() -> list[str]:
    """Names of the kernels that this engine has."""

def run(kernel: str, reads: Arrays, writes: Arrays, attributes: dict[str, Any]) -> None:
    """Check and run one kernel."""

def isa() -> str:
    """The instruction set in use: "generic", "avx2" or "avx512"."""

def num_threads() -> int:
    """Threads that a kernel may use."""

def set_num_threads(threads: int) -> None:
    """Use so many threads; results are the same for any number."""

class WeightCache:
    """What the kernels of programs that run in turn derive from the same weights and keep."""

    def __len__(self) -> int: ...

class Program:
    """A list of checked kernel calls, (kernel, reads, writes, attributes) each."""

    def __init__(
        self,
        steps: list[tuple[str, Arrays, Arrays, dict[str, Any]]],
        commit: int | None = None,
        weight_cache: WeightCache | None = None,
    ) -> None: ...
    def run(self, first: int, last: int, version: int = 0) -> None:
        """Run the calls [first, last). At the same version, not 0, parameters are the same.

        Ctrl-C gives up the calls before `commit`: its handler's exception is raised.
        """

    def __len__(self) -> int: ...
