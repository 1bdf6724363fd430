"""The GPU engine: the reference's kernels as CUDA kernels, compiled by numba."""

from minicnn.backends.cuda.kernels import KERNELS, run
from minicnn.backends.cuda.runtime.api import SIMULATED, cuda
from minicnn.backends.cuda.runtime.arena import Arena
from minicnn.backends.cuda.runtime.dlpack import OnDevice, to_host
from minicnn.backends.cuda.runtime.multi_step import Runner
from minicnn.errors import BackendError
from minicnn.installed import install_command

__all__ = ["KERNELS", "Arena", "OnDevice", "Runner", "run", "start", "to_host"]


def start() -> None:
    """Raise BackendError if numba cannot compile for a GPU that is there."""
    if not SIMULATED and not cuda.is_available():
        raise BackendError(
            "backend 'cuda' is not available: numba does not find the compiler of the CUDA "
            f"toolkit (libnvvm), which comes with the extra. Run: {install_command('cuda')}"
        )
