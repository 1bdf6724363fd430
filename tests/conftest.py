import os
import sys

import hypothesis
import pytest

from minicnn import backends, random
from minicnn.backends import device
from minicnn.support import auto_names, registry

# Without a GPU its kernels are tried in numba's simulator, which reads this when it is imported.
if not device.has_driver():
    os.environ.setdefault(device.SIMULATOR, "1")

# How long an example takes, or is drawn, says how busy the machine is.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")


def pytest_configure():
    """CI names the engines it must have: a build that lost one must not pass by skipping it."""
    required = set(os.environ.get("MINICNN_REQUIRE", "numpy").split(","))
    missing = required - {*backends.available_backends()}
    if missing:
        reasons = {name: backends.backend_info().get(name, "unknown") for name in sorted(missing)}
        raise pytest.UsageError(f"engines are required but not available: {reasons}")


@pytest.fixture(params=backends.available_backends())
def backend(request):
    """Runs the test once on every engine that this machine has."""
    with backends.backend(request.param):
        yield request.param


@pytest.fixture(autouse=True, scope="module")
def simulated_threads_take_turns_often(request):
    """The simulator's threads wait for each other at every barrier."""
    before = sys.getswitchinterval()
    if "test_cuda" in request.node.name:
        sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(autouse=True)
def fresh_names_and_seed():
    """No test depends on the layers, seeds and registered classes of those before it."""
    auto_names.clear_session()
    random.set_random_seed(0)
    before = [(one.table, dict(one.table)) for one in registry.registries()]
    yield
    for table, content in before:
        table.clear()
        table.update(content)
