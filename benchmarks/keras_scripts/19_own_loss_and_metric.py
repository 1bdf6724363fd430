"""A loss function and a metric function of one's own, class weights, a schedule by callback."""

import math
import os

import keras
import numpy as np
from keras import layers, ops
from measure import Speed, report

keras.utils.set_random_seed(int(os.environ.get("SEED", 0)))


def focal_loss(y_true, y_pred):
    """Return the focal loss of one-hot labels with a weight for the confident ones."""
    y_pred = ops.clip(y_pred, 1e-7, 1.0 - 1e-7)
    cross_entropy = -y_true * ops.log(y_pred)
    weight = y_true * ops.power(1.0 - y_pred, 2.0)
    return ops.sum(weight * cross_entropy, axis=-1)


def confidence(y_true, y_pred):
    """Return the mean of the largest probability."""
    return ops.mean(ops.max(y_pred, axis=-1))


def swish(x):
    """Return x times its sigmoid."""
    return x * ops.sigmoid(x)


def step_decay(epoch):
    """Return the learning rate of an epoch."""
    initial_lrate = 0.05
    drop = 0.5
    epochs_drop = 2.0
    return initial_lrate * math.pow(drop, math.floor((1 + epoch) / epochs_drop))


(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train = x_train[:8000].reshape(-1, 28, 28, 1) / 255.0
x_test = x_test[:2000].reshape(-1, 28, 28, 1) / 255.0
counts = np.bincount(y_train[:8000])
class_weight = {i: float(counts.mean() / count) for i, count in enumerate(counts)}
y_train = keras.utils.to_categorical(y_train[:8000], 10)
y_test = keras.utils.to_categorical(y_test[:2000], 10)

model = keras.Sequential()
model.add(keras.Input((28, 28, 1)))
model.add(layers.Conv2D(16, 5, strides=2, activation=swish, padding="same"))
model.add(layers.Conv2D(32, 5, strides=2, activation="selu", padding="same"))
model.add(layers.Flatten())
model.add(layers.Dense(100))
model.add(layers.PReLU())
model.add(layers.Dense(10, activation="softmax"))

model.compile(
    loss=focal_loss,
    optimizer=keras.optimizers.SGD(learning_rate=0.0, momentum=0.9),
    metrics=["accuracy", confidence],
)
lrate = keras.callbacks.LearningRateScheduler(step_decay)
finished = []
log_epoch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: finished.append(epoch))
speed = Speed(len(x_train))
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_test, y_test),
    epochs=5,
    batch_size=64,
    class_weight=class_weight,
    callbacks=[lrate, log_epoch, speed],
    verbose=2,
)
print(finished, [round(float(rate), 4) for rate in history.history["learning_rate"]])
report(model, history, speed)
