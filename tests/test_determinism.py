"""The native engine computes the same bits with any number of threads and, if the convolution
algorithm stays the same, for any division of the batch."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from random_layers import FAMILIES, Layer, draw_layer, kernels, normal, run_layer, with_gradient

import minicnn as mc
from minicnn.contracts import CONTRACTS
from minicnn.shapes import Window2D

native = pytest.importorskip("minicnn.backends.native", exc_type=ImportError)

THREADS = (1, 2, 3, 4)
LAYERS = 140  # random layers, of all families in turn


def run_native(kernel, reads, attributes):
    return native.KERNELS[kernel](*reads, **attributes)


def conv(batch, image, channels, filters, k, stride=1, groups=1) -> Layer:
    rng = np.random.default_rng(k)
    pad = (k // 2, k // 2)
    window = Window2D((k, k), (stride, stride), (1, 1), pad, pad)
    shapes = {"x": (batch, *image, channels), "w": (k, k, channels // groups, filters)}
    arrays = {name: normal(rng, shape) for name, shape in (shapes | {"b": (filters,)}).items()}
    layer = Layer("conv2d", arrays, {"window": window, "groups": groups, "image": image})
    return with_gradient(layer, rng)


def dense(batch, inputs, units) -> Layer:
    rng = np.random.default_rng(units)
    shapes = {"x": (batch, inputs), "w": (inputs, units), "b": (units,)}
    layer = Layer("dense", {name: normal(rng, shape) for name, shape in shapes.items()}, {})
    return with_gradient(layer, rng)


# Random layers are small; these have work for every thread, and sums long enough to be divided.
LARGE = {
    "LeNet's second convolution": conv(16, (12, 12), 20, 50, 5),
    "one channel, many pixels": conv(8, (61, 67), 1, 20, 5),
    "strided, many channels": conv(2, (27, 31), 67, 130, 3, stride=2),
    "depthwise": conv(3, (40, 33), 96, 96, 3, groups=96),
    "one filter": conv(8, (40, 33), 33, 1, 3),
    "LeNet's first dense layer": dense(64, 800, 500),
    "wide and one image": dense(1, 9216, 300),
}


@pytest.fixture
def use_threads():
    before = native.num_threads()
    yield native.set_num_threads
    native.set_num_threads(before)


def assert_same_bits(found: dict, wanted: dict, what: str) -> None:
    for name, want in wanted.items():
        assert found[name].tobytes() == want.tobytes(), f"{name} differs: {what}"


def assert_same_for_all_threads(layer: Layer, use_threads) -> None:
    use_threads(THREADS[0])
    wanted = run_layer(layer, run_native)
    for threads in THREADS[1:]:
        use_threads(threads)
        assert_same_bits(run_layer(layer, run_native), wanted, f"{threads} threads, {layer}")


@pytest.mark.parametrize("family", FAMILIES)
def test_random_layers_have_the_same_bits_for_any_number_of_threads(family, use_threads):
    rng = np.random.default_rng(len(family))
    for _ in range(LAYERS // len(FAMILIES)):
        assert_same_for_all_threads(draw_layer(rng, family), use_threads)


@pytest.mark.parametrize("layer", LARGE.values(), ids=LARGE.keys())
def test_large_layers_have_the_same_bits_for_any_number_of_threads(layer, use_threads):
    assert_same_for_all_threads(layer, use_threads)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("family", FAMILIES)
def test_random_layers_have_the_same_bits_for_any_cut_of_the_batch(family, threads, use_threads):
    use_threads(threads)
    rng = np.random.default_rng(len(family))
    for _ in range(LAYERS // len(FAMILIES)):
        layer = draw_layer(rng, family)
        for algorithm in ("direct", "winograd"):
            assert_same_for_any_cut(told(layer, algorithm))


@pytest.mark.parametrize("layer", LARGE.values(), ids=LARGE.keys())
@pytest.mark.parametrize("algorithm", ["direct", "winograd"])
def test_large_layers_have_the_same_bits_for_any_cut_of_the_batch(layer, algorithm):
    assert_same_for_any_cut(told(layer, algorithm))


def told(layer: Layer, algorithm: str) -> Layer:
    """Fix the layer's algorithm, if it has several."""
    if not layer.family.startswith("conv2d"):
        return layer
    return layer._replace(attributes={**layer.attributes, "algorithm": algorithm})


def assert_same_for_any_cut(layer: Layer) -> None:
    """The results of each image alone must be slices of those of the batch."""
    whole = run_layer(layer, run_native)
    batch = layer.arrays["x"].shape[0]
    for cut in (1, 2):
        for first in range(0, batch, cut):
            part = _images(layer, first, first + cut)
            for name, found in run_layer(part, run_native).items():
                if name not in ("dw", "db"):  # these sum over the batch
                    want = whole[name][first : first + cut]
                    assert found.tobytes() == want.tobytes(), f"{name}, {cut} of {layer}"


def _images(layer: Layer, first: int, last: int) -> Layer:
    cut = {name: layer.arrays[name][first:last] for name in ("x", "dy")}
    return layer._replace(arrays={**layer.arrays, **cut})


def test_every_kernel_of_the_families_is_compared():
    assert all(kernel in native.KERNELS for family in FAMILIES for kernel in kernels(family))
    convolutions = {name for name in CONTRACTS if name.startswith("conv2d")}
    convolutions -= {"conv2d_max_pool2d_moments_forward"}  # test_pooled_moments.py compares it
    assert {k for family in FAMILIES for k in kernels(family)} >= convolutions


@pytest.fixture
def digits():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (70, 28, 28, 1), np.uint8), rng.integers(0, 10, 70)


def test_a_model_predicts_the_same_bits_for_any_batch_size(digits):
    x, _ = digits
    with mc.use_backend("native"):
        model = mc.zoo.lenet()
        whole = model.predict(x, batch_size=70, verbose=0)
        for size in (1, 7, 64):
            assert model.predict(x, batch_size=size, verbose=0).tobytes() == whole.tobytes()


def test_training_has_the_same_bits_for_any_number_of_threads(digits, use_threads):
    train = partial(_trained_weights, digits)
    use_threads(THREADS[0])
    wanted = train()
    for threads in THREADS[1:]:
        use_threads(threads)
        assert [w.tobytes() for w in train()] == [w.tobytes() for w in wanted]


def _trained_weights(digits) -> list[np.ndarray]:
    mc.utils.set_random_seed(3)
    with mc.use_backend("native"):
        model = mc.zoo.lenet()
        model.compile(
            optimizer=mc.optimizers.SGD(0.01, momentum=0.9),
            loss="sparse_categorical_crossentropy",
        )
        for _ in range(4):
            model.train_on_batch(*digits)
        return model.get_weights()
