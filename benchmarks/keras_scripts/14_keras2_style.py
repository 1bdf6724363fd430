"""MNIST as it was written for Keras 2: old names of arguments, methods and modules."""

import os

import numpy as np
from keras.callbacks import ModelCheckpoint
from keras.datasets import mnist
from keras.layers.convolutional import Convolution2D, MaxPooling2D
from keras.layers.core import Activation, Dense, Dropout, Flatten
from keras.models import Sequential
from keras.optimizers import SGD
from keras.preprocessing.image import ImageDataGenerator
from keras.utils import np_utils, set_random_seed
from measure import Speed, report

set_random_seed(int(os.environ.get("SEED", 0)))
batch_size = 64
nb_classes = 10
nb_epoch = 4

(X_train, y_train), (X_test, y_test) = mnist.load_data()
X_train = X_train.reshape(X_train.shape[0], 28, 28, 1)[:6400].astype("float32") / 255
X_test = X_test.reshape(X_test.shape[0], 28, 28, 1)[:2000].astype("float32") / 255
Y_train = np_utils.to_categorical(y_train[:6400], nb_classes)
Y_test = np_utils.to_categorical(y_test[:2000], nb_classes)

model = Sequential()
model.add(Convolution2D(32, (3, 3), input_shape=(28, 28, 1)))
model.add(Activation("relu"))
model.add(Convolution2D(32, (3, 3)))
model.add(Activation("relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Dropout(0.25))
model.add(Flatten())
model.add(Dense(128))
model.add(Activation("relu"))
model.add(Dropout(0.5))
model.add(Dense(nb_classes))
model.add(Activation("softmax"))

sgd = SGD(lr=0.02, decay=1e-6, momentum=0.9, nesterov=True)
model.compile(loss="categorical_crossentropy", optimizer=sgd, metrics=["accuracy"])

datagen = ImageDataGenerator(width_shift_range=0.05, height_shift_range=0.05)
checkpoint = ModelCheckpoint(
    "weights-{epoch:02d}-{val_acc:.2f}.h5", monitor="val_acc", save_best_only=True, verbose=1
)
speed = Speed(len(X_train))
history = model.fit_generator(
    datagen.flow(X_train, Y_train, batch_size=batch_size),
    steps_per_epoch=len(X_train) / batch_size,
    nb_epoch=nb_epoch,
    validation_data=(X_test, Y_test),
    callbacks=[checkpoint, speed],
    max_queue_size=10,
    workers=2,
)

score = model.evaluate_generator(datagen.flow(X_test, Y_test, batch_size=100), steps=20)
print("Test score:", score[0])
print("Test accuracy:", score[1])
classes = model.predict_classes(X_test[:500], batch_size=128)
print("right:", np.mean(classes == y_test[:500]))
report(model, history, speed)
