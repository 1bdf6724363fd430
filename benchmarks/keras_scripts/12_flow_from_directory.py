"""Cats and dogs from class folders through ImageDataGenerator."""

import os

from measure import Speed, report
from tensorflow.keras import layers, models, optimizers
from tensorflow.keras.preprocessing import image
from tensorflow.keras.preprocessing.image import ImageDataGenerator
from tensorflow.keras.utils import set_random_seed

set_random_seed(int(os.environ.get("SEED", 0)))

base_dir = os.path.join(os.environ["MINICNN_DATA"], "catdog")
train_dir = os.path.join(base_dir, "train")
validation_dir = os.path.join(base_dir, "test")

model = models.Sequential()
model.add(layers.Conv2D(16, (3, 3), activation="relu", input_shape=(64, 64, 3)))
model.add(layers.MaxPooling2D((2, 2)))
model.add(layers.Conv2D(32, (3, 3), activation="relu"))
model.add(layers.MaxPooling2D((2, 2)))
model.add(layers.Conv2D(64, (3, 3), activation="relu"))
model.add(layers.MaxPooling2D((2, 2)))
model.add(layers.Flatten())
model.add(layers.Dropout(0.5))
model.add(layers.Dense(128, activation="relu"))
model.add(layers.Dense(1, activation="sigmoid"))
model.summary()
model.compile(
    loss="binary_crossentropy", optimizer=optimizers.RMSprop(learning_rate=1e-3), metrics=["acc"]
)

train_datagen = ImageDataGenerator(
    rescale=1.0 / 255,
    rotation_range=40,
    width_shift_range=0.2,
    height_shift_range=0.2,
    zoom_range=0.2,
    horizontal_flip=True,
)
test_datagen = ImageDataGenerator(rescale=1.0 / 255)

train_generator = train_datagen.flow_from_directory(
    train_dir, target_size=(64, 64), batch_size=32, class_mode="binary"
)
validation_generator = test_datagen.flow_from_directory(
    validation_dir, target_size=(64, 64), batch_size=32, class_mode="binary"
)
for data_batch, labels_batch in train_generator:
    print("data batch shape:", data_batch.shape)
    print("labels batch shape:", labels_batch.shape)
    break

speed = Speed(20 * 32)
history = model.fit(
    train_generator,
    steps_per_epoch=20,
    epochs=3,
    validation_data=validation_generator,
    validation_steps=10,
    callbacks=[speed],
)
model.save("cats_and_dogs_small_1.h5")

fname = os.path.join(validation_dir, "cats", sorted(os.listdir(validation_dir + "/cats"))[0])
img = image.load_img(fname, target_size=(64, 64))
x = image.img_to_array(img)
x = x.reshape((1, *x.shape)) / 255.0
print(train_generator.class_indices, float(model.predict(x)[0, 0]))
report(model, history, speed)
