"""A small residual network for CIFAR-10 with the functional API."""

import os

import keras
from keras.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    Input,
)
from keras.models import Model
from keras.regularizers import l2
from measure import Speed, report

keras.utils.set_random_seed(int(os.environ.get("SEED", 0)))


def resnet_layer(inputs, num_filters=16, kernel_size=3, strides=1, activation="relu"):
    """Return a convolution, normalized and activated."""
    x = Conv2D(
        num_filters,
        kernel_size=kernel_size,
        strides=strides,
        padding="same",
        kernel_initializer="he_normal",
        kernel_regularizer=l2(1e-4),
    )(inputs)
    x = BatchNormalization()(x)
    if activation is not None:
        x = Activation(activation)(x)
    return x


def resnet(input_shape, depth=8, num_classes=10):
    """Return a network of three stages of residual blocks."""
    num_filters = 16
    num_res_blocks = (depth - 2) // 6
    inputs = Input(shape=input_shape)
    x = resnet_layer(inputs=inputs)
    for stack in range(3):
        for res_block in range(num_res_blocks):
            strides = 2 if stack > 0 and res_block == 0 else 1
            y = resnet_layer(inputs=x, num_filters=num_filters, strides=strides)
            y = resnet_layer(inputs=y, num_filters=num_filters, activation=None)
            if stack > 0 and res_block == 0:
                x = Conv2D(
                    num_filters,
                    kernel_size=1,
                    strides=strides,
                    padding="same",
                    kernel_initializer="he_normal",
                    kernel_regularizer=l2(1e-4),
                )(x)
            x = Add()([x, y])
            x = Activation("relu")(x)
        num_filters *= 2
    x = GlobalAveragePooling2D()(x)
    outputs = Dense(num_classes, activation="softmax", kernel_initializer="he_normal")(x)
    return Model(inputs=inputs, outputs=outputs)


(x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
x_train = x_train[:2500].astype("float32") / 255
x_test = x_test[:1000].astype("float32") / 255
mean = x_train.mean(axis=0)
x_train -= mean
x_test -= mean
y_train = keras.utils.to_categorical(y_train[:2500], 10)
y_test = keras.utils.to_categorical(y_test[:1000], 10)

model = resnet(x_train.shape[1:])
model.compile(
    loss="categorical_crossentropy",
    optimizer=keras.optimizers.Adam(learning_rate=1e-3),
    metrics=["accuracy"],
)
model.summary()
speed = Speed(len(x_train))
history = model.fit(
    x_train,
    y_train,
    batch_size=32,
    epochs=3,
    validation_data=(x_test, y_test),
    shuffle=True,
    callbacks=[speed],
)
report(model, history, speed)
