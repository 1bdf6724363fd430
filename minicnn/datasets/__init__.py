"""Data sets, a module each with a `load_data()`."""

from minicnn.datasets import cifar10, cifar100, fashion_mnist, mnist

__all__ = ["cifar10", "cifar100", "fashion_mnist", "mnist"]
