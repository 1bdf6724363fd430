"""Two inputs by name from a PyDataset: the two halves of a digit and a hint of its class."""

import math
import os

import keras
import numpy as np
from keras import layers
from measure import Speed, report

keras.utils.set_random_seed(int(os.environ.get("SEED", 0)))


class DigitSequence(keras.utils.PyDataset):
    """Batches of images with a noisy hint whether the digit is even."""

    def __init__(self, images, labels, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.rng = np.random.default_rng(1)
        self.order = np.arange(len(images))

    def __len__(self):
        """Return the number of batches."""
        return math.ceil(len(self.images) / self.batch_size)

    def __getitem__(self, index):
        """Return one batch."""
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        x = self.images[chosen].astype("float32") / 255.0
        hint = (self.labels[chosen] % 2)[:, None] + self.rng.normal(0, 0.5, (len(chosen), 1))
        return {"image": x[..., None], "hint": hint.astype("float32")}, self.labels[chosen]

    def on_epoch_end(self):
        """Take another order for the next epoch."""
        self.rng.shuffle(self.order)


(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
train = DigitSequence(x_train[:8000], y_train[:8000], 64)
test = DigitSequence(x_test[:2000], y_test[:2000], 100)

image = keras.Input(shape=(28, 28, 1), name="image")
hint = keras.Input(shape=(1,), name="hint")
x = layers.Conv2D(24, 5, activation="relu")(image)
x = layers.MaxPooling2D()(x)
x = layers.Conv2D(32, 3, activation="relu")(x)
x = layers.GlobalMaxPooling2D()(x)
h = layers.Dense(8, activation="tanh")(hint)
x = layers.Concatenate()([x, h])
x = layers.Dense(64, activation="relu")(x)
x = layers.Dropout(0.2)(x)
output = layers.Dense(10, activation="softmax", name="digit")(x)
model = keras.Model(inputs={"image": image, "hint": hint}, outputs=output)
model.summary()

model.compile(
    optimizer=keras.optimizers.Adam(
        keras.optimizers.schedules.ExponentialDecay(3e-3, decay_steps=200, decay_rate=0.9)
    ),
    loss="sparse_categorical_crossentropy",
    metrics=["sparse_categorical_accuracy"],
)
speed = Speed(8000)
history = model.fit(train, validation_data=test, epochs=3, callbacks=[speed])
batch, labels = test[0]
print(model.predict(batch, verbose=0).argmax(axis=1)[:10], labels[:10])
report(model, history, speed)
