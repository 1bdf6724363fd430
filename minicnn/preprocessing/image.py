"""The names that scripts import from `keras.preprocessing.image`."""

from minicnn.data.array_batches import ArrayFlow as NumpyArrayIterator
from minicnn.data.dataframe import DataFrameBatches as DataFrameIterator
from minicnn.data.directory import DirectoryBatches as DirectoryIterator
from minicnn.data.generator import ImageDataGenerator
from minicnn.data.image_batches import ImageBatches as Iterator
from minicnn.data.image_functions import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
)
from minicnn.data.image_writing import array_to_img, img_to_array, save_img
from minicnn.data.images import load_img
from minicnn.data.resizing import smart_resize

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "array_to_img",
    "img_to_array",
    "load_img",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "save_img",
    "smart_resize",
]
