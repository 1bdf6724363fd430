"""Looking at what a network does, and at what it gets wrong."""

from minicnn.explain.pictures import confusion_figure, error_gallery, first_layer_figure

__all__ = ["confusion_figure", "error_gallery", "first_layer_figure"]
