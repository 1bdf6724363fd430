"""Six kinds of natural scenes: the paper's Keras network and its augmentation."""

from __future__ import annotations

from minicnn.apps.runs.recipe import PaperClaim, Recipe, adam
from minicnn.apps.runs.settings import Settings

RECIPE = Recipe(
    title="Six kinds of natural scenes",
    paper=(
        "Image classification using Keras: four convolutional blocks and four dense ones on "
        "150 x 150 images, 14,034 to train and 3,000 to test"
    ),
    settings=Settings(
        model="scene",
        data="scenes",
        name="scene",
        epochs=60,
        batch_size=32,
        label_smoothing=0.1,
        optimizer=adam(0.001),
        augmentation={  # the first three are the paper's
            "shear_range": 0.2,
            "zoom_range": 0.2,
            "horizontal_flip": True,
            "rotation_range": 10,
            "width_shift_range": 0.1,
            "height_shift_range": 0.1,
        },
    ),
    printed=Settings(model="scene", data="scenes", name="scene-printed", epochs=12, batch_size=32),
    classes=("buildings", "forest", "glacier", "mountain", "sea", "street"),
    claims=(
        PaperClaim("test images right", "not printed (only its curves)", "accuracy"),
        PaperClaim("right after the last epoch", "not printed", "last"),
        PaperClaim("images to train / validate / test", "14,034 / 3,000 / 3,000", "images"),
        PaperClaim("classes", "buildings, forest, glacier, mountain, sea, street", "classes"),
        PaperClaim("parameters", "2,046,406", "parameters"),
        PaperClaim("epochs", "not printed", "epochs"),
        PaperClaim("training time", "not printed", "training"),
    ),
)
