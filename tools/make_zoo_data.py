"""Write tests/golden/zoo: the names and outputs of the networks of torchvision and of Keras.

    python tools/make_zoo_data.py torchvision   # where torch and torchvision are installed
    python tools/make_zoo_data.py keras         # where Keras 3 is installed

The weights are drawn from their names (tests/zoo_arrays.py), so the files hold no weights.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from zoo_arrays import drawn, images  # noqa: E402

GOLDEN = ROOT / "tests/golden/zoo"
CLASSES = 10
GAINS = {"resnet18": 1.0, "mobilenet_v2": 0.5}  # of the networks whose outputs are recorded


def torchvision_data() -> dict:
    """Return {network: its arrays' shapes, and its outputs for some}."""
    import torch
    import torchvision
    from torchvision import models

    made = {
        "resnet18": models.resnet18(num_classes=CLASSES),
        "resnet50": models.resnet50(),
        "mobilenet_v2": models.mobilenet_v2(num_classes=CLASSES, width_mult=0.5),
        "vgg11": models.vgg11(),
        "vgg16": models.vgg16(),
    }
    x = torch.from_numpy(images()).permute(0, 3, 1, 2)
    found: dict = {"versions": {"torchvision": torchvision.__version__, "torch": torch.__version__}}
    for name, model in made.items():
        state = model.state_dict()
        found[name] = {"shapes": {key: list(value.shape) for key, value in state.items()}}
        if name in GAINS:
            arrays = {k: torch.from_numpy(drawn(k, tuple(v.shape), GAINS[name]))
                      for k, v in state.items() if v.ndim}  # fmt: skip
            model.load_state_dict(arrays, strict=False)
            with torch.no_grad():
                outputs = model.eval().double()(x.double())
            found[name] |= {"gain": GAINS[name], "outputs": outputs.numpy().tolist()}
    return found


def keras_data() -> dict:
    """Return {network: its outputs}."""
    import keras

    options = {"weights": None, "input_shape": (64, 64, 3), "classes": CLASSES,
               "classifier_activation": None}  # fmt: skip
    made = {
        "ResNet50": keras.applications.ResNet50(**options),
        "MobileNet": keras.applications.MobileNet(alpha=0.25, **options),
    }
    found: dict = {"versions": {"keras": keras.__version__}}
    for name, model in made.items():
        for layer in model.layers:
            for weight in layer.weights:
                weight.assign(drawn(f"{layer.name}/{weight.name}", tuple(weight.shape)))
        found[name] = {
            "weights": model.count_params(),
            "layers": [layer.name for layer in model.layers],
            "outputs": model.predict(images(), verbose=0).tolist(),
        }
    return found


def main() -> None:
    """Write the data of the program that is named."""
    which = sys.argv[1]
    data = {"torchvision": torchvision_data, "keras": keras_data}[which]()
    GOLDEN.mkdir(parents=True, exist_ok=True)
    (GOLDEN / f"{which}.json").write_text(json.dumps(data, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
