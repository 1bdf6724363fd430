"""Keras's names for reading and changing images; they are at home in `minicnn.data`."""

from minicnn.data.directory import image_dataset_from_directory
from minicnn.preprocessing import image

__all__ = ["image", "image_dataset_from_directory"]
