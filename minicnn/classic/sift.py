"""Bags of visual words: an image as the histogram of what its SIFT keypoints look like.

1. SIFT finds keypoints, such as corners and blobs, in an image. It describes the surroundings of
   each by a vector of 128 values, which hardly changes when the image is rotated or scaled.
2. k-means groups the descriptors of the training images. The center of each group is a visual word;
   all of them are the vocabulary.
3. Each keypoint of an image counts for the word that is nearest to its descriptor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn import random
from minicnn.classic.classifiers import SEEDS, one_thread
from minicnn.classic.histograms import gray, skimage_feature
from minicnn.classic.per_image import Progress, map_images, no_progress
from minicnn.errors import ArgumentError
from minicnn.installed import missing_extra

WORDS = 300
LENGTH = 128  # of a descriptor
SIDE = 200  # pixels; smaller images are enlarged, as there are few keypoints in them
MAX_KEYPOINTS = 300  # of an image
MAX_DESCRIPTORS = 100_000  # from which the vocabulary is learned


class VisualWords:
    """Histograms of visual words, whose vocabulary is learned from training images.

    The histogram of an image has the share of its keypoints that each word has, and of these the
    square roots, so that frequent words do not outweigh all others. Without keypoints all are 0.

    Parameters
    ----------
    seed : of the initial words and of the choice of descriptors if there are too many

    References
    ----------
    Lowe: Distinctive image features from scale-invariant keypoints, International Journal of
    Computer Vision 60 (2), 2004.
    Sivic, Zisserman: Video Google, a text retrieval approach to object matching in videos, ICCV
    2003.
    Csurka, Dance, Fan, Willamowski, Bray: Visual categorization with bags of keypoints, ECCV
    workshop on statistical learning in computer vision 2004.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._vocabulary: Any = None  # scikit-learn's k-means

    def fit_transform(self, images: np.ndarray, progress: Progress = no_progress) -> np.ndarray:
        """Learn the vocabulary from these images, and return their histograms (N, words)."""
        found = map_images(descriptors, images, progress)
        self._vocabulary = self._learned(np.concatenate(found))
        return self._histograms(found)

    def transform(self, images: np.ndarray, progress: Progress = no_progress) -> np.ndarray:
        """Return the histograms of any images, float32 (N, words)."""
        if self._vocabulary is None:
            raise ArgumentError("there is no vocabulary yet; call fit_transform(training images)")
        return self._histograms(map_images(descriptors, images, progress))

    def _learned(self, found: np.ndarray) -> Any:
        """Return k-means after it has grouped descriptors (keypoints, 128)."""
        try:
            from sklearn.cluster import MiniBatchKMeans
        except ModuleNotFoundError as err:
            raise missing_extra("visual words need scikit-learn", "classic") from err
        if not len(found):
            raise ArgumentError(
                "sift finds no keypoints in the training images; use hog, lbp or color"
            )
        rng = random.generator("visual words", seed=self.seed)
        some = rng.permutation(len(found))[:MAX_DESCRIPTORS]
        kmeans = MiniBatchKMeans(
            min(WORDS, len(found)),
            random_state=self.seed % SEEDS,
            batch_size=4096,
            n_init=1,
        )
        with one_thread():
            return kmeans.fit(found[some])

    def _histograms(self, found: Sequence[np.ndarray]) -> np.ndarray:
        """Return the histograms of images with these descriptors."""
        words = self._vocabulary.n_clusters
        image = np.repeat(np.arange(len(found)), [len(one) for one in found])
        if not len(image):
            return np.zeros((len(found), words), np.float32)
        with one_thread():
            word = self._vocabulary.predict(np.concatenate(found))
        counts = np.bincount(image * words + word, minlength=len(found) * words)
        counts = counts.reshape(len(found), words)
        shares = counts / np.maximum(1, counts.sum(1, keepdims=True))
        return np.sqrt(shares).astype(np.float32)


def descriptors(image: np.ndarray) -> np.ndarray:
    """Return the SIFT descriptors of an image, float32 (keypoints, 128).

    They are the square roots of the shares of each descriptor's sum, whose Euclidean distances, as
    k-means uses them, are not ruled by a few large values.

    Parameters
    ----------
    image : uint8 (H, W, C), where C is 1 or 3; SIFT uses gray values

    References
    ----------
    Arandjelović, Zisserman: Three things everyone should know to improve object retrieval, CVPR
    2012.
    """
    times = enlargement(min(image.shape[:2]))
    # The blur that the image is assumed to have must not exceed that of the first scale.
    sift = skimage_feature().SIFT(upsampling=times, sigma_in=min(0.5, 1.6 / times))
    try:
        sift.detect_and_extract(gray(image).astype(np.float32) / 255)
    except RuntimeError:  # scikit-image's error for an image without keypoints
        return np.zeros((0, LENGTH), np.float32)
    found = np.asarray(sift.descriptors[:MAX_KEYPOINTS], np.float32)
    return np.sqrt(found / np.maximum(1, found.sum(1, keepdims=True)))


def enlargement(side: int) -> int:
    """Return by how much SIFT enlarges an image whose shorter side has this many pixels.

    >>> [enlargement(side) for side in (28, 32, 128, 224)]
    [4, 4, 2, 1]
    """
    return next((times for times in (1, 2) if times * side >= SIDE), 4)
