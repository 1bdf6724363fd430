"""A convolutional autoencoder that takes noise out of digits."""

import os

import numpy as np
from keras.datasets import mnist
from keras.layers import Conv2D, Conv2DTranspose, Input, MaxPooling2D, UpSampling2D
from keras.models import Model
from keras.utils import set_random_seed
from measure import Speed, report

seed = int(os.environ.get("SEED", 0))
set_random_seed(seed)
rng = np.random.default_rng(seed)


def preprocess(array):
    """Return images with values from 0 to 1 and one channel."""
    array = array.astype("float32") / 255.0
    return np.reshape(array, (len(array), 28, 28, 1))


def noise(array):
    """Return the images with random noise."""
    noise_factor = 0.4
    noisy = array + noise_factor * rng.normal(loc=0.0, scale=1.0, size=array.shape)
    return np.clip(noisy, 0.0, 1.0)


(train_data, _), (test_data, _) = mnist.load_data()
train_data = preprocess(train_data)[:3000]
test_data = preprocess(test_data)[:1000]
noisy_train_data = noise(train_data)
noisy_test_data = noise(test_data)

inputs = Input(shape=(28, 28, 1))
x = Conv2D(32, (3, 3), activation="relu", padding="same")(inputs)
x = MaxPooling2D((2, 2), padding="same")(x)
x = Conv2D(32, (3, 3), activation="relu", padding="same")(x)
encoded = MaxPooling2D((2, 2), padding="same")(x)

x = Conv2DTranspose(32, (3, 3), strides=2, activation="relu", padding="same")(encoded)
x = Conv2D(32, (3, 3), activation="relu", padding="same")(x)
x = UpSampling2D((2, 2))(x)
decoded = Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)

autoencoder = Model(inputs, decoded)
autoencoder.compile(optimizer="adam", loss="binary_crossentropy", metrics=["mse"])
autoencoder.summary()

speed = Speed(len(train_data))
history = autoencoder.fit(
    x=noisy_train_data,
    y=train_data,
    epochs=3,
    batch_size=128,
    shuffle=True,
    validation_data=(noisy_test_data, test_data),
    callbacks=[speed],
)
predictions = autoencoder.predict(noisy_test_data[:100])
encoder = Model(inputs, encoded)
print(predictions.shape, encoder.predict(test_data[:2], verbose=0).shape)
report(autoencoder, history, speed)
