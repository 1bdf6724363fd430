"""Transfer learning: a base that learned digits 0 to 4 is frozen, then fine-tuned on 5 to 9."""

import os

import keras
from keras import layers
from measure import Speed, report

keras.utils.set_random_seed(int(os.environ.get("SEED", 0)))

(x, y), _ = keras.datasets.mnist.load_data()
x = x[:12000, :, :, None].astype("float32")
y = y[:12000]
x_source, y_source = x[y < 5], y[y < 5]
x_target, y_target = x[y >= 5], y[y >= 5] - 5
x_target, y_target = x_target[:4000], y_target[:4000]

# The base, trained with a head that is thrown away.
base_model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Rescaling(1 / 127.5, offset=-1),
        layers.Conv2D(32, 3, padding="same"),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, padding="same"),
        layers.BatchNormalization(),
        layers.ReLU(),
    ],
    name="base",
)
pretraining = keras.Sequential(
    [base_model, layers.GlobalAveragePooling2D(), layers.Dense(5, activation="softmax")]
)
pretraining.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
pretraining.fit(x_source, y_source, batch_size=64, epochs=1)

# A new head on the frozen base.
base_model.trainable = False
inputs = keras.Input(shape=(28, 28, 1))
x = base_model(inputs, training=False)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dropout(0.2)(x)
outputs = layers.Dense(5)(x)
model = keras.Model(inputs, outputs)
model.summary()
print("trainable:", len(model.trainable_weights), "of", len(model.weights))

model.compile(
    optimizer=keras.optimizers.Adam(1e-2),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=[keras.metrics.SparseCategoricalAccuracy()],
)
model.fit(x_target, y_target, epochs=2, validation_split=0.1)

# Fine-tuning of the whole model with a low learning rate.
base_model.trainable = True
model.summary()
model.compile(
    optimizer=keras.optimizers.Adam(1e-4),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=[keras.metrics.SparseCategoricalAccuracy()],
)
speed = Speed(int(0.9 * len(x_target)))
history = model.fit(x_target, y_target, epochs=3, validation_split=0.1, callbacks=[speed])
report(model, history, speed)
