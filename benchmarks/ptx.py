"""The CUDA kernels' machine code, without a GPU: registers, shared memory, spills.

The kernels that the training of some networks launches are compiled by numba and assembled by
NVIDIA's ptxas for several GPUs. `tests/test_cuda_ptx.py` checks the table.

    python benchmarks/ptx.py                      the table
    python benchmarks/ptx.py --only conv2d --arch 90 --each
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from cuda.pathfinder import DynamicLibNotFoundError, load_nvidia_dynamic_lib

from minicnn.contracts import CONTRACTS, Spec
from minicnn.shapes import conv_window, pool_window

ARCHES = (75, 80, 90)
TENSOR_CORES = 80  # the first with TF32
FLOAT64 = r"\b(?:add|sub|mul|div|fma|mad|neg|sqrt|rcp)\S*\.f64"  # arithmetic instructions
COLUMNS = ("case", "function", "arch", "threads", "registers", "shared", "spills", "local")


class Case(NamedTuple):
    """One kernel of the contracts, with the shapes of some network."""

    network: str
    kernel: str
    arrays: dict[str, Spec]
    attributes: dict[str, Any]
    tensor_cores: bool = False

    def __str__(self) -> str:
        return f"{self.network}: {self.kernel}{' tf32' if self.tensor_cores else ''}"


# --- cases ---------------------------------------------------------------------------------------

CONV = ("conv2d_forward", "conv2d_backward_input", "conv2d_backward_weights")
POOLED = tuple(
    f"conv2d_max_pool2d_{way}" for way in ("forward", "backward_input", "backward_weights")
)
RELU = ("conv2d_relu_forward", "conv2d_relu_backward_input_relu", "conv2d_relu_backward_weights")
DENSE = ("dense_forward", "dense_backward_input", "dense_backward_weights")
BATCH_NORM = {"momentum": 0.9, "epsilon": 1e-3}
PLAIN = {"weight_decay": 0.0, "decoupled": False, "multiplier": 1.0}
SGD = {"momentum": 0.9, "nesterov": False} | PLAIN
ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7} | PLAIN


def conv(network: str, shape: tuple[int, ...], size: int, filters: int, names: Any) -> list[Case]:
    """Return cases of the kernels `names`: a 5x5 convolution is "valid", others are "same"."""
    n, h, w, channels = shape
    window = conv_window(size, 1, "valid" if size == 5 else "same", 1, (h, w))
    out = window.out_hw((h, w))
    attributes: dict[str, Any] = {"window": window, "groups": 1, "image": (h, w)}
    if names is POOLED:
        pool = pool_window(2, None, "valid", out)
        attributes |= {"pool": pool, "activation": "relu"}
        out = pool.out_hw(out)
    y = Spec((n, *out, filters))
    arrays = {
        "x": Spec(shape), "w": Spec((size, size, channels, filters)), "b": Spec((filters,)),
        "y": y, "dy": y, "argmax": Spec(y.shape, "uint8"),
    }  # fmt: skip
    return [Case(network, name, arrays, attributes) for name in names]


def dense(network: str, images: int, inputs: int, units: int) -> list[Case]:
    """Return cases of the three kernels of a dense layer."""
    arrays = {
        "x": Spec((images, inputs)), "w": Spec((inputs, units)), "b": Spec((units,)),
        "dy": Spec((images, units)),
    }  # fmt: skip
    return [Case(network, name, arrays, {}) for name in DENSE]


def others() -> list[Case]:
    """Return cases of kernels that are not matrix products."""
    w, image, channels = Spec((800, 500)), Spec((32, 32, 32, 32)), Spec((32,))
    weights = dict.fromkeys(("w", "dw", "velocity", "first", "second"), w)
    weights["rates"] = Spec((2,))
    logits = {
        "logits": Spec((64, 10)), "probabilities": Spec((64, 10)), "dloss": Spec((64,)),
        "y_true": Spec((64,), "int32"),
    }  # fmt: skip
    names = ("gamma", "beta", "moving_mean", "moving_variance", "mean", "inverse_std")
    norm = {"x": image, "dy": image} | dict.fromkeys(names, channels)
    loss, smoothing = "softmax_sparse_categorical_crossentropy", {"label_smoothing": 0.0}
    return [
        Case("lenet", "sgd_update", weights, SGD),
        Case("lenet", "adam_update", weights, ADAM),
        Case("lenet", f"{loss}_forward", logits, smoothing),
        Case("lenet", f"{loss}_backward", logits, smoothing),
        Case("cifar", "batch_norm_training_forward", norm, BATCH_NORM),
        Case("cifar", "batch_norm_training_backward", norm, BATCH_NORM),
    ]


def cases() -> list[Case]:
    """Return all cases: in float32, and in TF32 where there are kernels for it."""
    products = [
        *conv("lenet 1", (64, 28, 28, 1), 5, 20, POOLED),
        *conv("lenet 2", (64, 12, 12, 20), 5, 50, POOLED),
        *dense("lenet", 64, 800, 500),
        *conv("cifar", (32, 32, 32, 32), 3, 32, RELU),
        *conv("scene", (32, 64, 64, 32), 3, 64, CONV),
        *conv("scene", (32, 64, 64, 64), 3, 128, POOLED),
    ]
    large = [case for case in products if case.network in ("lenet", "cifar", "scene")]
    return [*products, *others(), *(case._replace(tensor_cores=True) for case in large)]


# --- the compilers -------------------------------------------------------------------------------


def ptxas() -> str:
    """Return the path of the assembler, if possible from numba's packages; "" without one."""
    return next(_installed("bin/ptxas"), shutil.which("ptxas") or "")


def missing() -> str:
    """Return what must be installed first; "" if kernels can be compiled and assembled."""
    if not ptxas():
        return "ptxas is not installed: python -m pip install nvidia-cuda-nvcc"
    for library in ("nvvm", "nvrtc"):
        try:
            load_nvidia_dynamic_lib(library)
        except DynamicLibNotFoundError:
            return f"lib{library} is not installed: python -m pip install 'numba-cuda[cu13]'"
    return ""


def _installed(*names: str) -> Iterator[str]:
    """Yield files of the CUDA toolkit, from this environment's packages first."""
    roots = [f"{folder}/nvidia/*" for folder in sys.path if folder]
    roots += [os.environ[name] for name in ("CUDA_HOME", "CUDA_PATH") if name in os.environ]
    for root in [*roots, "/usr/local/cuda"]:
        for name in names:
            yield from glob.glob(f"{root}/{name}")


def compiled(case: Case, arches: tuple[int, ...], each: bool) -> list[dict[str, Any]]:
    """Return one row per launch and GPU.

    With `each`, PTX is compiled for each GPU; otherwise that of the oldest GPU is used for all.
    """
    known, plan = _plan_of(case)
    table = []
    for launch in plan.launches:
        types = [_array_type(known[name]) for name in launch.arguments]
        texts = [_ptx(launch.kernel, types, arch) for arch in (arches if each else arches[:1])]
        texts *= len(arches) // len(texts)
        for arch, text in zip(arches, texts, strict=True):
            row = {
                "case": str(case),
                "function": launch.kernel.py_func.__name__,
                "arch": arch,
                "threads": launch.threads,
                "tensor_cores": "mma.sync" in text,
                "float64": len(re.findall(FLOAT64, text)),
            }
            table.append(row | _assembled(text, arch))
    return table


def _plan_of(case: Case) -> tuple[dict[str, Spec], Any]:
    """Return the specs of all arrays by name, and the kernel plan."""
    from minicnn.backends.cuda.kernels import KERNEL_FACTORIES
    from minicnn.backends.cuda.runtime.launch import HALTED, OLD
    from minicnn.backends.cuda.tensor_cores.choice import KERNEL_FACTORIES as TENSOR_CORE_FACTORIES

    contract = CONTRACTS[case.kernel]
    names = [name.rstrip("?") for name in contract.reads]
    reads = [case.arrays.get(name) for name in names]
    factories = TENSOR_CORE_FACTORIES if case.tensor_cores else KERNEL_FACTORIES
    plan = factories[case.kernel](*reads, **case.attributes)
    written = zip(contract.writes, contract.specs(*reads, **case.attributes), strict=True)
    known = dict(zip(names, reads, strict=True))
    known |= {OLD + name: known[name] for name in contract.updates}
    return known | dict(written) | dict(plan.scratch) | {HALTED: Spec((1,), "uint32")}, plan


def _array_type(spec: Spec) -> Any:
    from numba.cuda import types

    return types.Array(getattr(types, spec.dtype), 1, "C")


def _ptx(kernel: Any, types: list[Any], arch: int) -> str:
    """Compile to PTX. numba asks the GPU for its capability; here a stand-in answers."""
    from numba import cuda
    from numba.cuda import dispatcher

    capability = divmod(arch, 10)
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=capability)
    text, _ = cuda.compile_ptx(kernel.py_func, tuple(types), cc=capability)
    return text


def _assembled(text: str, arch: int) -> dict[str, int]:
    """Assemble the PTX and return what ptxas reports."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "kernel.ptx")
        source.write_text(text)
        command = [ptxas(), "-v", f"-arch=sm_{arch}", str(source), "-o", f"{folder}/kernel.cubin"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = done.stdout + done.stderr
    if done.returncode:
        raise RuntimeError(f"ptxas: {report}")

    def number(pattern: str) -> int:
        return sum(map(int, re.findall(pattern, report)))

    return {
        "registers": number(r"Used (\d+) registers"),
        "shared": number(r"(\d+) bytes smem"),
        "spills": number(r"(\d+) bytes spill"),
        "local": number(r"(\d+) bytes stack frame"),
    }


def rows(only: str, arches: tuple[int, ...], *, each: bool) -> Iterator[dict[str, Any]]:
    """Yield the rows of the cases with `only` in their name; several processes compile them."""
    with ProcessPoolExecutor() as pool:
        tables = [
            pool.submit(compiled, case, fitting, each)
            for case in cases()
            if only in str(case)
            and (fitting := tuple(a for a in arches if a >= TENSOR_CORES or not case.tensor_cores))
        ]
        for table in tables:
            yield from table.result()


def main() -> None:
    """Print the table, or one line of JSON per row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="part of a case's name")
    parser.add_argument("--arch", type=int, nargs="*", default=ARCHES, help="75 80 90")
    parser.add_argument("--each", action="store_true", help="compile for each GPU, too")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if missing():
        sys.exit(missing())
    form = (
        "{case:62} {function:26} {arch:>4} {threads:>7} {registers:>9} {shared:>6} {spills:>6} "
        "{local:>5}"
    )
    if not arguments.json:
        print(form.format(**{name: name for name in COLUMNS}))
    for row in rows(arguments.only, tuple(arguments.arch), each=arguments.each):
        print(json.dumps(row) if arguments.json else form.format(**row), flush=True)


if __name__ == "__main__":
    main()
