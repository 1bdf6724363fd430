"""Separable convolutions, normalization and residuals in the manner of Xception."""

import os

import keras
from keras import layers
from keras.callbacks import ReduceLROnPlateau
from measure import Speed, report

keras.utils.set_random_seed(int(os.environ.get("SEED", 0)))

(x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
x_train, y_train = x_train[:1500], keras.utils.to_categorical(y_train[:1500])
x_test, y_test = x_test[:500], keras.utils.to_categorical(y_test[:500])

inputs = keras.Input((32, 32, 3))
x = layers.Rescaling(1.0 / 255)(inputs)
x = layers.Conv2D(32, 3, strides=1, padding="same")(x)
x = layers.BatchNormalization()(x)
x = layers.Activation("relu")(x)
previous_block_activation = x

for size in [64, 128]:
    x = layers.Activation("relu")(x)
    x = layers.SeparableConv2D(size, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    x = layers.SeparableConv2D(size, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    residual = layers.Conv2D(size, 1, strides=2, padding="same")(previous_block_activation)
    x = layers.add([x, residual])
    previous_block_activation = x

x = layers.DepthwiseConv2D(3, padding="same", depthwise_initializer="he_uniform")(x)
x = layers.LeakyReLU(0.1)(x)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dropout(0.25)(x)
outputs = layers.Dense(10, activation="softmax")(x)
model = keras.Model(inputs, outputs)
model.summary()

model.compile(
    optimizer=keras.optimizers.Adamax(3e-3),
    loss="categorical_crossentropy",
    metrics=["accuracy", keras.metrics.AUC(name="auc"), keras.metrics.Recall(name="recall")],
)
plateau = ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=2, verbose=1)
speed = Speed(len(x_train))
history = model.fit(
    x_train,
    y_train,
    batch_size=32,
    epochs=3,
    validation_data=(x_test, y_test),
    callbacks=[plateau, speed],
)
report(model, history, speed)
