"""Write tests/keras_training.json: forty small trainings by Keras, weights before and after.

    KERAS_BACKEND=tensorflow python tools/make_keras_training.py    # with Keras 3.15.1 installed

The cases are in tests/keras_training_cases.py. Arrays are the bytes of float32, in base64.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import keras
import numpy as np

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path.insert(0, str(TESTS))
from keras_training_cases import CASES, build, train  # noqa: E402


def encoded(weights: list[np.ndarray]) -> list:
    """Return [shape, text] for each array."""
    texts = [base64.b64encode(np.asarray(w, "<f4").tobytes()).decode() for w in weights]
    return [[list(w.shape), text] for w, text in zip(weights, texts, strict=True)]


def trained(number: int, name: str) -> dict:
    """Train one case; return its weights from before and after."""
    keras.utils.set_random_seed(number)
    model = build(keras, CASES[name])
    before = model.get_weights()
    train(model, CASES[name])
    after = model.get_weights()
    moved = max(float(np.abs(b - a).max()) for a, b in zip(before, after, strict=True))
    print(f"{name}: {model.count_params()} parameters, moved by {moved:.3f}")
    return {"before": encoded(before), "after": encoded(after)}


def main() -> None:
    """Train all cases and write the file."""
    cases = {name: trained(number, name) for number, name in enumerate(CASES)}
    found = {"keras": keras.__version__, "backend": keras.backend.backend(), "cases": cases}
    path = TESTS / "keras_training.json"
    path.write_text(json.dumps(found).replace('}, "', '},\n"') + "\n")
    print(f"{path}: {path.stat().st_size:,} bytes, {len(cases)} cases")


if __name__ == "__main__":
    main()
