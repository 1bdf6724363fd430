"""The systems of the papers, one module each: data, network, training and the paper's results."""

from minicnn.apps.recipes import catdog, cifar, lenet, photo, scene, xray
from minicnn.apps.runs.recipe import PaperClaim, Recipe

RECIPES = {
    "lenet": lenet.RECIPE,
    "scene": scene.RECIPE,
    "photo": photo.RECIPE,
    "xray": xray.RECIPE,
    "cifar": cifar.RECIPE,
    "catdog": catdog.RECIPE,
}

__all__ = ["RECIPES", "PaperClaim", "Recipe"]
