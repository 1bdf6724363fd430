"""The papers' systems, one file each: data, network, training, and what the paper says."""

from minicnn.apps.recipes import catdog, cifar, lenet, photo, scene, xray
from minicnn.apps.runs.recipe import Recipe, Said

RECIPES = {
    "lenet": lenet.RECIPE,
    "scene": scene.RECIPE,
    "photo": photo.RECIPE,
    "xray": xray.RECIPE,
    "cifar": cifar.RECIPE,
    "catdog": catdog.RECIPE,
}

__all__ = ["RECIPES", "Recipe", "Said"]
