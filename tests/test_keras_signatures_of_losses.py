"""Losses and metrics have the arguments of Keras 3.15.1, in its order and with its defaults."""

import inspect
import json
from pathlib import Path

import numpy as np
import pytest

import minicnn as mc

SIGNATURES = json.loads((Path(__file__).parent / "keras_signatures_of_losses.json").read_text())
# The classes and functions that are about sequences, which are no images.
LEFT_OUT = {"CTC", "ctc"}
NAMES = [
    (module, name) for module, found in SIGNATURES.items() for name in found if name not in LEFT_OUT
]


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[f"{m}.{n}" for m, n in NAMES])
def test_signature(module, name):
    ours = getattr(getattr(mc, module), name)
    own = list(inspect.signature(ours).parameters.values())
    keyword_only = [p for p in own if p.kind is p.KEYWORD_ONLY]
    found = [
        [p.name, None if p.default is p.empty else p.default] for p in own if p not in keyword_only
    ]
    assert json.loads(json.dumps(found)) == SIGNATURES[module][name]


def test_every_name_is_listed():
    for module, found in SIGNATURES.items():
        public = getattr(mc, module).__all__
        assert set(found) - LEFT_OUT <= set(public)
        assert all(hasattr(getattr(mc, module), name) for name in public)


def test_what_is_refused():
    for loss in (mc.losses.Huber, mc.losses.BinaryCrossentropy):
        with pytest.raises(mc.errors.ArgumentError, match="float32"):
            loss(dtype="float16")
    with pytest.raises(mc.errors.ArgumentError, match="axis must be -1"):
        mc.losses.CategoricalCrossentropy(axis=1)
    with pytest.raises(mc.errors.ArgumentError, match="reduction must be one of"):
        mc.losses.Huber(reduction="average")
    with pytest.raises(mc.errors.ArgumentError, match='dtype must be None or "float32"'):
        mc.metrics.Accuracy(dtype="float16")
    with pytest.raises(mc.errors.ArgumentError, match="leaves out samples"):
        mc.losses.SparseCategoricalCrossentropy(ignore_class=0, reduction="mean_with_sample_weight")
    with pytest.raises(mc.errors.ArgumentError, match="ignore_class must be an integer"):
        mc.losses.SparseCategoricalCrossentropy(ignore_class=np.nan)
