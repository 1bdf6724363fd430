"""The networks of the zoo have the published sizes, names and summaries."""

import numpy as np
import pytest

import minicnn as mc
from minicnn.errors import ShapeError

# What the paper printed: name and type cut to Keras 2's column, output shape, parameters.
SCENE_TABLE = """\
conv2d (Conv2D)              (None, 148, 148, 32)      896
max_pooling2d (MaxPooling2D) (None, 74, 74, 32)        0
batch_normalization (BatchNo (None, 74, 74, 32)        128
dropout (Dropout)            (None, 74, 74, 32)        0
conv2d_1 (Conv2D)            (None, 72, 72, 64)        18496
max_pooling2d_1 (MaxPooling2 (None, 36, 36, 64)        0
batch_normalization_1 (Batch (None, 36, 36, 64)        256
dropout_1 (Dropout)          (None, 36, 36, 64)        0
conv2d_2 (Conv2D)            (None, 34, 34, 128)       73856
max_pooling2d_2 (MaxPooling2 (None, 17, 17, 128)       0
batch_normalization_2 (Batch (None, 17, 17, 128)       512
dropout_2 (Dropout)          (None, 17, 17, 128)       0
conv2d_3 (Conv2D)            (None, 15, 15, 256)       295168
max_pooling2d_3 (MaxPooling2 (None, 7, 7, 256)         0
batch_normalization_3 (Batch (None, 7, 7, 256)         1024
dropout_3 (Dropout)          (None, 7, 7, 256)         0
flatten (Flatten)            (None, 12544)             0
dense (Dense)                (None, 128)               1605760
dropout_4 (Dropout)          (None, 128)               0
dense_1 (Dense)              (None, 128)               16512
dropout_5 (Dropout)          (None, 128)               0
dense_2 (Dense)              (None, 128)               16512
dropout_6 (Dropout)          (None, 128)               0
dense_3 (Dense)              (None, 128)               16512
dropout_7 (Dropout)          (None, 128)               0
dense_4 (Dense)              (None, 6)                 774"""
SCENE_TOTALS = [
    "Total params: 2,046,406",
    "Trainable params: 2,045,446",
    "Non-trainable params: 960",
]


@pytest.fixture
def keras2_lines(capsys):
    mc.utils.clear_session()
    mc.zoo.scene().summary(style="keras2")
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_scene_table_is_the_papers_row_for_row(keras2_lines):
    assert keras2_lines[0] == 'Model: "sequential"'
    assert keras2_lines[2] == "Layer (type)                 Output Shape              Param #"
    rows = [line for line in keras2_lines[3:] if "(None" in line]
    assert rows == SCENE_TABLE.splitlines()


def test_scene_totals_are_the_papers(keras2_lines):
    start = keras2_lines.index(SCENE_TOTALS[0])
    assert keras2_lines[start : start + 3] == SCENE_TOTALS


def test_scene_takes_other_sizes_and_down_to_its_documented_minimum():
    assert mc.zoo.scene((46, 64, 1), classes=3).output_shape == (None, 3)
    with pytest.raises(ShapeError, match="45→43→21"):
        mc.zoo.scene((45, 45, 3))


@pytest.mark.parametrize(
    ("name", "parameters", "image", "classes"),
    [
        ("lenet", 431_080, (28, 28, 1), 10),
        ("cifar", 169_578, (32, 32, 3), 10),
        ("scene", 2_046_406, (150, 150, 3), 6),
        ("xray", 29_556_898, (512, 512, 3), 2),
        ("photo", 15_892_806, (150, 150, 3), 6),
        ("catdog", 693_602, (64, 64, 3), 2),
        ("caffenet", 60_965_224, (227, 227, 3), 1000),
        ("lenet5", 61_706, (28, 28, 1), 10),
    ],
)
def test_every_network_has_its_papers_size(name, parameters, image, classes):
    model = getattr(mc.zoo, name)()
    assert model.count_params() == parameters
    assert (model.input_shape, model.output_shape) == ((None, *image), (None, classes))


def test_cifar_as_printed_for_28_pixels():
    assert mc.zoo.cifar((28, 28, 3)).count_params() == 120_426


@pytest.mark.parametrize(
    ("name", "least"), [("cifar", 22), ("catdog", 22), ("xray", 36), ("photo", 36)]
)
def test_networks_go_down_to_their_documented_minimum(name, least):
    network = getattr(mc.zoo, name)
    assert network((least, least + 9, 1), classes=3).output_shape == (None, 3)
    with pytest.raises(ShapeError):
        network((least - 1, least + 9, 1))


@pytest.mark.parametrize("name", ["cifar", "catdog", "scene", "xray", "photo"])
def test_rescale_takes_bytes_where_the_default_takes_fractions(name):
    network, image = getattr(mc.zoo, name), (50, 48, 3)
    pixels = np.random.default_rng(0).integers(0, 256, (2, *image), dtype=np.uint8)
    of_fractions, of_bytes = network(image), network(image, rescale=1 / 255)
    of_bytes.set_weights(of_fractions.get_weights())
    wanted = of_fractions.predict(np.float32(pixels) * np.float32(1 / 255), verbose=0)
    np.testing.assert_allclose(of_bytes.predict(pixels, verbose=0), wanted, atol=1e-6)


def test_lenet_has_caffes_layers_and_sizes():
    model = mc.zoo.lenet()
    sizes = {p.name: p.shape for p in model.parameters}
    assert sizes == {
        "conv1/kernel": (5, 5, 1, 20),
        "conv1/bias": (20,),
        "conv2/kernel": (5, 5, 20, 50),
        "conv2/bias": (50,),
        "ip1/kernel": (800, 500),
        "ip1/bias": (500,),
        "ip2/kernel": (500, 10),
        "ip2/bias": (10,),
    }
    assert model.count_params() == 431_080
    assert (model.input_shape, model.output_shape) == ((None, 28, 28, 1), (None, 10))


def test_lenets_biases_learn_at_twice_the_rate_of_its_weights():
    rates = {p.name: p.multiplier for p in mc.zoo.lenet().parameters}
    assert {rates[n] for n in rates if n.endswith("bias")} == {2.0}
    assert {rates[n] for n in rates if n.endswith("kernel")} == {1.0}


def test_lenets_biases_really_move_twice_as_far():
    x = np.full((4, 28, 28, 1), 255, np.uint8)
    moved = []
    for rate in (2.0, 1.0):
        model = mc.zoo.lenet()
        for parameter in model.parameters:
            parameter.multiplier = rate if parameter.name.endswith("bias") else 1.0
        model.compile(mc.optimizers.SGD(0.01), loss="sparse_categorical_crossentropy")
        model.train_on_batch(x, np.array([0, 1, 2, 3]))
        moved.append(model.get_layer("ip2").bias.value.copy())
    np.testing.assert_allclose(moved[0], 2 * moved[1], rtol=1e-6)
    assert np.abs(moved[0]).max() > 1e-4


def test_lenet_scales_bytes_and_floats_alike():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (3, 28, 28, 1), dtype=np.uint8)
    model = mc.zoo.lenet()
    probabilities = model.predict(x, verbose=0)
    np.testing.assert_array_equal(probabilities, model.predict(x.astype(np.float32), verbose=0))
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-6)
    rescaled = model.layers[0](x)
    np.testing.assert_array_equal(rescaled, x.astype(np.float32) / 256)


# Caffe's bvlc_reference_caffenet, layer by layer.
CAFFENET = {
    "conv1": ((11, 11, 3, 96), (55, 55, 96)),
    "conv2": ((5, 5, 48, 256), (27, 27, 256)),
    "conv3": ((3, 3, 256, 384), (13, 13, 384)),
    "conv4": ((3, 3, 192, 384), (13, 13, 384)),
    "conv5": ((3, 3, 192, 256), (13, 13, 256)),
    "fc6": ((9216, 4096), (4096,)),
    "fc7": ((4096, 4096), (4096,)),
    "fc8": ((4096, 7), (7,)),
}


def test_caffenet_has_caffes_layers_sizes_and_first_weights():
    model = mc.zoo.caffenet(classes=7)
    outputs = {t.layer.name: t.shape[1:] for t in model.graph.tensors}
    found = {n: (model.get_layer(n).kernel.shape, outputs[n]) for n in CAFFENET}
    assert found == CAFFENET
    assert (outputs["pool1"], outputs["norm2"]) == ((27, 27, 96), (13, 13, 256))
    assert outputs["pool5"] == (6, 6, 256)
    biases = {p.name: p for p in model.parameters if p.name.endswith("/bias")}
    ones = {name for name, p in biases.items() if (p.value == 1).all()}
    assert ones == {f"{n}/bias" for n in ("conv2", "conv4", "conv5", "fc6", "fc7")}
    assert {p.multiplier for p in biases.values()} == {2.0}
    assert model.get_layer("fc6").kernel.value.std() == pytest.approx(0.005, rel=0.01)


def test_caffenet_computes_and_learns():
    model = mc.zoo.caffenet(classes=3)
    model.compile(mc.optimizers.SGD(0.01), loss="sparse_categorical_crossentropy")
    x = np.random.default_rng(0).uniform(-100, 100, (2, 227, 227, 3)).astype(np.float32)
    first, second = (model.train_on_batch(x, np.array([0, 2])) for _ in range(2))
    assert np.isfinite([first, second]).all() and second != first
    assert model.predict_on_batch(x).shape == (2, 3)


@pytest.mark.parametrize("name", ["cifar", "catdog", "scene", "xray", "photo"])
def test_two_classes_by_one_sigmoid(name):
    model = getattr(mc.zoo, name)((48, 48, 3), classes=1)
    two = getattr(mc.zoo, name)((48, 48, 3), classes=2)
    last = model.layers[-1]
    assert last.activation.__name__ == "sigmoid" and model.output_shape == (None, 1)
    assert two.count_params() - model.count_params() == last.kernel.value.size + 1
    model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
    x = np.random.default_rng(0).uniform(size=(4, 48, 48, 3)).astype(np.float32)
    losses = [model.train_on_batch(x, np.array([0, 1, 1, 0]))[0] for _ in range(3)]
    assert np.isfinite(losses).all()


def test_catdog_hides_numbers_only_if_asked():
    kinds = [type(layer).__name__ for layer in mc.zoo.catdog(dropout=0.3).layers]
    assert kinds.count("Dropout") == 3
    assert "Dropout" not in [type(layer).__name__ for layer in mc.zoo.catdog().layers]
