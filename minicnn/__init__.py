"""minicnn: convolutional networks from scratch, to read and to run fast."""

import minicnn.startup  # noqa: F401  first: the others take time, in which Ctrl-C may be typed
from minicnn import (
    activations,
    applications,
    backend,
    callbacks,
    classic,
    config,
    constraints,
    data,
    datasets,
    distributed,
    explain,
    initializers,
    interop,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    operations,
    ops,
    optimizers,
    preprocessing,
    random,
    regularizers,
    saving,
    schedules,
    tune,
    utils,
    zoo,
)
from minicnn.backends import (
    available_backends,
    backend_info,
    current_backend,
    set_backend,
    use_backend,
)
from minicnn.compat import install
from minicnn.config import set_precision
from minicnn.devices import device, list_devices
from minicnn.initializers import Initializer
from minicnn.layers import Input, InputSpec, Layer
from minicnn.layers.variable import Variable
from minicnn.losses import Loss
from minicnn.metrics import Metric
from minicnn.models import Model, Sequential, load_model
from minicnn.models import Model as Function
from minicnn.optimizers import Optimizer
from minicnn.regularizers import Regularizer
from minicnn.support.memory_limits import set_memory_limit, set_pixel_limit
from minicnn.version import __version__

install()
del install

__all__ = [
    "Function",
    "Initializer",
    "Input",
    "InputSpec",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "Variable",
    "__version__",
    "activations",
    "applications",
    "available_backends",
    "backend",
    "backend_info",
    "callbacks",
    "classic",
    "config",
    "constraints",
    "current_backend",
    "data",
    "datasets",
    "device",
    "distributed",
    "explain",
    "initializers",
    "interop",
    "layers",
    "list_devices",
    "load_model",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "operations",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "schedules",
    "set_backend",
    "set_memory_limit",
    "set_pixel_limit",
    "set_precision",
    "tune",
    "use_backend",
    "utils",
    "zoo",
]
