"""Reading and preparing data."""

from minicnn.data.affine import affine_images
from minicnn.data.array_batches import ArrayFlow
from minicnn.data.directory import DirectoryBatches, image_dataset_from_directory
from minicnn.data.folders import ImageList, found_text, list_folder, read_list
from minicnn.data.generator import ImageDataGenerator
from minicnn.data.idx import parse_idx, read_idx, read_labeled_images
from minicnn.data.images import (
    IMAGE_EXTENSIONS,
    array_to_img,
    decode,
    img_to_array,
    load_img,
    read_images,
    save_img,
)
from minicnn.data.preprocess import Preprocess
from minicnn.data.random_shift import RandomShift

__all__ = [
    "IMAGE_EXTENSIONS",
    "ArrayFlow",
    "DirectoryBatches",
    "ImageDataGenerator",
    "ImageList",
    "Preprocess",
    "RandomShift",
    "affine_images",
    "array_to_img",
    "decode",
    "found_text",
    "image_dataset_from_directory",
    "img_to_array",
    "list_folder",
    "load_img",
    "parse_idx",
    "read_idx",
    "read_images",
    "read_labeled_images",
    "read_list",
    "save_img",
]
