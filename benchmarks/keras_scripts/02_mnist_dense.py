"""MNIST with dense layers only, and curves of the training drawn at the end of it."""

import os

import numpy as np
from measure import Speed, report
from tensorflow.keras.datasets import mnist
from tensorflow.keras.layers import Dense, Dropout
from tensorflow.keras.models import Sequential
from tensorflow.keras.optimizers import RMSprop
from tensorflow.keras.utils import set_random_seed, to_categorical

set_random_seed(int(os.environ.get("SEED", 0)))

(train_images, train_labels), (test_images, test_labels) = mnist.load_data()
train_images = train_images.reshape((60000, 28 * 28)).astype("float32") / 255
test_images = test_images.reshape((10000, 28 * 28)).astype("float32") / 255
train_images, train_labels = train_images[:30000], train_labels[:30000]

train_labels = to_categorical(train_labels)
test_labels = to_categorical(test_labels)

model = Sequential()
model.add(Dense(512, activation="relu", input_shape=(784,)))
model.add(Dropout(0.2))
model.add(Dense(512, activation="relu"))
model.add(Dropout(0.2))
model.add(Dense(10, activation="softmax"))
model.summary()

model.compile(
    optimizer=RMSprop(learning_rate=0.001), loss="categorical_crossentropy", metrics=["acc"]
)
speed = Speed(24000)
history = model.fit(
    train_images,
    train_labels,
    batch_size=128,
    epochs=5,
    verbose=2,
    validation_split=0.2,
    callbacks=[speed],
)

acc = history.history["acc"]
val_acc = history.history["val_acc"]
best = np.argmax(val_acc) + 1
print(f"best epoch {best} of {len(acc)}: {max(val_acc):.4f}")

test_loss, test_acc = model.evaluate(test_images, test_labels)
print("test_acc:", test_acc)
predictions = model.predict(test_images[:5])
print([int(p.argmax()) for p in predictions])
report(model, history, speed)
