"""Ten kinds of things in small images: the paper's convolutional network for CIFAR-10."""

from __future__ import annotations

from minicnn.apps.runs.recipe import Recipe, Said, adam
from minicnn.apps.runs.settings import Settings
from minicnn.datasets.cifar10 import CLASS_NAMES

RECIPE = Recipe(
    title="Ten kinds of things: CIFAR-10",
    paper=(
        "Image classification using deep learning: three convolutions, four dense layers, Adam, "
        "16 epochs of batches of 32"
    ),
    settings=Settings(
        model="cifar",
        data="cifar10",
        name="cifar",
        epochs=40,
        batch_size=64,
        optimizer=adam(0.002),
        augmentation={
            "width_shift_range": 0.1,
            "height_shift_range": 0.1,
            "horizontal_flip": True,
        },
    ),
    printed=Settings(model="cifar", data="cifar10", name="cifar-printed", epochs=16, batch_size=32),
    classes=CLASS_NAMES,
    said=(
        Said("test images right", "71.55 %", "accuracy"),
        Said("of them after the last epoch", "71.55 %", "last"),
        Said("test images wrong", "2,845 of 10,000", "wrong"),
        Said("loss on the test images", "1.0235", "loss"),
        Said("parameters", "169,578 at 32 x 32 (120,426 at the printed 28 x 28)", "parameters"),
        Said("epochs", "16", "epochs"),
        Said("training time", "13 minutes on a CPU", "training"),
    ),
)
