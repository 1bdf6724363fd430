"""A subclass of Model with its own call()."""

import os

import keras
from measure import Speed, report

keras.utils.set_random_seed(int(os.environ.get("SEED", 0)))


class DigitNet(keras.Model):
    """Two convolutions and two dense layers."""

    def __init__(self, num_classes=10, **kwargs):
        super().__init__(**kwargs)
        self.conv1 = keras.layers.Conv2D(32, 3, activation="relu")
        self.conv2 = keras.layers.Conv2D(32, 3, activation="relu")
        self.pool = keras.layers.MaxPooling2D()
        self.flatten = keras.layers.Flatten()
        self.dense1 = keras.layers.Dense(128, activation="relu")
        self.dropout = keras.layers.Dropout(0.3)
        self.dense2 = keras.layers.Dense(num_classes)

    def call(self, inputs, training=False):
        """Return the logits of a batch of images."""
        x = self.pool(self.conv1(inputs))
        x = self.pool(self.conv2(x))
        x = self.flatten(x)
        x = self.dense1(x)
        x = self.dropout(x, training=training)
        return self.dense2(x)


(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train = x_train[:8000, ..., None].astype("float32") / 255.0
x_test = x_test[..., None].astype("float32") / 255.0
y_train = y_train[:8000]

model = DigitNet()
model.compile(
    optimizer=keras.optimizers.Adam(),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
speed = Speed(len(x_train))
history = model.fit(x_train, y_train, batch_size=64, epochs=4, callbacks=[speed])
model.summary()

logits = model(x_test[:8], training=False)
print(keras.ops.convert_to_numpy(keras.ops.argmax(logits, axis=-1)), y_test[:8])
print(model.evaluate(x_test, y_test, verbose=0, return_dict=True))
report(model, history, speed)
