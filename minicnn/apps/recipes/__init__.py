"""The systems of the papers and of the photo sorter, one module each: data, network, training."""

from minicnn.apps.recipes import catdog, cifar, lenet, photo, photo_small, scene, xray
from minicnn.apps.runs.recipe import PaperClaim, Recipe

RECIPES = {
    "lenet": lenet.RECIPE,
    "scene": scene.RECIPE,
    "photo": photo.RECIPE,
    "photo-small": photo_small.RECIPE,
    "xray": xray.RECIPE,
    "cifar": cifar.RECIPE,
    "catdog": catdog.RECIPE,
}

__all__ = ["RECIPES", "PaperClaim", "Recipe"]
