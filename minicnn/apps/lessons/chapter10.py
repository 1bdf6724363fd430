"""Lessons of chapter 10: augmentation by cropping and flipping, and folds."""

from __future__ import annotations

import numpy as np

from minicnn.apps.lessons.lesson import Case, Lesson, Mistake
from minicnn.data.tools import folds
from minicnn.operations import crop2d


def _crop_and_flip(
    x: np.ndarray, top: np.ndarray, left: np.ndarray, flip: np.ndarray, size: int
) -> np.ndarray:
    """Return one part of each image, mirrored where `flip` is True."""
    height, width = x.shape[1:3]
    parts = []
    for n in range(len(x)):
        rows = (int(top[n]), height - size - int(top[n]))  # that are cut off above and below
        columns = (int(left[n]), width - size - int(left[n]))
        part = crop2d(x[n : n + 1], (rows, columns))[0][0]
        parts.append(part[:, ::-1] if flip[n] else part)
    return np.stack(parts)


def _mirrored(x: np.ndarray, flip: np.ndarray) -> np.ndarray:
    """Return whole images, mirrored where `flip` is True."""
    return np.where(flip[:, None, None, None], x[:, :, ::-1], x)


def _images_case(
    rng: np.random.Generator,
    text: str,
    shape: tuple[int, int, int, int],
    size: int,
    dtype: type = np.float64,
) -> Case:
    n, height, width, _ = shape
    return Case(
        text,
        x=rng.normal(size=shape).astype(dtype),
        top=rng.permutation(n) % (height - size + 1),
        left=rng.permutation(n) % (width - size + 1),
        flip=np.arange(n) % 2 == 1,
        size=size,
    )


CROP_AND_FLIP = Lesson(
    name="crop_and_flip",
    chapter=10,
    title="augmentation: a part of each image, perhaps mirrored",
    task="Make new images from old ones: cut a square out of each, and mirror some of them. The "
    "places were drawn at random before.",
    stub='''
def crop_and_flip(
    x: np.ndarray, top: np.ndarray, left: np.ndarray, flip: np.ndarray, size: int
) -> np.ndarray:
    """Return a square of `size` x `size` pixels of each image.

    Image n keeps the rows from top[n] on and the columns from left[n] on. Where flip[n] is True,
    the square is then mirrored: its first column becomes its last one.

    x : (N, H, W, C), the images
    top : (N,), the first row that is kept, a whole number
    left : (N,), the first column that is kept, a whole number
    flip : (N,), True or False
    size : a whole number, rows and columns of the result
    y : (N, size, size, C)
    """
''',
    cases=lambda rng: [
        Case("two images of 3 x 4 pixels", x=np.arange(24.0).reshape(2, 3, 4, 1),
             top=np.array([0, 1]), left=np.array([1, 0]), flip=np.array([False, True]), size=2),
        _images_case(rng, "five images, two channels", (5, 7, 6, 2), 3),
        _images_case(rng, "six images of 8 x 8 pixels", (6, 8, 8, 3), 6),
    ],
    reference=_crop_and_flip,
    solution=(_crop_and_flip,),
    mistakes=(
        Mistake("The images are mirrored up and down; mirror left and right, the columns.",
                lambda x, top, left, flip, size:
                np.where(flip[:, None, None, None],
                         _crop_and_flip(x, top, left, 0 * flip, size)[:, ::-1],
                         _crop_and_flip(x, top, left, 0 * flip, size))),
        Mistake("The image was mirrored first, so that the square comes from the other side. Cut "
                "first, then mirror.",
                lambda x, top, left, flip, size:
                _crop_and_flip(_mirrored(x, flip), top, left, 0 * flip, size)),
        Mistake("No square was mirrored; look at flip[n].",
                lambda x, top, left, flip, size: _crop_and_flip(x, top, left, 0 * flip, size)),
        Mistake("Every square was mirrored; only those with flip[n] are.",
                lambda x, top, left, flip, size: _crop_and_flip(x, top, left, 0 * flip + 1, size)),
        Mistake("The squares are mirrored where flip[n] is False.",
                lambda x, top, left, flip, size: _crop_and_flip(x, top, left, 1 - flip, size)),
        Mistake("All images were cut at the place of the first one; use top[n] and left[n].",
                lambda x, top, left, flip, size:
                _crop_and_flip(x, 0 * top + top[0], 0 * left + left[0], flip, size)),
        Mistake("top and left are exchanged: top counts rows, the second axis of x.",
                lambda x, top, left, flip, size: _crop_and_flip(x, left, top, flip, size)),
        Mistake("All squares were cut from the middle of the image.",
                lambda x, top, left, flip, size:
                _crop_and_flip(x, 0 * top + (x.shape[1] - size) // 2,
                               0 * left + (x.shape[2] - size) // 2, flip, size)),
        Mistake("All squares were cut from the upper left corner.",
                lambda x, top, left, flip, size:
                _crop_and_flip(x, 0 * top, 0 * left, flip, size)),
        Mistake("The channels are reversed, too: red became blue. Mirror the columns alone.",
                lambda x, top, left, flip, size: None if x.shape[3] == 1 else
                np.where(flip[:, None, None, None],
                         _crop_and_flip(x, top, left, flip, size)[..., ::-1],
                         _crop_and_flip(x, top, left, flip, size))),
    ),
    engines=("numpy",),
    race=lambda rng: _images_case(rng, "a batch of 128 images", (128, 40, 40, 3), 32, np.float32),
)  # fmt: skip


def _k_folds(order: np.ndarray, k: int) -> np.ndarray:
    """Return the fold of each image: the parts of `order`, as equal as possible."""
    fold = np.empty(len(order), np.int64)
    for number, part in enumerate(np.array_split(order, k)):
        fold[part] = number
    return fold


def _rest_in_the_last(order: np.ndarray, k: int) -> np.ndarray:
    fold = np.empty(len(order), np.int64)
    fold[order] = np.minimum(np.arange(len(order)) // (len(order) // k), k - 1)
    return fold


def _dealt(order: np.ndarray, k: int) -> np.ndarray:
    fold = np.empty(len(order), np.int64)
    fold[order] = np.arange(len(order)) % k
    return fold


K_FOLDS = Lesson(
    name="k_folds",
    chapter=10,
    title="which images are tested in which fold?",
    task="Divide images into folds for a cross-validation.",
    stub='''
def k_folds(order: np.ndarray, k: int) -> np.ndarray:
    """Return for each image the number of the fold in which it is tested, 0 to k - 1.

    The images in their random order are cut into k parts, one after the other: the first part is
    fold 0, and so on. If N cannot be divided by k, the first N % k parts have one image more than
    the others. For order [2, 0, 1] and k = 2 the parts are [2, 0] and [1], so that image 0 is in
    fold 0, image 1 in fold 1, and image 2 in fold 0: the result is [0, 1, 0].

    order : (N,), the numbers of the images, 0 to N - 1, shuffled
    k : a whole number, how many folds
    fold : (N,), whole numbers
    """
''',
    cases=lambda rng: [
        Case("six images, three folds", order=np.array([4, 1, 5, 0, 3, 2]), k=3),
        Case("eleven images, four folds", order=rng.permutation(11), k=4),
        Case("23 images, five folds", order=rng.permutation(23), k=5),
    ],
    reference=_k_folds,
    solution=(_k_folds, folds.folds),
    mistakes=(
        Mistake("The order has no influence: you cut the images as they are numbered. The fold "
                "belongs to image order[i], not to image i.",
                lambda order, k: _k_folds(np.arange(len(order)), k)),
        Mistake("You looked up order in the folds, the wrong way round. Write fold[order[i]] = "
                "..., not fold[i] = ...[order[i]].",
                lambda order, k: _k_folds(np.arange(len(order)), k)[order]),
        Mistake("What is left over went into the last fold. The first N % k folds have one image "
                "more each, so that no two folds differ by more than one.", _rest_in_the_last),
        Mistake("The images were dealt out like cards, one to each fold in turn. Cut the order "
                "into parts, one after the other.", _dealt),
        Mistake("That is order % k, which divides the numbers of the images. Cut by the place in "
                "the order.",
                lambda order, k: order % k),
        Mistake("The last fold is numbered 0: the folds are in reversed order.",
                lambda order, k: k - 1 - _k_folds(order, k)),
        Mistake("These are the images of each fold; return the fold of each image.",
                lambda order, k: None if len(order) % k else np.stack(np.split(order, k))),
        Mistake("The folds are numbered from 1; number them from 0.",
                lambda order, k: _k_folds(order, k) + 1),
    ),
    engines=("numpy",),
)  # fmt: skip

LESSONS = (CROP_AND_FLIP, K_FOLDS)
