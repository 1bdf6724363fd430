"""Fashion-MNIST: logits from dense layers, then a second model that adds the softmax."""

import os

import numpy as np
from measure import Speed, report
from tensorflow import keras

keras.utils.set_random_seed(int(os.environ.get("SEED", 0)))

fashion_mnist = keras.datasets.fashion_mnist
(train_images, train_labels), (test_images, test_labels) = fashion_mnist.load_data()

class_names = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
]  # fmt: skip

train_images = train_images[:30000] / 255.0
train_labels = train_labels[:30000]
test_images = test_images / 255.0

model = keras.Sequential(
    [
        keras.layers.Flatten(input_shape=(28, 28)),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(10),
    ]
)

model.compile(
    optimizer="adam",
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)

speed = Speed(len(train_images))
history = model.fit(train_images, train_labels, epochs=4, callbacks=[speed])

test_loss, test_acc = model.evaluate(test_images, test_labels, verbose=2)
print("\nTest accuracy:", test_acc)

probability_model = keras.Sequential([model, keras.layers.Softmax()])
predictions = probability_model.predict(test_images)
print(class_names[np.argmax(predictions[0])], "is", class_names[test_labels[0]])

img = np.expand_dims(test_images[1], 0)
predictions_single = probability_model.predict(img)
print(np.round(predictions_single, 3))
report(model, history, speed)
