"""Fixtures of all tests."""

import os
import sys

import hypothesis
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


def pytest_configure(config):
    """Fail if a part named in MINICNN_REQUIRE is missing, because its tests would be skipped.

    Parts are the engines and "window", which needs Qt.
    """
    required = set(os.environ.get("MINICNN_REQUIRE", "numpy").split(","))
    missing = required - {*backends.available_backends()}
    if config.pluginmanager.has_plugin("pytestqt.plugin"):
        missing -= {"window"}
    if missing:
        known = {"window": WINDOW} | backends.backend_info()
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
