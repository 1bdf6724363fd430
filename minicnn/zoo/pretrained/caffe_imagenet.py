"""Caffe's networks for ImageNet: what their files leave out.

A file of CaffeNet or AlexNet has the layers and the weights. It says neither which classes the
outputs are, nor that the pixels are blue, green and red, with a mean subtracted.
"""

from __future__ import annotations

from minicnn.data.preprocess import Preprocess
from minicnn.models import Model
from minicnn.zoo.pretrained import imagenet

IMAGE_SHAPE = (227, 227, 3)
CLASSES = 1000
FIRST_KERNELS = (11, 11, 3, 96)
# Of red, green and blue in ImageNet's training images, as Caffe's ilsvrc_2012_mean has them.
MEAN = (122.67892, 116.66877, 104.00699)


def prepare(model: Model) -> bool:
    """Give Caffe's CaffeNet or AlexNet its preprocessing and class names, and let it take RGB.

        sum_c w[c] x_bgr[c] = sum_c w[2 - c] x_rgb[c],

    so the input channels of the first convolution are put in the opposite order. Images are
    resized to 227 x 227; Caffe's own program cuts that out of the middle of 256 x 256.

    Parameters
    ----------
    model : a network with weights, as `minicnn.load_model` reads it from Caffe's files

    Returns
    -------
    bool
        False if the network is another one; then it is left as it is.

    References
    ----------
    Jia et al.: Caffe: Convolutional architecture for fast feature embedding, 2014; there in
    models/bvlc_reference_caffenet and models/bvlc_alexnet.
    """
    if not is_caffenet(model):
        return False
    kernels = model.parameters[0]
    kernels.assign(kernels.value[:, :, ::-1].copy())
    model.preprocess = Preprocess(IMAGE_SHAPE[:2], scale=1.0, mean=MEAN)
    model.class_names = imagenet.class_names()
    return True


def is_caffenet(model: Model) -> bool:
    """Return whether a network takes and gives what CaffeNet does, and begins as it does."""
    shapes = model.input_shape, model.output_shape
    first = model.parameters[0].value.shape if model.parameters else ()
    return shapes == ((None, *IMAGE_SHAPE), (None, CLASSES)) and first == FIRST_KERNELS
