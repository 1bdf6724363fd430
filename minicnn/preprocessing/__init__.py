"""Keras's names for reading and augmenting images; `minicnn.data` defines them."""

from minicnn.data.directory_dataset import image_dataset_from_directory
from minicnn.preprocessing import image

__all__ = ["image", "image_dataset_from_directory"]
