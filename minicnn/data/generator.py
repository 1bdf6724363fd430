"""Keras's ImageDataGenerator: batches of images, each a little different in every epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from minicnn import random
from minicnn.checks import check_choice, check_int, check_number, shape_text
from minicnn.data.affine import FILL_MODES
from minicnn.data.array_batches import ArrayFlow, count_of
from minicnn.data.augmentation_ranges import Ranges
from minicnn.data.directory import DirectoryBatches
from minicnn.data.folders import list_folder
from minicnn.data.image_batches import Saves
from minicnn.data.images import PathLike, Size
from minicnn.data.transform import WHITE, changed
from minicnn.data.validation_split import array_part, class_part
from minicnn.data.whitening import SMALLEST, Whitening
from minicnn.errors import ArgumentError, ShapeError

DTYPES = ("float16", "float32", "float64")


class ImageDataGenerator:
    """Makes batches of images that are rotated, moved, zoomed, ... at random, with Keras's names.

    Parameters
    ----------
    featurewise_center, featurewise_std_normalization : subtract each channel's mean, divide by its
        deviation; both from `fit`
    samplewise_center, samplewise_std_normalization : the same with each image's own
    zca_whitening, zca_epsilon : make pixels independent of each other, after `fit`; for small
        images only. The mean is subtracted then, and no deviation divides
    rotation_range : degrees, drawn from -range...range
    width_shift_range, height_shift_range : below 1 a fraction of the image, else pixels; or a list
        of pixels to choose from, either way
    brightness_range : (darkest, lightest) factor
    shear_range : **degrees**: 0.2 is too small to see
    zoom_range : z means 1 - z...1 + z, or (least, most); height and width are drawn apart, above 1
        things get smaller
    zoom_keep_aspect : height and width are zoomed alike instead (Keras cannot)
    channel_shift_range : lighter or darker by at most this
    fill_mode : what is seen beside an image abcd: "nearest" aaaa|abcd|dddd, "reflect"
        dcba|abcd|dcba, "wrap" abcd|abcd|abcd, "constant" `cval`
    cval : for "constant"
    horizontal_flip, vertical_flip : mirror every second image, chosen at random
    rescale : what every pixel is multiplied by in the end: 1/255
    preprocessing_function : image float32 (H, W, C) -> image of the same shape, after the changes;
        also asked once, of a ramp of grays, when batches are made
    validation_split : the part of the data that `subset="validation"` takes
    interpolation_order : 1 mean of four pixels, 0 the nearest pixel
    dtype : of the batches

    Raises
    ------
    ArgumentError : a number out of its range

    Notes
    -----
    What is done to image i in epoch e depends on (seed, e, i) alone: not on threads, on the batch
    size, or on what was drawn before. A training that is interrupted and resumed sees what it
    would have seen.

    Keras 3 has the two axes of its changes swapped: there `height_shift_range` moves images
    sideways, and images that are not square turn around a point beside their middle. Its "wrap"
    repeats an image one pixel too early. Here all do what their names say.

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
        )
        # A deviation is that around a mean: dividing by it needs the mean subtracted. Whitening
        # learns from images without their mean, and makes all deviations 1 itself.
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
        if preprocessing_function is not None and not callable(preprocessing_function):
            raise ArgumentError(
                "preprocessing_function must be a function, image (H, W, C) -> image of that "
                f"shape; got {preprocessing_function!r:.80}"
            )
        self.preprocessing_function = preprocessing_function
        self.validation_split = check_number(validation_split, "validation_split", 0.0, 1.0)
        if interpolation_order not in (0, 1):
            raise ArgumentError(f"interpolation_order must be 0 or 1; got {interpolation_order!r}")
        self.interpolation = "bilinear" if interpolation_order == 1 else "nearest"
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
        subset: str | None = None,
        *,
        threads: int | None = None,
    ) -> ArrayFlow:
        """Batches x, (x, y) or (x, y, weights) of images in memory.

        Parameters
        ----------
        x : array (N, H, W, C), uint8 or of real numbers; or (images, other), where `other` is an
            array (N, ...) or a list of them that goes with the images as it is: batches then have
            the list [images, other, ...] as their x, for a network with that many inputs
        y, sample_weight : arrays (N, ...) and (N,)
        batch_size, shuffle, seed, threads : as in `ImageBatches`
        save_to_dir, save_prefix, save_format : write every image that is handed out into a folder
        subset : "validation", the first `validation_split` of the arrays, or "training", the rest
        """
        batches = ArrayFlow(
            x,
            y,
            sample_weight,
            rows=array_part(count_of(x), y, self.validation_split, subset),
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            dtype=self.dtype,
            threads=threads,
        )
        return self._feed(batches, save_to_dir, save_prefix, save_format)

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
        """Batches (x, y) of the pictures in a folder that has a folder for each class.

        Parameters are those of `DirectoryBatches` and `list_folder`; `subset` takes the first
        `validation_split` of each class ("validation"), or the rest ("training").
        """
        images = list_folder(directory, classes, follow_links=follow_links)
        batches = DirectoryBatches(
            class_part(images, self.validation_split, subset),
            target_size,
            color_mode,
            batch_size,
            class_mode,
            shuffle=shuffle,
            seed=seed,
            interpolation=interpolation,
            keep_aspect_ratio=keep_aspect_ratio,
            upright=upright,
            dtype=self.dtype,
            threads=threads,
            allow_unreadable=allow_unreadable,
            verbose=verbose,
        )
        return self._feed(batches, save_to_dir, save_prefix, save_format)

    def _feed(self, batches: Any, folder: PathLike | None, prefix: str, file_format: str) -> Any:
        """The batches, of images that this generator changes."""
        self._check_fitted(batches.image_shape)
        self._check_function(batches.image_shape)
        batches.prepare = lambda image, epoch, i: self._prepared(image, batches.seed, epoch, i)
        if folder is not None:
            batches.saves = Saves(folder, prefix, file_format, batches.image_shape)
        return batches

    def _prepared(self, image: np.ndarray, seed: int | None, epoch: int, i: int) -> np.ndarray:
        rng = random.generator("augment", epoch, i, seed=seed)
        return self._normalized(self._seen(image, self.ranges.draw(rng, image.shape)))

    def _seen(self, image: np.ndarray, change: Mapping[str, Any]) -> np.ndarray:
        """The image after everything that comes before the normalization with what `fit` learned.

        So `fit` learns from these.
        """
        if self.preprocessing_function is not None:
            return self._own_scale(self._rescaled(self._changed(image, change)))
        return self._own_scale(self._changed(image, change, self.rescale or 1.0))

    def _rescaled(self, image: np.ndarray) -> np.ndarray:
        """What `preprocessing_function` makes of an image, times `rescale`."""
        if self.preprocessing_function is not None:
            image = np.asarray(self.preprocessing_function(image), np.float32)
        return image if self.rescale is None else image * np.float32(self.rescale)

    def _own_scale(self, image: np.ndarray) -> np.ndarray:
        """The image normalized by its own mean and deviation, if `samplewise_...` says so."""
        if self.samplewise_center:
            image = image - image.mean()
        if self.samplewise_std_normalization:
            image = image / (image.std() + SMALLEST)
        return image

    # --- one image ----------------------------------------------------------------------------

    def get_random_transform(
        self, img_shape: tuple[int, ...], seed: int | None = None
    ) -> dict[str, Any]:
        """A random change of an image of shape (H, W, C), as a dictionary with Keras's names.

        The same for the same `seed`; without one, another at every call.
        """
        self._calls += seed is None
        if seed is None:
            return self.ranges.draw(random.generator("change", self._calls), img_shape)
        return self.ranges.draw(random.generator("change", seed=random.check_seed(seed)), img_shape)

    def apply_transform(self, x: np.ndarray, transform_parameters: Mapping[str, Any]) -> np.ndarray:
        """An image (H, W, C) after a change with these numbers; float32, not rescaled."""
        return self._changed(x, transform_parameters)

    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """An image (H, W, C) after a random change; float32, not rescaled."""
        return self.apply_transform(x, self.get_random_transform(np.shape(x), seed))

    def standardize(self, x: np.ndarray) -> np.ndarray:
        """An image (H, W, C), or each of a batch of them, preprocessed, rescaled and normalized."""
        x = np.asarray(x, np.float32)
        if x.ndim == 4:
            return np.stack([self.standardize(image) for image in x]) if len(x) else x
        return self._normalized(self._own_scale(self._rescaled(x)))

    def fit(
        self, x: np.ndarray, augment: bool = False, rounds: int = 1, seed: int | None = None
    ) -> None:
        """Learn what `featurewise_...` and `zca_whitening` need from images (N, H, W, C).

        With `augment`, from `rounds` changed versions of each instead.
        """
        images = np.asarray(x)
        if images.ndim != 4 or len(images) == 0:
            raise ShapeError(f"x must be images (N, H, W, C); got shape {images.shape}")
        changes = self._changes_to_fit(images, augment, check_int(rounds, "rounds"), seed)
        self.whitening = Whitening.of(
            np.stack([self._seen(image, change) for image, change in changes]),
            deviation=self.featurewise_std_normalization,
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

    def _normalized(self, x: np.ndarray) -> np.ndarray:
        if self.whitening is not None and self.featurewise_center:
            x = self.whitening.apply(x)
        return x

    def _check_fitted(self, image_shape: tuple[int, int, int]) -> None:
        if not self.featurewise_center:
            return
        if self.whitening is None:
            raise ArgumentError(
                "featurewise_center, featurewise_std_normalization and zca_whitening need to know "
                "the images: call generator.fit(x) first"
            )
        self.whitening.check_fits(image_shape)

    def _check_function(self, image_shape: tuple[int, int, int]) -> None:
        """Ask it once, of a ramp of grays, before a training begins that it would end."""
        if self.preprocessing_function is None:
            return
        ramp = np.linspace(0, WHITE, math.prod(image_shape), dtype=np.float32).reshape(image_shape)
        shape = np.shape(self.preprocessing_function(ramp))
        if shape != image_shape:
            raise ShapeError(
                "preprocessing_function must give an image of the shape that it got; of "
                f"{shape_text(image_shape)} it made {shape_text(shape)}"
            )
