"""Blocks of parallel convolutions whose channels are concatenated, for CIFAR-10."""

import os

from keras import backend as K
from keras import optimizers
from keras.datasets import cifar10
from keras.layers import (
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePooling2D,
    Input,
    MaxPool2D,
    concatenate,
)
from keras.models import Model
from keras.utils import set_random_seed
from measure import Speed, report

K.clear_session()
set_random_seed(int(os.environ.get("SEED", 0)))
channel_axis = 1 if K.image_data_format() == "channels_first" else -1


def conv2d_bn(x, filters, rows, cols, padding="same"):
    """Return a normalized convolution."""
    x = Conv2D(filters, (rows, cols), padding=padding, use_bias=False, activation="relu")(x)
    return BatchNormalization(axis=channel_axis, scale=False)(x)


def mixed_block(x, filters):
    """Return four branches of the input, side by side."""
    branch1x1 = conv2d_bn(x, filters, 1, 1)
    branch3x3 = conv2d_bn(x, filters, 1, 1)
    branch3x3 = conv2d_bn(branch3x3, filters, 3, 3)
    branch5x5 = conv2d_bn(x, filters // 2, 1, 1)
    branch5x5 = conv2d_bn(branch5x5, filters // 2, 5, 5)
    branch_pool = AveragePooling2D((3, 3), strides=(1, 1), padding="same")(x)
    branch_pool = conv2d_bn(branch_pool, filters // 2, 1, 1)
    return concatenate([branch1x1, branch3x3, branch5x5, branch_pool], axis=channel_axis)


(x_train, y_train), (x_test, y_test) = cifar10.load_data()
x_train = x_train[:2000].astype("float32") / 127.5 - 1
x_test = x_test[:1000].astype("float32") / 127.5 - 1

img_input = Input(shape=(32, 32, 3))
x = conv2d_bn(img_input, 32, 3, 3)
x = MaxPool2D((2, 2))(x)
x = mixed_block(x, 32)
x = mixed_block(x, 32)
x = MaxPool2D((3, 3), strides=(2, 2), padding="same")(x)
x = mixed_block(x, 48)
x = GlobalAveragePooling2D(name="avg_pool")(x)
x = Dropout(0.2)(x)
x = Dense(10, activation="softmax", name="predictions")(x)
model = Model(img_input, x, name="inception")
model.summary()

model.compile(
    optimizers.Nadam(learning_rate=2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"]
)
speed = Speed(len(x_train))
history = model.fit(
    x_train,
    y_train[: len(x_train)],
    batch_size=64,
    epochs=3,
    validation_data=(x_test, y_test[: len(x_test)]),
    callbacks=[speed],
)
print("layer 'avg_pool' gives", model.get_layer("avg_pool").output.shape)
report(model, history, speed)
