"""A small U-Net for images of any size: which pixels belong to a digit, in noise and clutter?"""

import os

import keras
import numpy as np
from keras import layers
from measure import Speed, report

seed = int(os.environ.get("SEED", 0))
keras.utils.set_random_seed(seed)


def scenes(digits, count, side, rng):
    """Return images with a few digits each on a noisy background, and the digits' pixels."""
    images = rng.uniform(0, 0.6, (count, side, side, 1)).astype("float32")
    masks = np.zeros((count, side, side, 1), "uint8")
    for image, mask in zip(images, masks, strict=True):
        for _ in range(2):
            digit = digits[rng.integers(len(digits))][..., None] / 255.0
            row, column = rng.integers(0, side - 28, 2)
            part = (slice(row, row + 28), slice(column, column + 28))
            image[part] = np.maximum(image[part], digit)
            mask[part] |= digit > 0.5
    return images, masks


def get_model(num_classes):
    """Return the network: down by strides, up by UpSampling2D, with residuals and skips."""
    inputs = keras.Input(shape=(None, None, 1))
    x = layers.Conv2D(16, 3, padding="same")(inputs)
    x = layers.BatchNormalization()(x)
    first = layers.Activation("relu")(x)
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")(first)
    second = layers.BatchNormalization()(x)
    x = layers.Conv2D(64, 3, strides=2, padding="same", activation="relu")(second)
    x = layers.BatchNormalization()(x)
    residual = x
    x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
    x = layers.add([x, residual])

    x = layers.Conv2DTranspose(32, 2, strides=2, padding="same")(x)
    x = layers.Concatenate()([x, second])
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    x = layers.UpSampling2D(2)(x)
    x = layers.concatenate([x, first])
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(x)
    outputs = layers.Conv2D(num_classes, 3, activation="softmax", padding="same")(x)
    return keras.Model(inputs, outputs)


(digits, _), _ = keras.datasets.mnist.load_data()
rng = np.random.default_rng(seed)
x_train, y_train = scenes(digits[:10000], 320, 64, rng)
x_val, y_val = scenes(digits[10000:12000], 64, 64, rng)
x_large, y_large = scenes(digits[12000:14000], 20, 96, rng)

model = get_model(num_classes=2)
model.summary()
model.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
speed = Speed(len(x_train))
history = model.fit(
    x_train,
    y_train,
    epochs=3,
    batch_size=16,
    validation_data=(x_val, y_val),
    callbacks=[speed],
)
val_preds = model.predict(x_large)
mask = np.argmax(val_preds, axis=-1)[..., None]
print("larger images:", val_preds.shape, "right:", np.mean(mask == y_large))
report(model, history, speed)
