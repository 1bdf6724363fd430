"""The names that scripts import from `keras.preprocessing.image`."""

from minicnn.data.array_batches import ArrayFlow as NumpyArrayIterator
from minicnn.data.directory import DirectoryBatches as DirectoryIterator
from minicnn.data.generator import ImageDataGenerator
from minicnn.data.image_writing import array_to_img, img_to_array, save_img
from minicnn.data.images import load_img

__all__ = [
    "DirectoryIterator",
    "ImageDataGenerator",
    "NumpyArrayIterator",
    "array_to_img",
    "img_to_array",
    "load_img",
    "save_img",
]
