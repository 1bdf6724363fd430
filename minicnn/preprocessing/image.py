"""What a script takes from `keras.preprocessing.image`."""

from minicnn.data.array_batches import ArrayFlow as NumpyArrayIterator
from minicnn.data.directory import DirectoryBatches as DirectoryIterator
from minicnn.data.generator import ImageDataGenerator
from minicnn.data.images import array_to_img, img_to_array, load_img, save_img

__all__ = [
    "DirectoryIterator",
    "ImageDataGenerator",
    "NumpyArrayIterator",
    "array_to_img",
    "img_to_array",
    "load_img",
    "save_img",
]
