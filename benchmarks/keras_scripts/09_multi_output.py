"""One network, two outputs: which digit, and how much ink (a regression)."""

import os

import numpy as np
from keras.datasets import mnist
from keras.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D
from keras.models import Model
from keras.utils import set_random_seed
from measure import Speed, report

set_random_seed(int(os.environ.get("SEED", 0)))

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, y_train = x_train[:8000], y_train[:8000]
x_train = np.expand_dims(x_train / 255.0, -1).astype("float32")
x_test = np.expand_dims(x_test / 255.0, -1).astype("float32")
ink_train = x_train.mean(axis=(1, 2, 3)) * 5
ink_test = x_test.mean(axis=(1, 2, 3)) * 5

visible = Input(shape=(28, 28, 1), name="image")
x = Conv2D(32, kernel_size=3, activation="relu")(visible)
x = MaxPooling2D(pool_size=(2, 2))(x)
x = Conv2D(32, kernel_size=3, activation="relu")(x)
x = MaxPooling2D(pool_size=(2, 2))(x)
flat = Flatten()(x)
hidden = Dense(64, activation="relu")(flat)
hidden = Dropout(0.3)(hidden)
digit = Dense(10, activation="softmax", name="digit")(hidden)
ink = Dense(1, name="ink")(Dense(16, activation="relu")(flat))

model = Model(inputs=visible, outputs=[digit, ink])
model.summary()
model.compile(
    optimizer="adam",
    loss={"digit": "sparse_categorical_crossentropy", "ink": "mse"},
    loss_weights={"digit": 1.0, "ink": 0.5},
    metrics={"digit": ["accuracy"], "ink": ["mae"]},
)
speed = Speed(len(x_train))
history = model.fit(
    x_train,
    {"digit": y_train, "ink": ink_train},
    validation_data=(x_test, {"digit": y_test, "ink": ink_test}),
    epochs=4,
    batch_size=64,
    verbose=2,
    callbacks=[speed],
)
print(sorted(history.history))
results = model.evaluate(x_test, {"digit": y_test, "ink": ink_test}, verbose=0)
print(results)
digits, inks = model.predict(x_test[:4])
print(digits.argmax(axis=1), inks.ravel().round(2), ink_test[:4].round(2))
report(model, history, speed)
