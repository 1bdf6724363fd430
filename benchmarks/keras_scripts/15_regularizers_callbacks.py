"""Fashion-MNIST with regularizers, constraints and the usual callbacks."""

import os

import keras
from keras import callbacks, constraints, initializers, layers, regularizers
from measure import Speed, report

keras.utils.set_random_seed(int(os.environ.get("SEED", 0)))

(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
x_train = x_train[:8000].reshape(-1, 28, 28, 1) / 255.0
x_test = x_test[:2000].reshape(-1, 28, 28, 1) / 255.0
y_train, y_test = y_train[:8000], y_test[:2000]

model = keras.models.Sequential(
    [
        layers.Input((28, 28, 1)),
        layers.Conv2D(
            32,
            3,
            activation="relu",
            kernel_initializer="he_uniform",
            kernel_regularizer=regularizers.L2(1e-4),
            kernel_constraint=constraints.MaxNorm(3.0),
        ),
        layers.MaxPooling2D(),
        layers.Conv2D(
            64,
            3,
            activation="relu",
            kernel_initializer=initializers.HeNormal(seed=3),
            kernel_regularizer="l2",
            bias_regularizer=regularizers.l1(1e-5),
        ),
        layers.MaxPooling2D(),
        layers.SpatialDropout2D(0.1),
        layers.Flatten(),
        layers.Dense(
            64,
            activation="elu",
            kernel_regularizer=regularizers.l1_l2(l1=1e-6, l2=1e-4),
            kernel_constraint=constraints.UnitNorm(axis=0),
        ),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(
    loss="sparse_categorical_crossentropy",
    optimizer=keras.optimizers.Adam(learning_rate=2e-3, clipnorm=5.0),
    metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(k=3, name="top3")],
)

speed = Speed(len(x_train))
history = model.fit(
    x_train,
    y_train,
    batch_size=100,
    epochs=5,
    validation_data=(x_test, y_test),
    callbacks=[
        callbacks.EarlyStopping(monitor="val_loss", patience=4, restore_best_weights=True),
        callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=2, min_lr=1e-5),
        callbacks.ModelCheckpoint("best.keras", monitor="val_accuracy", save_best_only=True),
        callbacks.CSVLogger("log.csv"),
        callbacks.TerminateOnNaN(),
        speed,
    ],
)
with open("log.csv") as log:
    print(log.readline().strip())
best = keras.models.load_model("best.keras")
print(best.evaluate(x_test, y_test, verbose=0)[1], max(history.history["val_accuracy"]))
print("losses of the regularizers:", len(model.losses))
report(model, history, speed)
