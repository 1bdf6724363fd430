# ruff: noqa: E501  the table of hostile files, one a line
"""Weights of PyTorch: read by a machine that builds nothing else, mapped onto layers, written."""

import io
import pickle
import random
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

import minicnn as mc
from minicnn.errors import (
    ArgumentError,
    CheckpointError,
    FormatError,
    MiniCNNError,
    SizeLimitError,
    TruncatedError,
    UnsafeFileError,
    UnsupportedError,
)
from minicnn.interop import torch
from minicnn.interop.torch.writing import archive_of, state_dict

GOLDEN = Path(__file__).parent / "golden" / "interop" / "torch"
L = mc.layers


def network():
    """The network of tools/make_torch_files.py."""
    return mc.Sequential(
        [
            L.Input((6, 5, 3)),
            L.Conv2D(4, 3, padding=1, use_bias=False, name="c1"),
            L.BatchNormalization(epsilon=1e-5, name="bn"),
            L.ReLU(),
            L.Conv2D(8, (3, 2), groups=2, name="c2"),
            L.PReLU(shared_axes=[1, 2], name="slopes"),
            L.Conv2DTranspose(5, 3, strides=2, name="up"),
            L.GroupNormalization(5, epsilon=1e-5, name="gn"),
            L.Flatten(),
            L.Dropout(0.5),
            L.Dense(6, name="d1"),
            L.LayerNormalization(epsilon=1e-5, name="ln"),
            L.Dense(3, name="d2"),
        ]
    )


def close(model, atol):
    """Whether the network gives PyTorch's outputs."""
    with np.load(GOLDEN / "outputs.npz") as saved:
        y = model.predict(saved["x"].transpose(0, 2, 3, 1), verbose=0)
        np.testing.assert_allclose(y, saved["y"], rtol=0, atol=atol)


@pytest.mark.parametrize(
    "name", ["state.pth", "legacy.pth", "checkpoint.pt", "checkpoint_legacy.pt"]
)
def test_weights_of_pytorch_give_its_outputs(name):
    model = network()
    model.load_weights(GOLDEN / name)
    close(model, 3e-6 if "state" in name or name == "legacy.pth" else 3e-2)


def test_tensors_of_every_kind():
    found = torch.read(GOLDEN / "kinds.pt")
    expected = {
        "bfloat16": np.arange(6, dtype=np.float32).reshape(2, 3),
        "half": np.arange(3, dtype=np.float16),
        "double": np.arange(3, dtype=np.float64),
        "bool": np.array([True, False]),
        "byte": np.arange(3, dtype=np.uint8),
        "int": np.arange(3, dtype=np.int32),
        "transposed": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "part": np.array([3, 5, 7], np.float32),
        "shared": np.arange(4, dtype=np.float32),
        "empty": np.zeros((0, 3), np.float32),
        "scalar": np.array(2.5, np.float32),
        "parameter": np.ones(2, np.float32),
        "again": np.array([1, 2, 3], np.float32),
    }
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype, name
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_a_whole_network_is_refused_by_the_name_that_it_asks_for():
    with pytest.raises(
        UnsafeFileError, match=r"asks for torch\.nn\.modules\.container\.Sequential"
    ):
        torch.read(GOLDEN / "whole_model.pt")
    with pytest.raises(UnsupportedError, match="holds weights alone"):
        mc.load_model(GOLDEN / "state.pth")


# --- names --------------------------------------------------------------------------------------


def test_a_table_says_which_weights_go_where():
    model = network()
    table = {"c1": "0", "bn": "1", "c2": "3", "slopes": "4", "up": "5", "gn": "6", "ln": "10",
             "d1": "9", "d2/kernel": "11.weight", "d2/bias": "11.bias"}  # fmt: skip
    torch.load_weights(model, GOLDEN / "state.pth", names=table)
    close(model, 3e-6)
    before = network()
    kept = before.get_layer("d2").get_weights()
    torch.load_weights(before, GOLDEN / "state.pth", names={"c1": "0"})
    for one, other in zip(before.get_layer("d2").get_weights(), kept, strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ArgumentError, match="names has 'conv', which is no layer"):
        torch.load_weights(model, GOLDEN / "state.pth", names={"conv": "0"})
    with pytest.raises(ArgumentError, match=r"names asks for 'conv.weight' for c1/kernel"):
        torch.load_weights(model, GOLDEN / "state.pth", names={"c1": "conv"})
    with pytest.raises(CheckpointError, match=r"3.weight is \(8, 2, 3, 2\), and c1/kernel needs"):
        torch.load_weights(model, GOLDEN / "state.pth", names={"c1/kernel": "3.weight"})


def test_weights_of_another_network_change_nothing():
    model = mc.Sequential([L.Input((6, 5, 3)), L.Conv2D(4, 3, use_bias=False, name="c1")])
    before = model.get_weights()[0].copy()
    with pytest.raises(CheckpointError, match=r"tensors fit no layer of 1: 1.weight \(4,\), "):
        model.load_weights(GOLDEN / "state.pth")
    model.add(L.Dense(7, name="head"))
    with pytest.raises(
        CheckpointError, match=r"no weights for the layer 'head', which needs weight \(7, 4\)"
    ):
        model.load_weights(GOLDEN / "state.pth")
    np.testing.assert_array_equal(model.get_weights()[0], before)


def test_another_order_of_layers_is_a_warning(tmp_path):
    rng = np.random.default_rng(0)
    tensors = {"b.weight": rng.normal(size=(2, 4)), "a.weight": rng.normal(size=(4, 3))}
    path = tmp_path / "w.pth"
    path.write_bytes(archive_of({name: x.astype(np.float32) for name, x in tensors.items()}))
    model = mc.Sequential([L.Input((3,)), L.Dense(4, use_bias=False), L.Dense(2, use_bias=False)])
    with pytest.warns(UserWarning, match="the order of its layers is another"):
        model.load_weights(path)
    np.testing.assert_allclose(model.get_weights()[0], tensors["a.weight"].T, rtol=1e-6)


def test_layers_inside_a_layer_and_branches_are_found():
    x = L.Input((6, 6, 2))
    inner = mc.Sequential(
        [L.Input((6, 6, 2)), L.Conv2D(2, 3, padding="same", name="c")], name="block"
    )
    y = L.Concatenate()([inner(x), L.Conv2D(3, 1, name="side")(x)])
    model = mc.Model(x, L.Dense(2, name="d")(L.Flatten()(y)))
    expected = model.get_weights()
    assert list(state_dict(model)) == [
        "block.c.weight",
        "block.c.bias",
        "side.weight",
        "side.bias",
        "d.weight",
        "d.bias",
    ]
    assert len(expected) == 6


# --- writing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".pth", ".pt", ".safetensors"])
def test_what_is_written_is_read_again(ending, tmp_path):
    model, again = network(), network()
    model.load_weights(GOLDEN / "state.pth")
    model.save_weights(tmp_path / f"w{ending}")
    again.load_weights(tmp_path / f"w{ending}")
    close(again, 3e-6)
    there = torch.read(tmp_path / f"w{ending}")
    theirs = torch.read(GOLDEN / "state.pth")
    assert sorted(x.shape for x in there.values()) == sorted(x.shape for x in theirs.values())
    np.testing.assert_array_equal(there["d1.weight"], theirs["9.weight"])
    np.testing.assert_array_equal(there["c2.weight"], theirs["3.weight"])
    np.testing.assert_array_equal(there["up.weight"], theirs["5.weight"])
    first = (tmp_path / f"w{ending}").read_bytes()
    model.save_weights(tmp_path / f"w{ending}")
    assert (tmp_path / f"w{ending}").read_bytes() == first


def test_a_layer_without_a_likeness_in_pytorch_is_refused(tmp_path):
    model = mc.Sequential([L.Input((6, 6, 3)), L.SeparableConv2D(2, 3, name="sep")])
    with pytest.raises(UnsupportedError, match=r"the layer 'sep' \(SeparableConv2D\) has weights"):
        model.save_weights(tmp_path / "w.pth")
    with pytest.raises(UnsupportedError, match="weights"):
        model.save(tmp_path / "w.pth")
    assert list(tmp_path.iterdir()) == []


# --- hostile files ------------------------------------------------------------------------------


class Call:
    """An object whose pickle calls a function with arguments."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def archive(data, members=(), folder="a", **options):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", **options) as made:
        made.writestr(f"{folder}/data.pkl", data)
        for name, content_of in members:
            made.writestr(f"{folder}/{name}", content_of)
    return content.getvalue()


def rebuilt(shape, strides, offset=0, size=4, kind="FloatStorage", key="0"):
    """A pickle of {"w": tensor}, for the archive, with these numbers."""

    def number(n):
        return b"\x8a\x09" + n.to_bytes(9, "little", signed=True)

    def numbers(values):
        return b"(" + b"".join(map(number, values)) + b"t"

    def text(t):
        return b"X" + struct.pack("<I", len(t)) + t.encode()

    storage = (
        b"("
        + text("storage")
        + f"ctorch\n{kind}\n".encode()
        + text(key)
        + text("cpu")
        + number(size)
        + b"tQ"
    )
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + storage
        + number(offset)
        + numbers(shape)
        + numbers(strides)
    )
    return b"\x80\x02}(" + text("w") + tensor + b"\x89}tRu."


FOUR = [("data/0", np.arange(4, dtype="<f4").tobytes())]
PLAIN = rebuilt((4,), (1,))
HOSTILE = {
    "a call of the system": (archive(pickle.dumps(Call(print, "x"), 2)), UnsafeFileError, "print"),
    "an import": (archive(b"\x80\x02c__builtin__\n__import__\nX\x02\x00\x00\x00os\x85R."),
                  UnsafeFileError, "__import__"),
    "a call behind a tensor": (archive(PLAIN[:-1] + b"cposix\nsystem\n(X\x02\x00\x00\x00lstR.", FOUR),
                               UnsafeFileError, "posix.system"),
    "a class of one's own": (archive(b"\x80\x02c__main__\nNet\n)R."), UnsafeFileError, "__main__.Net"),
    "torch's loader of storages": (archive(b"\x80\x02ctorch.storage\n_load_from_bytes\n(C\x01xtR."),
                                   UnsafeFileError, "torch.storage._load_from_bytes"),
    "NumPy's eval": (archive(b"\x80\x02cnumpy.testing\nrundocs\n)R."), UnsafeFileError, "numpy.testing"),
    "a name by an extension": (archive(b"\x80\x02\x82\x01."), (UnsafeFileError, FormatError), ""),
    "a state for a tensor": (archive(PLAIN[:-2] + b"}bu.", FOUR), UnsafeFileError, "sets the state"),
    "a call of a dictionary's key": (archive(b"\x80\x02X\x01\x00\x00\x00a)R."), UnsafeFileError, "calls a function"),
    "a storage that is missing": (archive(PLAIN), TruncatedError, "storage '0' has 0 bytes"),
    "a storage that is cut": (archive(PLAIN, [("data/0", b"123")]), TruncatedError, "has 3 bytes and needs 16"),
    "a shape beyond the storage": (archive(rebuilt((5,), (1,)), FOUR), FormatError, "larger than its storage"),
    "strides beyond the storage": (archive(rebuilt((2, 2), (5, 1)), FOUR), FormatError, "reaches number 6"),
    "an offset beyond the storage": (archive(rebuilt((1,), (1,), offset=4), FOUR), FormatError, "reaches number 4"),
    "negative strides": (archive(rebuilt((2,), (-1,), offset=1), FOUR), FormatError, "not tuples of integers"),
    "a negative shape": (archive(rebuilt((-2,), (1,)), FOUR), FormatError, "not tuples of integers"),
    "one number, a billion times": (archive(rebuilt((10**9,), (0,)), FOUR), FormatError, "larger than its storage"),
    "a product beyond 64 bits": (archive(rebuilt((2**31 - 1,) * 3, (0,) * 3, size=2**30), FOUR), FormatError, "larger"),
    "a storage of a huge length": (archive(rebuilt((1,), (1,), size=2**62), FOUR), FormatError, "storage of numbers"),
    "a storage of 100 GB": (archive(rebuilt((1,), (1,), size=25 * 10**9), FOUR), TruncatedError, "needs 100,000,000,000"),
    "33 axes": (archive(rebuilt((1,) * 33, (1,) * 33), FOUR), FormatError, "axes|larger"),
    "a storage of objects": (archive(rebuilt((4,), (1,), kind="QInt8Storage"), FOUR), UnsafeFileError, "QInt8Storage"),
    "a compressed member": (archive(PLAIN, FOUR, compression=zipfile.ZIP_DEFLATED), UnsupportedError, "compressed"),
    "two pickles": (archive(PLAIN, [*FOUR, ("b/data.pkl", PLAIN)]), FormatError, "2 members data.pkl"),
    "no tensors": (archive(pickle.dumps({"epoch": 3}, 2)), FormatError, "no state dict; it holds a dictionary of 'epoch'"),
    "one tensor": (archive(b"\x80\x02" + PLAIN[PLAIN.index(b"ctorch._utils") : -2] + b".", FOUR), FormatError, "it holds one tensor"),
    "a list": (archive(pickle.dumps([1], 2)), FormatError, "holds a list"),
    "an empty pickle": (archive(b""), FormatError, ""),
    "a cut pickle": (archive(PLAIN[:-10], FOUR), FormatError, ""),
    "a memo without end": (archive(b"\x80\x02" + b"]" + b"r\xff\xff\xff\xff" + b"."), FormatError, "memo"),
    "a bomb of lists": (archive(b"\x80\x02]q\x00" + b"(" + b"h\x00" * 5_000_000 + b"e."), SizeLimitError, "more than"),
    "legacy, another magic": (pickle.dumps(7, 2) * 5, FormatError, ""),
    "legacy, cut": ((GOLDEN / "legacy.pth").read_bytes()[:-5], TruncatedError, "needs"),
    "legacy, a huge string": ((GOLDEN / "legacy.pth").read_bytes()[:60] + b"\x8e" + b"\xff" * 7 + b"\x7f", FormatError, ""),
    "safetensors, a huge header": (struct.pack("<Q", 90 << 20) + b"{}", SizeLimitError, "declares a header"),
    "safetensors, offsets beyond the end": (struct.pack("<Q", 60) + b'{"w":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}'.ljust(60),
                                            FormatError, "not a safetensors"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_and_nothing_of_it_runs(name, tmp_path, capsys):
    data, error, text = HOSTILE[name]
    path = tmp_path / "w.pth"
    path.write_bytes(data)
    with pytest.raises(error, match=text or None) as caught:
        torch.read(path)
    assert "w.pth" in str(caught.value)
    assert capsys.readouterr().out == ""


def test_members_of_one_name_and_of_more_bytes_than_the_file_are_refused(tmp_path):
    path = tmp_path / "w.pth"
    with pytest.warns(UserWarning, match="Duplicate name"):
        path.write_bytes(archive(PLAIN, FOUR * 2))
    with pytest.raises(FormatError, match="the same name"):
        torch.read(path)


def test_mutated_files_are_read_or_refused(tmp_path):
    """Each of 900 damaged files is read, or refused by an error of ours."""
    rng, path, refused = random.Random(3), tmp_path / "w.pth", 0
    seeds = [(GOLDEN / name).read_bytes() for name in ("kinds.pt", "legacy.pth")]
    seeds.append(archive(PLAIN, FOUR))
    for number in range(900):
        data = bytearray(seeds[number % 3])
        for _ in range(rng.randint(1, 3)):
            place = rng.randrange(min(len(data), 1500))
            kind = rng.randrange(3)
            if kind == 0:
                data[place] = rng.randrange(256)
            elif kind == 1:
                del data[place : place + rng.randint(1, 9)]
            else:
                data[place:place] = data[place : place + rng.randint(1, 40)]
        path.write_bytes(bytes(data))
        try:
            torch.read(path)
        except MiniCNNError:
            refused += 1
    assert refused > 100


def test_ordered_dictionaries_of_python_are_read_too(tmp_path):
    pickled = pickle.dumps(OrderedDict(a=1), 2)
    (tmp_path / "w.pth").write_bytes(archive(pickled))
    with pytest.raises(FormatError, match="no state dict; it holds a dictionary of 'a'"):
        torch.read(tmp_path / "w.pth")
