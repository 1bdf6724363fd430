"""A pipeline from class folders: image_dataset_from_directory, map, cache, shuffle, prefetch."""

import os

import keras
import numpy as np
from keras import layers
from measure import Speed, report

keras.utils.set_random_seed(int(os.environ.get("SEED", 0)))

image_size = (96, 96)
batch_size = 32
train_ds, val_ds = keras.utils.image_dataset_from_directory(
    os.path.join(os.environ["MINICNN_DATA"], "scenes", "train"),
    validation_split=0.2,
    subset="both",
    seed=1337,
    image_size=image_size,
    batch_size=batch_size,
)
class_names = train_ds.class_names
num_classes = len(class_names)
print(class_names)

for images, labels in train_ds.take(1):
    print(images.shape, images.numpy().astype("uint8").max(), labels.numpy()[:9])

train_ds = train_ds.take(24)
val_ds = val_ds.take(6)
normalization_layer = layers.Rescaling(1.0 / 255)
train_ds = train_ds.map(lambda x, y: (normalization_layer(x), y))
val_ds = val_ds.map(lambda x, y: (normalization_layer(x), y))
train_ds = train_ds.cache().shuffle(8).prefetch(buffer_size=2)
val_ds = val_ds.cache().prefetch(buffer_size=2)
image_batch, labels_batch = next(iter(val_ds))
print(np.min(image_batch[0]) >= 0, np.max(image_batch[0]) <= 1)

model = keras.Sequential(
    [
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Dropout(0.2),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(num_classes),
    ]
)
model.compile(
    optimizer="adam",
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
speed = Speed(24 * batch_size)
history = model.fit(train_ds, validation_data=val_ds, epochs=3, callbacks=[speed])
model.summary()
report(model, history, speed)
