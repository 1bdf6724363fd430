"""Networks of Caffe: read, against an interpreter in float64, and written."""

import warnings

import numpy as np
import pytest

import minicnn as mc

pytest.importorskip("google.protobuf", reason="pip install -e '.[caffe]'")

from caffe_interpreter import Interpreter
from caffe_nets import NETS

from minicnn.errors import ArgumentError, FormatError, SizeLimitError, UnsupportedError
from minicnn.interop import caffe
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
