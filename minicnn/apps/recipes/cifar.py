"""Ten kinds of things in small images: the paper's convolutional network for CIFAR-10."""

from __future__ import annotations

from minicnn.apps.runs.recipe import PaperClaim, Recipe, adam
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
    claims=(
        PaperClaim("test images right", "71.55 %", "accuracy"),
        PaperClaim("right after the last epoch", "71.55 %", "last"),
        PaperClaim("test images wrong", "2,845 of 10,000", "wrong"),
        PaperClaim("loss on the test images", "1.0235", "loss"),
        PaperClaim(
            "parameters", "169,578 at 32 x 32 (120,426 at the printed 28 x 28)", "parameters"
        ),
        PaperClaim("epochs", "16", "epochs"),
        PaperClaim("training time", "13 minutes on a CPU", "training"),
    ),
)
