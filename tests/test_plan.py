"""The planner: fusion keeps the meaning, gradients add up, no live value is overwritten."""

from __future__ import annotations

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers
from minicnn.contracts import CONTRACTS

BATCH = 6


def straight():
    return mc.Sequential(
        [
            mc.Input((12, 12, 2)),
            layers.Conv2D(5, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.BatchNormalization(),
            layers.Dropout(0.1),
            layers.Conv2D(7, 3, padding="same"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(9, activation="tanh"),
            layers.Dropout(0.25),
            layers.Dense(4, activation="softmax"),
        ]
    )


def branching():
    x = mc.Input((9, 9, 3))
    y = layers.Conv2D(6, 3, padding="same")(x)
    z = layers.Activation("silu")(y)
    y = layers.Add()([y, z, layers.Conv2D(6, 1)(z)])
    y = layers.Multiply()([y, layers.Conv2D(6, 1, activation="sigmoid")(y)])
    y = layers.Concatenate()([y, layers.ZeroPadding2D(1)(layers.AveragePooling2D(3, 1)(y))])
    y = layers.LocalResponseNormalization()(layers.MaxPooling2D(3, 2)(y))
    return mc.Model(x, layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(y)))


def shared_layer():
    a, b = mc.Input((6, 6, 1)), mc.Input((6, 6, 1))
    conv = layers.Conv2D(3, 3, activation="elu")
    y = layers.Multiply()([conv(a), conv(b)])
    return mc.Model([a, b], layers.Dense(4, activation="softmax")(layers.Flatten()(y)))


NETWORKS = {"straight": straight, "branching": branching, "shared-layer": shared_layer}
every_network = pytest.mark.parametrize("build", NETWORKS.values(), ids=NETWORKS.keys())


def compiled(build, **options):
    mc.utils.clear_session()
    mc.utils.set_random_seed(3)
    model = build()
    optimizer = mc.optimizers.SGD(0.05, momentum=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], **options)
    return model


def data_for(model, samples=BATCH):
    rng = np.random.default_rng(1)
    x = [rng.random((samples, *t.shape[1:]), np.float32) for t in model.graph.inputs]
    return x, rng.integers(0, 4, samples)


def trained(build, steps=3, **options):
    model = compiled(build, **options)
    x, y = data_for(model)
    losses = [model.train_on_batch(x, y)[0] for _ in range(steps)]
    return model, losses


@every_network
def test_engines_train_alike(backend, build):
    with mc.use_backend("numpy"):
        reference, want = trained(build)
    model, losses = trained(build)
    np.testing.assert_allclose(losses, want, rtol=2e-5)
    for ours, theirs in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=2e-5)


@every_network
def test_fusion_changes_nothing(backend, build):
    fused, with_fusion = trained(build)
    plain, without = trained(build, fuse=False)
    np.testing.assert_allclose(with_fusion, without, rtol=2e-5)
    for ours, theirs in zip(fused.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=2e-5)


@every_network
def test_gradients_are_the_slope_of_the_loss(build):
    """A step of SGD without momentum follows the gradient: the loss falls by lr |g|^2."""
    with mc.use_backend("numpy"):
        model = compiled(build)
        model.compile(mc.optimizers.SGD(1e-3), "sparse_categorical_crossentropy")
        for layer in model.layers:
            if isinstance(layer, (layers.Dropout, layers.BatchNormalization)):
                layer.trainable = False
                layer.rate = 0.0
        x, y = data_for(model)
        before = model.get_weights()
        start = model.train_on_batch(x, y)
        moved = [w - b for w, b in zip(model.get_weights(), before, strict=True)]
        expected = sum(float((m.astype(np.float64) ** 2).sum()) for m in moved) / 1e-3
        drop = start - model.test_on_batch(x, y)
        assert expected > 1e-6
        assert drop == pytest.approx(expected, rel=0.05)


@every_network
@pytest.mark.parametrize("kind", ["train", "predict"])
def test_no_step_writes_over_a_living_value(build, kind):
    """Replay the program on addresses: a byte that is read must be of the value written last."""
    program = compiled(build).program(BATCH, training=kind == "train")
    owner = np.full(program.arena_bytes // 64, -1)
    for step in program.steps:
        for index in step.reads:
            if index is not None and not program.buffers[index].storage:
                root = program.buffers[index].view_of
                maker = index if root is None else root
                assert (owner[lines_of(program.buffers[index])] == maker).all(), step
        for index in step.writes:
            if index is not None and not program.buffers[index].storage:
                owner[lines_of(program.buffers[index])] = index


def lines_of(buffer):
    size = int(np.prod(buffer.spec.shape)) * np.dtype(buffer.spec.dtype).itemsize
    return slice(buffer.offset // 64, (buffer.offset + size + 63) // 64)


@every_network
def test_memory_is_shared(build):
    program = compiled(build).program(BATCH)
    sizes = [lines_of(b).stop - lines_of(b).start for b in program.buffers if not b.storage]
    assert program.arena_bytes < 0.8 * 64 * sum(sizes)


def test_program_reads_like_the_network():
    text = str(compiled(straight).program(BATCH))
    first, second = text.splitlines()[:2]
    assert "conv2d_max_pool2d_moments_forward(" in first
    assert "window=3x3" in first and "pool=2x2/2x2" in first
    assert "activation=relu" in first and "batch_norm_dropout_forward(" in second
    order = [
        "softmax_sparse_categorical_crossentropy_backward",
        "conv2d_max_pool2d_backward_weights",
    ]
    assert (
        text.index(order[0]) < text.index(order[1]) < text.index("the steps below change the model")
    )
    assert text.index("the steps below change the model") < text.index("sgd_update")


def test_a_convolution_takes_its_relu_along():
    x = mc.Input((7, 7, 2))
    y = layers.Conv2D(3, 3, activation="relu")(x)
    seen = layers.Conv2D(3, 3, padding="same")(y)  # read twice: before its ReLU, too
    y = layers.Add()([seen, layers.ReLU()(seen), y])
    model = mc.Model(x, layers.Dense(4)(layers.Flatten()(y)))
    kernels = [step.kernel for step in model.program(BATCH, training=False).steps]
    assert kernels[:3] == ["conv2d_relu_forward", "conv2d_forward", "relu_forward"]


def test_a_batch_norm_takes_its_dropout_along():
    x = mc.Input((7, 7, 2))
    y = layers.Dropout(0.5)(layers.BatchNormalization()(x))
    seen = layers.BatchNormalization()(y)  # read twice: without its dropout, too
    y = layers.Add()([layers.Dropout(0.5)(seen), seen])
    model = mc.Model(x, layers.Dense(4)(layers.Flatten()(y)))
    model.compile("sgd", "mse")
    kernels = [step.kernel for step in model.program(BATCH, training=True).steps]
    assert kernels[:3] == [
        "batch_norm_dropout_forward",
        "batch_norm_training_forward",
        "dropout_forward",
    ]


def test_a_convolution_gathers_the_moments_for_its_batch_norms():
    x = mc.Input((12, 12, 2))
    y = layers.MaxPooling2D(2)(layers.Conv2D(3, 3, activation="relu")(x))
    norms = [layers.BatchNormalization()(y), layers.Dropout(0.5)(layers.BatchNormalization()(y))]
    model = mc.Model(x, layers.Dense(4)(layers.Flatten()(layers.Add()(norms))))
    model.compile("sgd", "mse")
    steps = {step.kernel: step for step in model.program(BATCH).steps}
    moments = steps["conv2d_max_pool2d_moments_forward"].writes[2]
    assert steps["batch_norm_training_forward"].reads[5] == moments
    assert steps["batch_norm_dropout_forward"].reads[5] == moments


def test_a_product_with_factors_per_channel_does_not_repeat_them(backend):
    def squeezed(fuse):
        mc.utils.set_random_seed(4)
        x = mc.Input((7, 6, 2))
        y = layers.Conv2D(5, 3, activation="relu")(x)
        s = layers.Dense(5, activation="sigmoid")(layers.GlobalAveragePooling2D()(y))
        s = layers.Reshape((1, 1, 5))(s)
        y = s * y  # factors of each image
        y = y * layers.Dense(5)(layers.GlobalMaxPooling2D(keepdims=True)(y))
        y = y * np.float32([1, 2, 3, 4, 5])  # the same ones for all images
        model = mc.Model(x, layers.Dense(4)(layers.Flatten()(y)))
        model.compile("sgd", "sparse_categorical_crossentropy", fuse=fuse)
        return model

    fused, plain = squeezed(fuse=True), squeezed(fuse=False)
    kernels = [step.kernel for step in fused.program(BATCH).steps]
    assert kernels.count("scale_channels_forward") == 3
    assert kernels.count("scale_channels_backward") == 3
    assert "broadcast_to_forward" not in kernels
    x, y = data_for(fused)
    for model in (fused, plain):
        model.train_on_batch(x, y)
    for ours, theirs in zip(fused.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_factors_that_something_else_reads_are_repeated():
    x = mc.Input((3, 4, 2))
    s = mc.ops.broadcast_to(layers.GlobalAveragePooling2D(keepdims=True)(x), (None, 3, 4, 2))
    kernels = [step.kernel for step in mc.Model(x, x * s + s).program(BATCH, training=False).steps]
    assert kernels.count("broadcast_to_forward") == 1
    assert "scale_channels_forward" not in kernels


def relu_chain():
    x = mc.Input((12, 12, 3))
    y = layers.Conv2D(6, 3, activation="relu")(x)
    y = layers.Conv2D(6, 3, activation="relu")(y)
    y = layers.MaxPooling2D(2)(layers.Conv2D(5, 3, activation="relu")(y))
    return mc.Model(x, layers.Dense(4)(layers.Flatten()(y)))


def test_a_gradient_passes_its_relu_where_it_is_made(backend):
    """The gradient is written in place of the ReLU's output, and the training is the same."""
    found = []
    for fuse in (True, False):
        model = compiled(relu_chain, fuse=fuse)
        x, y = data_for(model)
        losses = [model.train_on_batch(x, y)[0] for _ in range(3)]
        found.append([*losses, *(w.ravel() for w in model.get_weights())])
        if fuse:
            program = model.program(BATCH)
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    steps = {step.kernel: step for step in program.steps}
    assert not any(name.startswith("conv2d_relu_backward") for name in steps)
    for kernel in ("conv2d_max_pool2d_backward_input_relu", "conv2d_backward_input_relu"):
        step = steps[kernel]
        places = [program.buffers[i].offset for i in (step.reads[-1], step.writes[0])]
        assert places[0] == places[1]


def test_a_gradient_that_others_read_passes_no_relu():
    x = mc.Input((12, 12, 3))
    y = layers.Conv2D(6, 3, activation="relu")(x)
    y = layers.Add()([layers.Conv2D(6, 3, padding="same")(y), y])  # y's gradient comes two ways
    model = compiled(lambda: mc.Model(x, layers.Dense(4)(layers.Flatten()(y))))
    kernels = [step.kernel for step in model.program(BATCH).steps]
    assert "conv2d_relu_backward_weights" in kernels
    assert not any(name.endswith("_relu") for name in kernels)


def test_views_cost_no_step_and_no_memory(backend):
    """A flattened image is read twice, by an output and by a layer whose gradient is added."""

    def build():
        x = mc.Input((4, 4, 3))
        y = layers.Conv2D(2, 3)(x)
        flat = layers.Flatten()(layers.Reshape((8,))(y))
        y = layers.Add()([layers.Dense(8)(flat), flat])
        return mc.Model(x, layers.Reshape((2, 2))(layers.Dense(4)(y)))

    def train(**options):
        model = compiled(build)
        model.compile(mc.optimizers.SGD(0.05), "mean_squared_error", **options)
        x = np.random.default_rng(1).random((BATCH, 4, 4, 3), np.float32)
        y = np.zeros((BATCH, 2, 2), np.float32)
        losses = [model.train_on_batch(x, y) for _ in range(3)]
        return model, losses, model.predict(x, verbose=0)

    (model, losses, y), (_, *wanted) = train(), train(fuse=False)
    np.testing.assert_allclose(losses, wanted[0], rtol=1e-6)
    np.testing.assert_allclose(y, wanted[1], rtol=1e-5)
    program = model.program(BATCH)
    kernels = {step.kernel for step in program.steps}
    assert not any("reshape" in name or name == "add_backward" for name in kernels)
    views = [b for b in program.buffers if b.view_of is not None]
    assert len(views) > 4 and all(b.offset == program.buffers[b.view_of].offset for b in views)
    assert "dense_forward(conv2d_0 as (6,8), dense/kernel" in str(program)


def test_number_by_number_results_take_the_place_of_what_is_read_for_the_last_time():
    x = mc.Input((50,))
    y = layers.Activation("tanh")(x)  # the input is not ours to write to
    y = layers.Activation("silu")(layers.Activation("relu")(y))
    y = layers.Add()([layers.Activation("elu")(y), y])  # elu's input is read again
    program = mc.Model(x, y).program(BATCH)
    places = {s.kernel: program.buffers[s.writes[0]].offset for s in program.steps}
    assert places["tanh_forward"] == places["relu_forward"] == places["silu_forward"]
    assert places["elu_forward"] != places["silu_forward"]
    assert places["add_forward"] == places["elu_forward"]


def test_a_model_may_give_back_its_input(backend):
    model = mc.Sequential([mc.Input((2, 3)), layers.Flatten()])
    x = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    first = model.predict(x, verbose=0)
    model.predict(-x, verbose=0)
    assert np.array_equal(first, x.reshape(2, 6))


def test_every_step_fits_its_contract():
    program = compiled(branching).program(BATCH)
    for step in program.steps:
        contract = CONTRACTS[step.kernel]
        assert (len(step.reads), len(step.writes)) == (len(contract.reads), len(contract.writes))


def test_frozen_layers_cost_no_backward_steps(backend):
    model = compiled(straight)
    for layer in model.layers[:-1]:
        layer.trainable = False
    before = model.get_weights()
    x, y = data_for(model)
    model.train_on_batch(x, y)
    changed = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert sum(changed) == 2 and changed[-2:] == [True, True]
    kernels = [step.kernel for step in model.program(BATCH).steps]
    assert not any(name.startswith("conv2d") and "backward" in name for name in kernels)


def test_uint8_images_stay_uint8(backend):
    model = mc.Sequential([mc.Input((4, 4, 1), rescale=1 / 255), layers.Flatten()])
    x = np.arange(32, dtype=np.uint8).reshape(2, 4, 4, 1)
    np.testing.assert_allclose(
        model.predict(x, verbose=0), x.reshape(2, 16).astype(np.float32) * np.float32(1 / 255)
    )
    (execution,) = model._executions.values()
    assert execution.plan.arrays[execution.plan.inputs[0]].dtype == np.uint8


def test_predictions_do_not_depend_on_the_batch(backend):
    model = compiled(branching)
    (x,), _ = data_for(model, 11)
    whole = model.predict(x, batch_size=11, verbose=0)
    if mc.current_backend() == "numpy":
        np.testing.assert_allclose(whole, model.predict(x, batch_size=4, verbose=0), atol=1e-6)
    else:
        np.testing.assert_array_equal(whole, model.predict(x, batch_size=4, verbose=0))


OPTIMIZERS = {
    "sgd": lambda **options: mc.optimizers.SGD(0.05, momentum=0.9, **options),
    "adam": lambda **options: mc.optimizers.Adam(0.01, **options),
    "adagrad": lambda **options: mc.optimizers.Adagrad(0.01, **options),
    "rmsprop": lambda **options: mc.optimizers.RMSprop(0.01, **options),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_dense_weights_move_in_the_pass_that_computes_their_gradient(backend, optimizer):
    def dense_only(**options):
        model = compiled(lambda: mc.Sequential([mc.Input((30,)), *hidden()]))
        model.compile(optimizer(), "sparse_categorical_crossentropy", **options)
        (x,), y = data_for(model)
        losses = [model.train_on_batch(x, y) for _ in range(3)]
        return model, losses

    def hidden():
        return [layers.Dense(9, "relu"), layers.Dense(5, use_bias=False), layers.Dense(4)]

    (fused, with_fusion), (plain, without) = dense_only(), dense_only(fuse=False)
    assert with_fusion == without
    for ours, theirs in zip(fused.get_weights(), plain.get_weights(), strict=True):
        assert ours.tobytes() == theirs.tobytes()
    program = fused.program(BATCH)
    assert not any(step.kernel == "dense_backward_weights" for step in program.steps)
    assert [s.kernel[:6] for s in program.steps[program.first_change :]].count("dense_") == 3


def test_a_gradient_that_is_needed_elsewhere_is_computed_on_its_own():
    def twice():
        x, shared = mc.Input((8,)), layers.Dense(8)
        return mc.Model(x, layers.Dense(4)(shared(shared(x))))

    kernels = [step.kernel for step in compiled(twice).program(BATCH).steps]
    assert kernels.count("dense_backward_weights") == 2  # their sum moves the shared weights
    assert kernels.count("dense_sgd_update") == 1
    model = compiled(twice)
    model.compile(mc.optimizers.SGD(1.0, clipnorm=1e-3), "sparse_categorical_crossentropy")
    kernels = [step.kernel for step in model.program(BATCH).steps]
    assert kernels.count("dense_backward_weights") == 3
    assert not any(name.startswith("dense_sgd") for name in kernels)


def test_clipping(backend):
    for options in ({"clipvalue": 1e-4}, {"clipnorm": 1e-3}, {"global_clipnorm": 1e-3}):
        model = compiled(straight)
        model.compile(mc.optimizers.SGD(1.0, **options), "sparse_categorical_crossentropy")
        before = [p.value.copy() for p in model.parameters if p.trainable]
        x, y = data_for(model)
        model.train_on_batch(x, y)
        after = [p.value for p in model.parameters if p.trainable]
        moved = [a.astype(np.float64) - b for a, b in zip(after, before, strict=True)]
        norms = [np.sqrt((m**2).sum()) for m in moved]
        if "clipvalue" in options:
            assert max(abs(m).max() for m in moved) == pytest.approx(1e-4, rel=1e-2)
        elif "clipnorm" in options:
            assert max(norms) == pytest.approx(1e-3, rel=1e-2)
        else:
            assert np.linalg.norm(norms) == pytest.approx(1e-3, rel=1e-2)
