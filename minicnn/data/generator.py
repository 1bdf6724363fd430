"""Keras's ImageDataGenerator: batches of images that are changed at random in every epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from minicnn import random
from minicnn.checks import check_choice, check_int, check_number, quoted, shape_text
from minicnn.data.array_batches import ArrayFlow, count_of
from minicnn.data.augmentation_ranges import Ranges
from minicnn.data.dataframe import DataFrameBatches, batches_of_table, check_old_options
from minicnn.data.directory import DirectoryBatches
from minicnn.data.folders import list_folder
from minicnn.data.image_batches import Prepare
from minicnn.data.image_files import PathLike
from minicnn.data.image_writing import ImageSaver
from minicnn.data.images import Size
from minicnn.data.transform import WHITE, changed
from minicnn.data.validation_split import array_subset, class_subset
from minicnn.data.whitening import STD_EPSILON, Whitening
from minicnn.errors import ArgumentError, ShapeError
from minicnn.operations.augment import FILL_MODES

DTYPES = ("float16", "float32", "float64")
Files = TypeVar("Files", bound=DirectoryBatches)


class ImageDataGenerator:
    """Makes batches of images that are randomly rotated, shifted, zoomed, ..., with Keras's names.

    Parameters
    ----------
    featurewise_center, featurewise_std_normalization : subtract the mean of each channel, divide by
        its standard deviation; `fit` computes both
    samplewise_center, samplewise_std_normalization : the same with the mean and standard deviation
        of each image
    zca_whitening, zca_epsilon : decorrelate all pixels (ZCA), for small images, after `fit`. The
        mean is then subtracted, and there is no division by the standard deviation
    rotation_range : degrees, drawn from -range...range
    width_shift_range, height_shift_range : below 1 a fraction of the image, else pixels; or a list
        of distances in pixels, of which one is drawn and its direction too
    brightness_range : (darkest, lightest) factor
    shear_range : **degrees**; 0.2 is too small to see
    zoom_range : z means (1 - z, 1 + z); or (smallest, largest) factor. Height and width are drawn
        separately; factors above 1 make objects smaller
    zoom_keep_aspect : use one factor for height and width (Keras cannot)
    perspective_range : the largest share of a side by which each corner of the image moves, up or
        down and left or right, as if the image were a sheet that is seen from another place; below
        0.25 (Keras's class does not have it)
    channel_shift_range : the largest amount that is added to or subtracted from all values
    fill_mode : what surrounds an image abcd: "nearest" aaaa|abcd|dddd, "reflect" dcba|abcd|dcba,
        "wrap" abcd|abcd|abcd, "constant" `cval`
    cval : the value that "constant" uses
    horizontal_flip, vertical_flip : mirror an image with probability 1/2
    rescale : factor of all values, applied last, such as 1/255
    preprocessing_function : image float32 (H, W, C) -> image of the same shape, called after the
        changes; it is also called once with a test image when batches are made
    validation_split : the fraction of the data that `subset="validation"` takes
    interpolation_order : 1 bilinear, 0 nearest pixel
    dtype : of the batches

    Raises
    ------
    ArgumentError : an argument is out of its range

    Notes
    -----
    How image i is changed in epoch e depends only on (seed, e, i), not on threads, the batch size
    or earlier draws. So a training that is interrupted and resumed sees the same images.

    Keras 3 swaps the two axes: its `height_shift_range` shifts images sideways, and images that are
    not square rotate around a point beside their center. Its "wrap" repeats an image one pixel too
    early. Here all of them do what their names say.

    References
    ----------
    github.com/keras-team/keras/issues/17398: height_shift_range shifts the image horizontally.

    Examples
    --------
    >>> generator = ImageDataGenerator(rescale=1 / 255, zoom_range=0.2, horizontal_flip=True)
    >>> x = np.full((5, 8, 8, 3), 255, np.uint8)
    >>> images, labels = next(generator.flow(x, [0, 1, 0, 1, 1], batch_size=4))
    >>> images.shape, float(images.max()), len(labels)
    ((4, 8, 8, 3), 1.0, 4)
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: float | Sequence[float] = 0.0,
        height_shift_range: float | Sequence[float] = 0.0,
        brightness_range: Sequence[float] | None = None,
        shear_range: float = 0.0,
        zoom_range: float | Sequence[float] = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[np.ndarray], np.ndarray] | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: str | None = None,
        *,
        zoom_keep_aspect: bool = False,
        perspective_range: float = 0.0,
    ) -> None:
        if data_format not in (None, "channels_last"):
            raise ArgumentError(f'data_format must be "channels_last"; got {data_format!r}')
        self.ranges = Ranges(
            rotation_range=rotation_range,
            width_shift_range=width_shift_range,
            height_shift_range=height_shift_range,
            brightness_range=brightness_range,
            shear_range=shear_range,
            zoom_range=zoom_range,
            zoom_keep_aspect=zoom_keep_aspect,
            channel_shift_range=channel_shift_range,
            horizontal_flip=horizontal_flip,
            vertical_flip=vertical_flip,
            perspective_range=perspective_range,
        )
        # Dividing by a standard deviation needs the mean subtracted. Whitening is computed from
        # centered images, and makes all standard deviations 1 itself.
        self.featurewise_center = (
            featurewise_center or featurewise_std_normalization or zca_whitening
        )
        self.featurewise_std_normalization = featurewise_std_normalization and not zca_whitening
        self.samplewise_center = samplewise_center or samplewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening = zca_whitening
        self.zca_epsilon = check_number(zca_epsilon, "zca_epsilon", 0.0, open=True)
        self.fill_mode = check_choice(fill_mode, "fill_mode", FILL_MODES)
        self.cval = check_number(cval, "cval")
        self.rescale = check_number(rescale, "rescale") if rescale else None
        self.preprocessing_function = _check_callable(preprocessing_function)
        self.validation_split = check_number(validation_split, "validation_split", 0.0, 1.0)
        self.interpolation = _interpolation_of(interpolation_order)
        self.dtype = check_choice(dtype or "float32", "dtype", DTYPES)
        self.whitening: Whitening | None = None
        self._calls = 0  # of `get_random_transform` without a seed

    # --- batches ------------------------------------------------------------------------------

    def flow(
        self,
        x: np.ndarray,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: PathLike | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
        *,
        threads: int | None = None,
    ) -> ArrayFlow:
        """Return batches x, (x, y) or (x, y, weights) of images in memory.

        Parameters
        ----------
        x : array (N, H, W, C), uint8 or floating-point; or (images, other), where `other` is an
            array (N, ...) or a list of such arrays, which are not changed. The x of a batch is then
            the list [images, other, ...], for a network with several inputs
        y, sample_weight : arrays (N, ...) and (N,)
        batch_size, shuffle, seed, threads : as in `ImageBatches`
        save_to_dir, save_prefix, save_format : write the images of all batches into a folder
        ignore_class_split : do not warn if y is sorted and a subset lacks a class of the other
        subset : "validation", the first `validation_split` of the arrays, or "training", the rest
        """
        batches = ArrayFlow(
            x,
            y,
            sample_weight,
            rows=array_subset(
                count_of(x), None if ignore_class_split else y, self.validation_split, subset
            ),
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            prepare=self.preparation(seed),
            dtype=self.dtype,
            threads=threads,
            saver=_saver(save_to_dir, save_prefix, save_format),
        )
        self._check_images(batches.image_shape)
        batches.image_data_generator = self
        return batches

    def flow_from_directory(
        self,
        directory: PathLike,
        target_size: Size | int = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: PathLike | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        *,
        upright: bool = True,
        threads: int | None = None,
        allow_unreadable: float | None = None,
        verbose: bool = True,
    ) -> DirectoryBatches:
        """Return batches (x, y) of the images in a folder that has one folder per class.

        The parameters are those of `DirectoryBatches`, `list_folder` and `flow`; `subset` is
        "validation", the first `validation_split` of each class, or "training", the rest.
        """
        images = list_folder(directory, classes, follow_links=follow_links)
        batches = DirectoryBatches(
            class_subset(images, self.validation_split, subset),
            target_size,
            color_mode,
            batch_size,
            class_mode,
            shuffle=shuffle,
            seed=seed,
            interpolation=interpolation,
            keep_aspect_ratio=keep_aspect_ratio,
            upright=upright,
            prepare=self.preparation(seed),
            dtype=self.dtype,
            threads=threads,
            allow_unreadable=allow_unreadable,
            saver=_saver(save_to_dir, save_prefix, save_format),
            verbose=verbose,
        )
        return self._finished(batches, subset)

    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: PathLike | None = None,
        x_col: str = "filename",
        y_col: str | Sequence[str] = "class",
        weight_col: str | None = None,
        target_size: Size | int = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: PathLike | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        **options: Any,
    ) -> DataFrameBatches:
        """Return batches (x, y) or (x, y, weights) of the image files that a table names.

        Parameters
        ----------
        dataframe : a data frame of pandas, or anything whose columns are `dataframe[name]`
        directory : the folder that the file names are relative to; default: the current one
        x_col, y_col, weight_col : the names of the columns of file names, of what is learned, and
            of the samples' weights
        classes : the names of the classes in the order of their indices; rows of other classes are
            left out. Default: all, sorted
        class_mode : what y is: "categorical" one-hot (n, classes) float32, with several ones where
            the column holds a list of names; "binary" and "sparse" the class index (n,) float32;
            "raw" the values of the column, or of a list of columns (n, columns); "multi_output" a
            list of the values of the columns in the list `y_col`; "input" y is x; None: x alone
        subset : "validation", the first `validation_split` of the rows, or "training", the rest
        validate_filenames : leave out files that do not exist, with a warning
        target_size, color_mode, batch_size, shuffle, seed, interpolation : as in
            `DirectoryBatches`, whose keyword arguments can be given too
        save_to_dir, save_prefix, save_format : as in `flow`
        """
        mine = ("keep_aspect_ratio", "upright", "threads", "allow_unreadable", "verbose")
        known = {name: options.pop(name) for name in mine if name in options}
        check_old_options(options)
        batches = batches_of_table(
            dataframe,
            directory,
            x_col,
            y_col,
            weight_col,
            classes,
            class_mode,
            validate_filenames=validate_filenames,
            split=self.validation_split,
            subset=subset,
            target_size=target_size,
            color_mode=color_mode,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            interpolation=interpolation,
            prepare=self.preparation(seed),
            dtype=self.dtype,
            saver=_saver(save_to_dir, save_prefix, save_format),
            **known,
        )
        return self._finished(batches, subset)

    def _finished(self, batches: Files, subset: str | None) -> Files:
        """Check batches of files, and let them know what made them."""
        self._check_images(batches.image_shape)
        batches.image_data_generator = self
        if subset is not None:
            cut = self.validation_split
            batches.split = (0.0, cut) if subset == "validation" else (cut, 1.0)
        return batches

    def preparation(self, seed: int | None = None) -> Prepare:
        """Return the function (image, epoch, position) -> image that prepares images for batches.

        It draws a change for each (seed, epoch, position), applies it and normalizes the image.
        """

        def prepare(image: np.ndarray, epoch: int, position: int) -> np.ndarray:
            rng = random.generator("augment", epoch, position, seed=seed)
            change = self.ranges.draw(rng, image.shape)
            return self._featurewise(self._before_featurewise(image, change))

        return prepare

    def _before_featurewise(self, image: np.ndarray, change: Mapping[str, Any]) -> np.ndarray:
        """Apply everything but the normalization that `fit` computes, so `fit` uses this too."""
        if self.preprocessing_function is not None:
            return self._samplewise(self._rescaled(self._changed(image, change)))
        return self._samplewise(self._changed(image, change, self.rescale or 1.0))

    def _rescaled(self, image: np.ndarray) -> np.ndarray:
        """Apply `preprocessing_function` and `rescale`."""
        if self.preprocessing_function is not None:
            image = np.asarray(self.preprocessing_function(image), np.float32)
        return image if self.rescale is None else image * np.float32(self.rescale)

    def _samplewise(self, image: np.ndarray) -> np.ndarray:
        """Normalize an image by its own mean and standard deviation, if that is asked for."""
        if self.samplewise_center:
            image = image - image.mean()
        if self.samplewise_std_normalization:
            image = image / (image.std() + STD_EPSILON)
        return image

    def _featurewise(self, x: np.ndarray) -> np.ndarray:
        """Normalize an image, or a batch, by what `fit` computed."""
        if self.whitening is not None and self.featurewise_center:
            x = self.whitening.apply(x)
        return x

    # --- one image ----------------------------------------------------------------------------

    def get_random_transform(
        self, img_shape: tuple[int, ...], seed: int | None = None
    ) -> dict[str, Any]:
        """Draw a random change of an image (H, W, C), as a dictionary with Keras's names.

        The same `seed` gives the same change; without one, every call draws another.
        """
        self._calls += seed is None
        if seed is None:
            return self.ranges.draw(random.generator("change", self._calls), img_shape)
        return self.ranges.draw(random.generator("change", seed=random.check_seed(seed)), img_shape)

    def apply_transform(self, x: np.ndarray, transform_parameters: Mapping[str, Any]) -> np.ndarray:
        """Apply a change of `get_random_transform` to an image; float32 (H, W, C), not rescaled."""
        return self._changed(x, transform_parameters)

    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """Apply a random change to an image (H, W, C); float32, not rescaled."""
        return self.apply_transform(x, self.get_random_transform(np.shape(x), seed))

    def standardize(self, x: np.ndarray) -> np.ndarray:
        """Preprocess, rescale and normalize an image (H, W, C), or each image of a batch."""
        x = np.asarray(x, np.float32)
        if x.ndim == 4:
            return np.stack([self.standardize(image) for image in x]) if len(x) else x
        return self._featurewise(self._samplewise(self._rescaled(x)))

    def fit(
        self, x: np.ndarray, augment: bool = False, rounds: int = 1, seed: int | None = None
    ) -> None:
        """Compute what `featurewise_...` and `zca_whitening` need from images (N, H, W, C).

        With `augment=True`, `rounds` randomly changed versions of each image are used instead.
        """
        images = np.asarray(x)
        if images.ndim != 4 or len(images) == 0:
            raise ShapeError(f"x must be images (N, H, W, C); got shape {images.shape}")
        changes = self._changes_to_fit(images, augment, check_int(rounds, "rounds"), seed)
        self.whitening = Whitening.fit(
            np.stack([self._before_featurewise(image, change) for image, change in changes]),
            std=self.featurewise_std_normalization,
            epsilon=self.zca_epsilon if self.zca_whitening else None,
        )

    def _changes_to_fit(
        self, images: np.ndarray, augment: bool, rounds: int, seed: int | None
    ) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
        seed = None if seed is None else random.check_seed(seed)
        for n in range(rounds if augment else 1):
            for i, image in enumerate(images):
                rng = random.generator("fit", n, i, seed=seed)
                yield image, self.ranges.draw(rng, image.shape) if augment else {}

    def _changed(
        self, image: np.ndarray, change: Mapping[str, Any], scale: float = 1.0
    ) -> np.ndarray:
        image = image if image.dtype == np.uint8 else np.asarray(image, np.float32)
        return changed(
            image,
            change,
            fill_mode=self.fill_mode,
            cval=self.cval,
            interpolation=self.interpolation,
            scale=scale,
        )

    def _check_images(self, image_shape: tuple[int, int, int]) -> None:
        """Raise an error if images (H, W, C) do not fit what `fit` saw, or the user's function."""
        if self.featurewise_center:
            if self.whitening is None:
                raise ArgumentError(
                    "featurewise_center, featurewise_std_normalization and zca_whitening need the "
                    "mean of the images: call generator.fit(x) first"
                )
            self.whitening.check_fits(image_shape)
        if self.preprocessing_function is not None:
            _check_function(self.preprocessing_function, image_shape)


def _saver(folder: PathLike | None, prefix: str, file_format: str) -> ImageSaver | None:
    return None if folder is None else ImageSaver(folder, prefix, file_format)


def _check_callable(function: Any) -> Any:
    if function is not None and not callable(function):
        raise ArgumentError(
            "preprocessing_function must be a function, image (H, W, C) -> image of that "
            f"shape; got {quoted(function)}"
        )
    return function


def _interpolation_of(order: int) -> str:
    if order not in (0, 1):
        raise ArgumentError(f"interpolation_order must be 0 or 1; got {order!r}")
    return "bilinear" if order == 1 else "nearest"


def _check_function(
    function: Callable[[np.ndarray], np.ndarray], image_shape: tuple[int, int, int]
) -> None:
    """Call the user's function once, with a ramp of grays, so that it fails before a training."""
    ramp = np.linspace(0, WHITE, math.prod(image_shape), dtype=np.float32).reshape(image_shape)
    shape = np.shape(function(ramp))
    if shape != image_shape:
        raise ShapeError(
            f"preprocessing_function must return an image of the shape {shape_text(image_shape)} "
            f"that it was called with; it returned {shape_text(shape)}"
        )
