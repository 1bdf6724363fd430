"""Fixtures of all tests."""

import importlib.util
import os
import sys

import hypothesis
import library_tools
import mpi
import pytest

from minicnn import backends, random
from minicnn.backends import device
from minicnn.support import auto_names, registry

# Without a GPU the CUDA kernels run in numba's simulator; numba reads this when it is imported.
if not device.has_driver():
    os.environ.setdefault(device.SIMULATOR, "1")

# On a busy machine an example, or drawing it, may take arbitrarily long.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")


WINDOW = "PySide6 or pytest-qt cannot be imported: pip install -e '.[dev]'; minicnn gui says more"
POSTGRES = "its server or Django cannot be imported: pip install -e '.[dev]'"
BROWSER = "Playwright cannot be imported, or there is no chromium: apt install chromium"


def pytest_configure(config):
    """Fail if a part named in MINICNN_REQUIRE is missing, because its tests would be skipped.

    Parts are the engines, "window", which needs Qt, "postgres", "browser" and "mpi".
    """
    required = set(os.environ.get("MINICNN_REQUIRE", "numpy").split(","))
    missing = required - {*backends.available_backends()}
    if config.pluginmanager.has_plugin("pytestqt.plugin"):
        missing -= {"window"}
    if all(map(importlib.util.find_spec, library_tools.NEEDED_BY_POSTGRES)):
        missing -= {"postgres"}
    if library_tools.chromium() and importlib.util.find_spec("playwright"):
        missing -= {"browser"}
    if mpi.MPIRUN and importlib.util.find_spec("mpi4py"):
        missing -= {"mpi"}
    if missing:
        texts = {"window": WINDOW, "postgres": POSTGRES, "browser": BROWSER, "mpi": mpi.MISSING}
        known = texts | backends.backend_info()
        reasons = {name: known.get(name, "unknown") for name in sorted(missing)}
        raise pytest.UsageError(f"parts are required but not available: {reasons}")


@pytest.fixture(params=backends.available_backends())
def backend(request):
    """Run the test once on every available engine; its value is the engine's name."""
    with backends.use_backend(request.param):
        yield request.param


@pytest.fixture
def threads():
    """A function that sets the number of the native engine's threads, reset after the test."""
    core = pytest.importorskip("minicnn._core")
    before = core.num_threads()
    yield core.set_num_threads
    core.set_num_threads(before)


@pytest.fixture(scope="session")
def postgres_server():
    """A server of PostgreSQL in a folder of its own, for all tests of this process."""
    for name in library_tools.NEEDED_BY_POSTGRES:
        pytest.importorskip(name, reason=POSTGRES)
    with library_tools.running_server() as server:
        yield server


@pytest.fixture
def postgres(postgres_server):
    """The address of a new database on a real server."""
    with library_tools.new_database(postgres_server) as address:
        yield address


@pytest.fixture(params=["sqlite", "postgres"])
def library(request, tmp_path):
    """A new library, in a file and on a server."""
    in_file = request.param == "sqlite"
    address = tmp_path / "library.sqlite3" if in_file else request.getfixturevalue("postgres")
    with library_tools.opened(address) as library:
        yield library


@pytest.fixture
def no_fsync(monkeypatch):
    """Skip syncing files, which takes 10 ms each on a busy disk and matters only in a power cut."""
    monkeypatch.setattr(os, "fsync", lambda _handle: None)


@pytest.fixture(autouse=True, scope="module")
def frequent_thread_switches(request):
    """Switch threads often in CUDA tests: the simulator's threads wait at every barrier."""
    before = sys.getswitchinterval()
    if "test_cuda" in request.node.name:
        sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(autouse=True)
def fresh_names_and_seed():
    """Reset layer names, the seed and registered classes, so that no test affects another."""
    auto_names.clear_session()
    random.set_random_seed(0)
    before = [(one.table, dict(one.table)) for one in registry.registries()]
    yield
    for table, content in before:
        table.clear()
        table.update(content)
