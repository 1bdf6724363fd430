"""Data sets: modules with a `load_data()`, and the folders of the papers' photographs."""

from minicnn.datasets import cifar10, cifar100, fashion_mnist, mnist
from minicnn.datasets.image_folders import ImageFolders, find_images

__all__ = ["ImageFolders", "cifar10", "cifar100", "fashion_mnist", "find_images", "mnist"]
