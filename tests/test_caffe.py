"""Networks of Caffe: read, against an interpreter in float64, and written."""

import warnings

import numpy as np
import pytest

import minicnn as mc

pytest.importorskip("google.protobuf", reason="pip install -e '.[caffe]'")

from caffe_interpreter import Interpreter
from caffe_nets import NETS

from minicnn.errors import UnsupportedError
from minicnn.interop.caffe.schema import message


def blob(array, *, old=False):
    """A blob; `old` with the four numbers of Caffe's first versions."""
    made = message("BlobProto")()
    if old:
        lengths = (1,) * (4 - array.ndim) + array.shape
        made.num, made.channels, made.height, made.width = lengths
    else:
        made.shape.dim.extend(array.shape)
    made.data.append(array.astype("<f4").tobytes())
    return made


def weights_file(path, interpreter):
    """Write the interpreter's weights as Caffe does, in the version of its text."""
    net = message("NetParameter")(name="weights")
    version = 2 if "layer" in interpreter.net else 1
    for layer in interpreter.layers:
        blobs = [blob(one, old=version < 2) for one in interpreter.blobs.get(layer.name, [])]
        if version == 2:
            net.layer.add(name=layer.name, type="any", blobs=blobs)
        elif "layer" in layer.block:
            added = net.layers.add()
            added.layer.name, added.layer.type = layer.name, "relu"
            added.layer.blobs.extend(blobs)
        else:
            net.layers.add(name=layer.name, type=18, blobs=blobs)
    path.write_bytes(net.SerializeToString())


def as_ours(value):
    return value.transpose(0, 2, 3, 1) if value.ndim == 4 else value


@pytest.fixture(params=NETS)
def case(request, tmp_path):
    """The files of a net, inputs in NCHW, and what the interpreter makes of them."""
    interpreter = Interpreter(NETS[request.param])
    rng = np.random.default_rng(5)
    inputs = {
        name: rng.normal(0, 1, (2, *shape)).astype(np.float32)
        for name, shape in interpreter.input_shapes().items()
    }
    expected = interpreter.run({name: x.astype(np.float64) for name, x in inputs.items()})
    (tmp_path / "net.prototxt").write_text(NETS[request.param])
    weights_file(tmp_path / "net.caffemodel", interpreter)
    return request.param, tmp_path, list(inputs.values()), expected


def outputs(model, inputs):
    ours = [as_ours(x) for x in inputs]
    found = model.predict(ours if len(ours) > 1 else ours[0], verbose=0)
    return found if isinstance(found, list) else [found]


def assert_close(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        other = as_ours(other)
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-6 * max(1, np.abs(other).max()))


def test_there_are_fifty_nets_or_more():
    assert len(NETS) >= 50


def test_values_of_a_net(case):
    name, folder, inputs, expected = case
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = mc.load_model(folder / "net.prototxt")
    assert len(caught) == ("unknown fields" in name)
    assert_close(outputs(model, inputs), expected)
    model.save(folder / "own.mcnn")
    assert_close(outputs(mc.load_model(folder / "own.mcnn"), inputs), expected)


# --- writing ------------------------------------------------------------------------------------

L = mc.layers


class OfFile(Interpreter):
    """The interpreter with the weights of a file."""

    def __init__(self, text, path):
        super().__init__(text)
        net = message("NetParameter").FromString(path.read_bytes())
        self.queues = {
            one.name: [np.frombuffer(b"".join(b.data), "<f4") for b in one.blobs]
            for one in net.layer
        }

    def weights(self, layer, *shape, positive=False):
        return self.queues[layer.name].pop(0).astype(np.float64).reshape(shape)


def branches():
    x = L.Input((8, 9, 3))
    a = L.Conv2D(4, 3, padding="same", activation="relu")(x)
    b = L.Conv2D(4, (3, 1), padding=((1, 1), (0, 0)), use_bias=False)(x)
    joined = [L.Add()([a, b]), L.Multiply()([a, b]), L.Maximum()([a, b]), L.Average()([a, b, a])]
    y = L.Concatenate()([*joined, L.Subtract()([a, b])])
    return mc.Model(x, [L.GlobalAveragePooling2D()(y), L.GlobalMaxPooling2D(keepdims=True)(y)])


def sequential(*layers, shape=(9, 11, 3)):
    return lambda: mc.Sequential([L.Input(shape), *(layer() for layer in layers)])


WRITTEN = {
    "LeNet": sequential(
        lambda: L.Rescaling(1 / 255),
        lambda: L.Conv2D(4, 3),
        lambda: L.MaxPooling2D(2),
        lambda: L.Flatten(),
        lambda: L.Dense(5, activation="relu"),
        lambda: L.Dropout(0.5),
        lambda: L.Dense(3, activation="softmax"),
    ),
    "branches": branches,
    "normalized": sequential(
        lambda: L.Conv2D(4, 3, groups=1, dilation_rate=2),
        lambda: L.BatchNormalization(),
        lambda: L.BatchNormalization(center=False),
        lambda: L.BatchNormalization(scale=False, center=False),
        lambda: L.PReLU(shared_axes=[1, 2]),
        lambda: L.LocalResponseNormalization(3, alpha=0.5),
    ),
    "windows": sequential(
        lambda: L.MaxPooling2D(3, 2, padding=1),
        lambda: L.AveragePooling2D(2, ceil_mode=True),
        lambda: L.DepthwiseConv2D(2, depth_multiplier=2),
        lambda: L.Conv2DTranspose(4, 3, strides=2),
        lambda: L.Conv2DTranspose(2, 4, 2, padding="same"),
        lambda: L.UpSampling2D((2, 1)),
        lambda: L.MaxPooling2D((2, 3)),
    ),
    "activations": sequential(
        *(
            lambda name=name: L.Activation(name)
            for name in ("tanh", "softplus", "sigmoid", "elu", "silu", "leaky_relu", "exponential")
        ),
        lambda: L.ReLU(negative_slope=0.1),
        lambda: L.LeakyReLU(0.2),
        lambda: L.ELU(0.5),
        lambda: L.Rescaling([1.0, 2.0, 3.0], offset=[0.1, 0.2, 0.3]),
        lambda: L.Softmax(),
        lambda: L.Identity(),
    ),
    "vectors": sequential(
        lambda: L.Dense(4), lambda: L.BatchNormalization(), lambda: L.PReLU(), shape=(6,)
    ),
}


@pytest.fixture(params=WRITTEN)
def written(request, tmp_path):
    model = WRITTEN[request.param]()
    rng = np.random.default_rng(3)
    model.set_weights([rng.uniform(0.1, 1, w.shape) for w in model.get_weights()])
    x = rng.normal(0, 1, (2, *model.input_shape[1:])).astype(np.float32)
    model.save(tmp_path / "net.caffemodel")
    return model, tmp_path, x


def test_what_is_written_means_the_same_in_caffe(written):
    model, folder, x = written
    net = OfFile((folder / "net.prototxt").read_text(), folder / "net.caffemodel")
    nchw = x.transpose(0, 3, 1, 2) if x.ndim == 4 else x
    (name,) = net.input_shapes()
    found = net.run({name: nchw.astype(np.float64)})
    expected = outputs(model, [nchw])
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(as_ours(one), other, rtol=1e-5, atol=1e-5)


def test_what_is_written_is_read_again(written):
    model, folder, x = written
    expected = outputs(model, [x.transpose(0, 3, 1, 2) if x.ndim == 4 else x])
    for name in ("net.caffemodel", "net.prototxt"):
        again = mc.load_model(folder / name)
        found = outputs(again, [x.transpose(0, 3, 1, 2) if x.ndim == 4 else x])
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    before = (folder / "net.caffemodel").read_bytes(), (folder / "net.prototxt").read_bytes()
    model.save(folder / "net.caffemodel")
    assert before == (
        (folder / "net.caffemodel").read_bytes(),
        (folder / "net.prototxt").read_bytes(),
    )


REFUSED = {
    "LayerNormalization": (lambda: L.LayerNormalization(), "nothing for the layer 'x'"),
    "same padding to one side": (
        lambda: L.Conv2D(2, 2, padding="same", name="x"),
        "both sides alike",
    ),
    "a mean beside the padding": (
        lambda: L.AveragePooling2D(3, 1, padding="same"),
        "counts its padding",
    ),
    "axis": (lambda: L.Softmax(axis=1), "has axis 1"),
    "an activation": (lambda: L.Conv2D(2, 1, activation="gelu"), "has the activation 'gelu'"),
    "bilinear": (lambda: L.UpSampling2D(2, interpolation="bilinear"), "interpolates by 'bilinear'"),
    "ReLU6": (lambda: L.ReLU(6.0), "a largest value"),
    "channels first": (lambda: L.Conv2D(2, 1, data_format="channels_first"), "channels first"),
    "a flattened image as output": (lambda: L.Flatten(), "in another order"),
    "a flattened image, normalized": (lambda: L.Flatten(), "in another order"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_caffe_cannot_say_is_refused_by_name(name, tmp_path):
    make, text = REFUSED[name]
    layer = make()
    layer.name = "x"
    more = [L.BatchNormalization(name="y")] if "normalized" in name else []
    model = mc.Sequential([L.Input((8, 8, 3)), layer, *more])
    with pytest.raises(UnsupportedError, match=text):
        model.save(tmp_path / "net.caffemodel")
    assert list(tmp_path.iterdir()) == []
