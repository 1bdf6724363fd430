"""Networks drawn as stacks of feature maps: what the drawings say, and that nothing overlaps."""

from __future__ import annotations

import inspect
from xml.etree import ElementTree

import numpy as np
import pytest
import random_networks
from drawing_checks import mistakes
from PIL import Image

import minicnn as mc
from minicnn import layers as la
from minicnn.errors import ArgumentError, DTypeError, UnknownArgumentError
from minicnn.utils.architecture.arrays import LARGEST, sheets, solid_of
from minicnn.utils.architecture.blocks import blocks_of
from minicnn.utils.architecture.colors import DARK, LIGHT
from minicnn.utils.architecture.elements import Group, Lanes, Step
from minicnn.utils.architecture.folding import Folding
from minicnn.utils.architecture.layer_words import words_of
from minicnn.utils.architecture.marks import Box, Line, Polygon, Text
from minicnn.utils.architecture.nodes import nodes_of
from minicnn.utils.architecture.series_parallel import Branches, tree_of

WORDS = {
    "conv 3×3, 8": la.Conv2D(8, 3),
    "conv 3×5, 8, /2": la.Conv2D(8, (3, 5), strides=2),
    "conv 3×3, 8, /2×1": la.Conv2D(8, 3, strides=(2, 1)),
    "conv 3×3, 8, dilation 2×2": la.Conv2D(8, 3, dilation_rate=2),
    "conv 3×3, 8, 2 groups": la.Conv2D(8, 3, groups=2),
    "conv 5, 8, /2": la.Conv1D(8, 5, strides=2),
    "depthwise 3×3": la.DepthwiseConv2D(3),
    "separable conv 3×3, 8": la.SeparableConv2D(8, 3),
    "transposed conv 2×2, 8, ×2": la.Conv2DTranspose(8, 2, strides=2),
    "max pool 2×2": la.MaxPooling2D(2),
    "max pool 3×3, /2": la.MaxPooling2D(3, 2),
    "average pool 4": la.AveragePooling1D(4),
    "global average pool": la.GlobalAveragePooling2D(),
    "dense 500": la.Dense(500),
    "dropout 0.2": la.Dropout(0.2),
    "spatial dropout 0.5": la.SpatialDropout2D(0.5),
    "upsample 2×2": la.UpSampling2D(2),
    "batch norm": la.BatchNormalization(),
    "ReLU6": la.ReLU(6.0),
    "leaky ReLU": la.LeakyReLU(0.1),
    "SiLU": la.Activation("swish"),
    "× 1/255": la.Rescaling(1 / 255),
    "rescale": la.Rescaling(1 / 127.5, offset=-1),
    "random flip": la.RandomFlip(),
    "each step: dense 3": la.TimeDistributed(la.Dense(3)),
    "function": la.Lambda(lambda x: x),
    "": la.Identity(),
}


@pytest.mark.parametrize(("text", "layer"), WORDS.items(), ids=WORDS)
def test_what_layers_are_called(text, layer):
    assert words_of(layer).text == text


def test_a_class_of_ones_own_keeps_its_name():
    class SquareRoot(la.Layer):
        pass

    assert words_of(SquareRoot()).text == "SquareRoot"
    assert words_of(la.Dense(2, activation="leaky_relu")).activation == "leaky ReLU"


# --- networks ------------------------------------------------------------------------------------


def zoo_network(name):
    build = getattr(mc.zoo, name)
    return build(weights=None) if "weights" in inspect.signature(build).parameters else build()


def u_net():
    x = inputs = mc.Input((None, None, 1))
    skips = []
    for filters in (16, 32, 64):
        for _ in range(2):
            x = la.Conv2D(filters, 3, padding="same", activation="relu")(x)
        skips.append(x)
        x = la.MaxPooling2D(2)(x)
    x = la.Conv2D(128, 3, padding="same", activation="relu")(x)
    for filters in (64, 32, 16):
        x = la.Conv2DTranspose(filters, 2, strides=2)(x)
        x = la.Concatenate()([x, skips.pop()])
        x = la.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return mc.Model(inputs, la.Conv2D(2, 1, activation="softmax")(x), name="u_net")


def two_inputs():
    image, hint = mc.Input((28, 28, 1), name="image"), mc.Input((1,), name="hint")
    x = la.MaxPooling2D()(la.Conv2D(24, 5, activation="relu")(image))
    x = la.GlobalMaxPooling2D()(la.Conv2D(32, 3, activation="relu")(x))
    x = la.Concatenate()([x, la.Dense(8, activation="tanh")(hint)])
    return mc.Model([image, hint], la.Dense(10, activation="softmax")(x), name="two_inputs")


def two_outputs():
    image = mc.Input((28, 28, 1))
    x = la.Flatten()(la.Conv2D(32, 3, activation="relu")(image))
    ink = la.Dense(1, name="ink")(la.Dense(16, activation="relu")(x))
    return mc.Model(image, [la.Dense(10, activation="softmax", name="digit")(x), ink])


def siamese():
    encoder = mc.Sequential(
        [mc.Input((28, 28, 1)), la.Conv2D(16, 3, activation="relu"), la.Flatten(), la.Dense(32)],
        name="encoder",
    )
    a, b = mc.Input((28, 28, 1), name="left"), mc.Input((28, 28, 1), name="right")
    distance = mc.ops.abs(encoder(a) - encoder(b))
    return mc.Model([a, b], la.Dense(1, activation="sigmoid")(distance), name="siamese")


def inception():
    x = inputs = mc.Input((32, 32, 16))
    for _ in range(2):
        wide = la.Conv2D(8, 5, padding="same")(la.Conv2D(4, 1)(x))
        pooled = la.Conv2D(8, 1)(la.AveragePooling2D(3, 1, padding="same")(x))
        x = la.Concatenate()([la.Conv2D(8, 1)(x), wide, pooled])
    return mc.Model(inputs, x)


def squeeze_and_excite():
    x = inputs = mc.Input((16, 16, 8))
    for _ in range(2):
        y = la.Conv2D(8, 3, padding="same", activation="relu")(x)
        scale = la.GlobalAveragePooling2D(keepdims=True)(y)
        y = la.Multiply()([y, la.Conv2D(8, 1, activation="sigmoid")(scale)])
        x = la.Add()([x, la.Conv2D(8, 1)(y)])
    return mc.Model(inputs, x)


def crossed():
    """Two branches, each of which reads the other one, which no tree of branches has."""
    a, b = mc.Input((8,), name="a"), mc.Input((8,), name="b")
    p, q = la.Dense(4)(a), la.Dense(5)(b)
    c, d = la.Concatenate()([la.Dense(3)(p), q]), la.Concatenate()([p, la.Dense(6)(q)])
    return mc.Model([a, b], [la.Dense(1, name="x")(c), la.Dense(1, name="y")(d)])


def transfer():
    base = zoo_network("mobilenet_v2")
    base.trainable = False
    augmentation = mc.Sequential([la.RandomFlip(), la.RandomRotation(0.1)], name="augmentation")
    inputs = mc.Input((224, 224, 3))
    x = base(la.Rescaling(1 / 127.5, offset=-1)(augmentation(inputs)))
    return mc.Model(inputs, la.Dense(3)(la.Dropout(0.2)(x)))


def sequence():
    return mc.Sequential(
        [
            mc.Input((128, 9)), la.Conv1D(32, 5, activation="relu"), la.MaxPooling1D(2),
            la.GlobalAveragePooling1D(), la.Dense(6, activation="softmax"),
        ]
    )  # fmt: skip


class DigitNet(mc.Model):
    """A network that is described by its `call`."""

    def __init__(self):
        super().__init__(name="digit_net")
        self.first = la.Conv2D(8, 3, activation="relu")
        self.last = la.Dense(10)

    def call(self, x):
        return self.last(mc.ops.mean(self.first(x), axis=(1, 2)))


def subclassed():
    model = DigitNet()
    model.build((None, 28, 28, 1))
    return model


def only_an_input():
    x = mc.Input((4, 4, 1))
    return mc.Model(x, x)


def long_names():
    model = mc.Sequential([mc.Input((8,)), la.Dense(3)], name="n" * 200)
    model.class_names = ["short", "c" * 100, "other"]
    return model


NETWORKS = {
    "U-Net": u_net, "two inputs": two_inputs, "two outputs": two_outputs, "siamese": siamese,
    "inception": inception, "squeeze and excite": squeeze_and_excite, "crossed": crossed,
    "transfer": transfer, "sequence": sequence, "subclassed": subclassed,
    "only an input": only_an_input, "long names": long_names,
    "dense blocks": lambda: mc.applications.DenseNet121(weights=None),
} | {name: lambda name=name: zoo_network(name) for name in mc.zoo.__all__}  # fmt: skip


def texts(model, **options):
    drawing = mc.utils.draw_architecture(model, **options)
    return [mark.text for mark in drawing.marks if isinstance(mark, Text)]


@pytest.mark.parametrize("build", NETWORKS.values(), ids=NETWORKS)
def test_nothing_overlaps_and_nothing_is_cut_off(build):
    assert mistakes(mc.utils.draw_architecture(build())) == []


@pytest.mark.parametrize("build", [inception, crossed, siamese, u_net])
def test_nor_where_everything_is_drawn(build):
    assert mistakes(mc.utils.draw_architecture(build(), nested=True, fold=False)) == []


@pytest.mark.parametrize("seed", range(12))
def test_nor_in_random_networks(seed):
    model = random_networks.network(mc, seed, functions=seed % 2 == 1)
    assert mistakes(mc.utils.draw_architecture(model)) == []


def test_the_check_sees_overlaps():
    drawing = mc.utils.draw_architecture(sequence())
    text = next(mark for mark in drawing.marks if isinstance(mark, Text))
    sheet = next(mark for mark in drawing.marks if isinstance(mark, Polygon))
    x, y = sheet.points[0]
    wrong = [
        text._replace(x=text.x + 3),
        text._replace(x=x, y=y),
        Line(((text.x, text.y - 20), (text.x, text.y + 20))),
        Box(text.x, text.y - 20, 100, 100, "frame", "frame-edge"),
        text._replace(x=drawing.width),
    ]
    for mark in wrong:
        spoiled = mc.utils.draw_architecture(sequence())
        spoiled.marks = (*drawing.marks, mark)
        assert mistakes(spoiled), mark


def test_lenet_from_left_to_right():
    drawing = mc.utils.draw_architecture(mc.zoo.lenet())
    marks = [mark for mark in drawing.marks if isinstance(mark, Text)]
    operations = [
        "conv 5×5, 20", "max pool 2×2", "conv 5×5, 50", "max pool 2×2", "flatten", "dense 500",
        "dense 10",
    ]  # fmt: skip
    shapes = [
        "28 × 28 × 1", "24 × 24 × 20", "12 × 12 × 20", "8 × 8 × 50", "4 × 4 × 50", "800", "500",
        "10",
    ]  # fmt: skip
    placed = sorted(marks, key=lambda mark: mark.x)
    assert [mark.text for mark in placed if mark.text in operations] == operations
    assert [mark.text for mark in placed if mark.text in shapes] == shapes
    below = {"520 params", "25,050 params", "400,500 params", "5,010 params", "softmax", "ReLU"}
    assert below < {mark.text for mark in marks}
    assert "lenet: 431,080 parameters" in {mark.text for mark in marks}


def test_sizes_speak():
    large, small = solid_of((224, 224, 3), "Conv", 224), solid_of((56, 56, 512), "Conv", 224)
    assert large.front[2] == LARGEST and small.front[2] == pytest.approx(LARGEST / 2)
    assert sum(isinstance(mark, Polygon) for mark in small.marks) == sheets(512)
    wide = solid_of((100, 400, 3), "Conv", 400).front
    assert wide[3] - wide[1] == pytest.approx((wide[2] - wide[0]) / 2)
    bars = [solid_of((units,), "Dense", 28) for units in (10, 1000)]
    assert bars[1].bottom - bars[1].top == pytest.approx(2 * (bars[0].bottom - bars[0].top))
    cells = solid_of((6,), "Dense", 28).marks
    assert sum(isinstance(mark, Line) for mark in cells) == 5, "lines between six cells"


# --- structure -----------------------------------------------------------------------------------


def folded(model, **options):
    blocks = blocks_of(nodes_of(model))
    outputs = [i for i, block in enumerate(blocks) if block.is_output]
    tree = tree_of([block.sources for block in blocks], outputs)
    return blocks, Folding(blocks, [], **{"fold": True, **options}).elements(tree.series)


def test_a_convolution_and_what_follows_it_are_one_block():
    layers = [
        mc.Input((8, 8, 3), rescale=1 / 255), la.ZeroPadding2D(1), la.Conv2D(4, 3),
        la.BatchNormalization(), la.ReLU(), la.Dropout(0.5), la.MaxPooling2D(2), la.Flatten(),
        la.Dense(2), la.Softmax(),
    ]  # fmt: skip
    blocks = blocks_of(nodes_of(mc.Sequential(layers)))
    assert [[line.text for line in block.lines] for block in blocks] == [
        ["input", "× 1/255"],
        ["conv 3×3, 4", "batch norm", "ReLU", "dropout 0.5"],
        ["max pool 2×2"],
        ["flatten"],
        ["dense 2", "softmax"],
    ]
    assert [block.parameters for block in blocks] == [
        0,
        3 * 9 * 4 + 4 + 16,
        0,
        0,
        4 * 4 * 4 * 2 + 2,
    ]


def test_a_block_ends_where_its_result_is_read_twice_or_returned():
    x = mc.Input((4,))
    y = la.Dense(4)(x)
    z = la.ReLU()(y)
    for outputs in ([la.Add()([y, z])], [z, y]):
        blocks = blocks_of(nodes_of(mc.Model(x, outputs)))
        assert [block.main.text for block in blocks][:3] == ["input", "dense 4", "ReLU"]


def test_resnet18():
    blocks, elements = folded(zoo_network("resnet18"))
    groups = [element for element in elements if isinstance(element, Group)]
    assert [len(group.times) for group in groups] == [2, 1, 1, 1, 1, 1, 1]
    assert [blocks[group.block].shape_text for group in groups] == [
        "56 × 56 × 64", *["28 × 28 × 128"] * 2, *["14 × 14 × 256"] * 2, *["7 × 7 × 512"] * 2,
    ]  # fmt: skip
    branches = groups[1].series[0]
    assert isinstance(branches, Branches)
    assert sorted(blocks[i].main.text for one in branches.series for i in one) == [
        "conv 1×1, 128, /2", "conv 3×3, 128", "conv 3×3, 128, /2",
    ]  # fmt: skip
    rest = [blocks[e.block].main.text for e in elements if isinstance(e, Step)]
    assert rest == [
        "input", "conv 7×7, 64, /2", "max pool 3×3, /2", "global average pool", "dense 1000",
    ]  # fmt: skip
    said = texts(zoo_network("resnet18"))
    assert said.count("× 2") == 1 and "2 × 74,240 params" in said and said.count("+") == 7


def test_blocks_of_a_mobilenet_are_found_by_their_structure():
    """Those that are not added to their input are framed, too, because they are built alike."""
    blocks, elements = folded(zoo_network("mobilenet_v2"))
    groups = [element for element in elements if isinstance(element, Group)]
    assert [len(group.times) for group in groups] == [1, 1, 1, 2, 1, 3, 1, 2, 1, 2, 1]
    added = [isinstance(group.series[0], Branches) for group in groups]
    assert added == [False, True] * 5 + [False]
    assert sum(blocks[i].parameters for i in range(len(blocks))) == 3_538_984


def test_names_do_not_matter():
    def model(names):
        layers = [la.Dense(8, activation="relu", name=name) for name in names]
        return mc.Sequential([mc.Input((8,)), *layers, la.Dense(2)])

    for names in (["a", "b", "c"], ["x1", "other", "z"]):
        _, elements = folded(model(names))
        assert [len(e.times) for e in elements if isinstance(e, Group)] == [3]


def test_only_equal_blocks_are_folded():
    layers = [la.Dense(8, activation="relu"), la.Dense(8, activation="tanh"), la.Dense(8)]
    _, elements = folded(mc.Sequential([mc.Input((8,)), *layers, la.Dense(2)]))
    assert not any(isinstance(element, Group) for element in elements)
    same = mc.Sequential([mc.Input((8,)), *(la.Dense(8) for _ in range(3)), la.Dense(2)])
    assert not any(isinstance(element, Group) for element in folded(same, fold=False)[1])


def test_rates_of_dropout_may_differ_and_are_left_out_then():
    layers = [la.Dense(8), la.Dropout(0.1), la.Dense(8), la.Dropout(0.2)]
    said = texts(mc.Sequential([mc.Input((8,)), *layers, la.Dense(2)]))
    assert "dropout" in said and "× 2" in said and not any("0.1" in text for text in said)


def test_blocks_that_concatenate_may_grow():
    said = texts(mc.applications.DenseNet121(weights=None))
    assert [text for text in said if text.startswith("× ")] == ["× 6", "× 12", "× 24", "× 16"]


def test_a_decoder_is_no_group():
    _, elements = folded(u_net())
    assert any(isinstance(element, Lanes) for element in elements)


TREES = {
    "a chain": ([[], [0], [1]], [2], (0, 1, 2), []),
    "a residual": ([[], [0], [0, 1]], [2], (0, Branches(((), (1,))), 2), []),
    "two inputs": ([[], [], [0, 1]], [2], (Branches(((0,), (1,))), 2), []),
    "two outputs": ([[], [0], [0]], [1, 2], (0, Branches(((1,), (2,)))), []),
    "an output on the way": ([[], [0], [1]], [1, 2], (0, 1, Branches(((2,), ()))), []),
    "three branches": ([[], [0], [0], [0, 1, 2]], [3], (0, Branches(((), (1,), (2,))), 3), []),
    "branches in branches": (
        [[], [0], [1], [1, 2], [0, 3]], [4],
        (0, Branches(((), (1, Branches(((), (2,))), 3))), 4), [],
    ),
    "an arrow across": (
        [[], [0], [0, 1], [1, 2]], [3], (0, 1, Branches(((), (2,))), 3), [(0, 2)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sources", "outputs", "series", "jumps"), TREES.values(), ids=TREES)
def test_trees(sources, outputs, series, jumps):
    tree = tree_of(sources, outputs)
    assert tree.jumps == jumps
    assert ordered(tree.series) == ordered(series)


def ordered(series):
    """Return a series with its branches in an order of their own."""
    return tuple(
        sorted(map(repr, map(ordered, item.series))) if isinstance(item, Branches) else item
        for item in series
    )


def test_every_graph_becomes_a_tree_and_jumps():
    rng = np.random.default_rng(0)
    for _ in range(200):
        count = int(rng.integers(2, 12))
        sources = [[]]
        for i in range(1, count):
            reads = rng.choice(i, size=min(i, int(rng.integers(0, 4))), replace=False)
            sources.append(sorted(map(int, reads)))
        tree = tree_of(sources, [count - 1])
        edges = {(read, node) for node, reads in enumerate(sources) for read in reads}
        found = edges_of(tree.series, {"start"})[0]
        inner = [edge for edge in found if edge[0] != "start"]
        assert sorted([*inner, *tree.jumps]) == sorted(edges)


def edges_of(series, before):
    """Return the edges of a series that follows these nodes, in a list, and its last nodes."""
    edges = []
    for item in series:
        if isinstance(item, Branches):
            parts = [edges_of(one, before) for one in item.series]
            edges += [edge for part, _ in parts for edge in part]
            before = set().union(*(ends for _, ends in parts))
        else:
            edges += [(node, item) for node in before]
            before = {item}
    return edges, before


# --- what is said --------------------------------------------------------------------------------


def test_unknown_lengths_are_parts_of_the_inputs():
    assert {"H × W × 1", "H/2 × W/2 × 16", "H/8 × W/8 × 128"} < set(texts(u_net()))
    inputs = mc.Input((None, 3))
    model = mc.Model(inputs, la.MaxPooling1D(4)(la.Conv1D(8, 3)(inputs)))
    assert {"T × 3", "~T × 8", "~T/4 × 8"} < set(texts(model))


def test_inputs_and_outputs_have_names_if_there_are_several():
    assert {"input: image", "input: hint"} < set(texts(two_inputs()))
    assert {"input", "output: digit", "output: ink"} < set(texts(two_outputs()))


def test_names_of_classes_stand_beside_the_last_bar():
    model = mc.zoo.scene()
    model.class_names = ["buildings", "forest", "glacier", "mountain", "sea", "street"]
    assert set(model.class_names) < set(texts(model))
    model = mc.zoo.lenet5()
    model.class_names = [str(i) for i in range(10)]
    assert set(model.class_names) < set(texts(model))


def test_arrows_that_would_cross_are_numbers():
    said = texts(crossed())
    assert said.count("1") == 2 + 2 and said.count("2") == 2, "two outputs have one unit each"


def test_networks_in_networks():
    said = texts(siamese())
    assert said.count("encoder, shared, 3 layers") == 2 and said.count("conv 3×3, 16, ReLU") == 2
    opened = texts(siamese(), nested=True)
    assert opened.count("conv 3×3, 16") == 2 and opened.count("160 params") == 1
    said = texts(transfer())
    assert {"augmentation, 2 layers", "random flip", "mobilenet_v2", "frozen"} < set(said)


def test_a_network_with_a_call_lists_its_layers():
    said = texts(subclassed())
    assert {"digit_net, 2 layers", "conv 3×3, 8, ReLU", "dense 10"} < set(said)


def test_a_network_that_is_not_built():
    with pytest.raises(ArgumentError, match="does not know its input's shape yet"):
        mc.utils.draw_architecture(mc.Sequential([la.Dense(3)]))
    with pytest.raises(DTypeError, match="needs a Model or Sequential; got int"):
        mc.utils.draw_architecture(5)


# --- files ---------------------------------------------------------------------------------------


def test_an_svg_file(tmp_path):
    drawing = mc.utils.draw_architecture(mc.zoo.lenet(), title="a < b")
    drawing.save(tmp_path / "a.svg")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert root.get("viewBox") == f"0 0 {drawing.width:.1f} {drawing.height:.1f}".replace(".0", "")
    said = ["".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "conv 5×5, 20" in said and "a < b: 431,080 parameters" in said
    assert drawing.svg() == (tmp_path / "a.svg").read_text() == drawing._repr_svg_()
    assert f"f-paper{{fill:{LIGHT['paper']}}}" in drawing.svg()
    dark = drawing.svg().partition("prefers-color-scheme:dark")[2]
    assert f"f-paper{{fill:{DARK['paper']}}}" in dark


@pytest.mark.parametrize("name", ["a.png", "a.pdf"])
def test_other_files(tmp_path, name):
    drawing = mc.utils.draw_architecture(squeeze_and_excite())
    drawing.save(tmp_path / name, dpi=72)
    if name == "a.pdf":
        assert (tmp_path / name).read_bytes().startswith(b"%PDF")
        return
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == pytest.approx((drawing.width, drawing.height), abs=1)
        colors = np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)
    assert len(colors) > 50


def test_plot_model_draws_the_same(tmp_path):
    model = mc.zoo.lenet()
    picture = mc.utils.plot_model(model, tmp_path / "a.svg", style="blocks")
    assert picture.path.read_text() == mc.utils.draw_architecture(model).svg()
    picture = mc.utils.plot_model(
        siamese(), tmp_path / "b", expand_nested=True, style="blocks", dpi=40
    )
    assert picture.path.name == "b.png" and picture._repr_png_() is not None
    for options, error in (
        ({"style": "cubes"}, ArgumentError),
        ({"style": "blocks", "colour": 1}, UnknownArgumentError),
        ({"style": "blocks", "to_file": tmp_path / "a.dot"}, ArgumentError),
    ):
        with pytest.raises(error):
            mc.utils.plot_model(**{"model": model, "to_file": tmp_path / "c.png", **options})
