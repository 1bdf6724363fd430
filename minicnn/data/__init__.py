"""Reading image files and data sets, augmentation, and batches."""

from minicnn.data.affine import affine_images
from minicnn.data.array_batches import ArrayFlow
from minicnn.data.dataframe import DataFrameBatches
from minicnn.data.dataset import AUTOTUNE, Dataset
from minicnn.data.directory import DirectoryBatches
from minicnn.data.directory_dataset import image_dataset_from_directory
from minicnn.data.elements import TensorSpec
from minicnn.data.folder_layouts import find_splits
from minicnn.data.folders import list_files, list_folder
from minicnn.data.generator import ImageDataGenerator
from minicnn.data.idx import parse_idx, read_idx, read_labeled_images
from minicnn.data.image_files import IMAGE_EXTENSIONS
from minicnn.data.image_list import ImageList, found_text, read_list
from minicnn.data.image_writing import array_to_img, img_to_array, save_img
from minicnn.data.images import decode, load_img, read_images
from minicnn.data.preprocess import Preprocess
from minicnn.data.py_dataset import PyDataset
from minicnn.data.random_shift import RandomShift
from minicnn.data.resizing import smart_resize
from minicnn.data.tools.folds import folds
from minicnn.data.tools.split import plan_split
from minicnn.data.tools.split_copy import copy_split
from minicnn.data.tools.stats import folder_stats, sizes_text

__all__ = [
    "AUTOTUNE",
    "IMAGE_EXTENSIONS",
    "ArrayFlow",
    "DataFrameBatches",
    "Dataset",
    "DirectoryBatches",
    "ImageDataGenerator",
    "ImageList",
    "Preprocess",
    "PyDataset",
    "RandomShift",
    "TensorSpec",
    "affine_images",
    "array_to_img",
    "copy_split",
    "decode",
    "find_splits",
    "folder_stats",
    "folds",
    "found_text",
    "image_dataset_from_directory",
    "img_to_array",
    "list_files",
    "list_folder",
    "load_img",
    "parse_idx",
    "plan_split",
    "read_idx",
    "read_images",
    "read_labeled_images",
    "read_list",
    "save_img",
    "sizes_text",
    "smart_resize",
]
