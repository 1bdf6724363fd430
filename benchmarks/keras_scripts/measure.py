"""What every script here adds to its Keras code: its training speed, and its results as JSON."""

import json
import statistics
import time

from keras.callbacks import Callback


class Speed(Callback):
    """Images per second of the training, without the first epoch and without validations."""

    def __init__(self, images):
        super().__init__()
        self.images, self.seconds, self.start = images, [], None

    def on_epoch_begin(self, epoch, logs=None):
        """Start the clock."""
        self.start = time.perf_counter()

    def on_test_begin(self, logs=None):
        """Stop the clock: the epoch's training is over, its validation begins."""
        self._stop()

    def on_epoch_end(self, epoch, logs=None):
        """Stop the clock of an epoch without validation."""
        self._stop()

    def _stop(self):
        if self.start is not None:
            self.seconds.append(time.perf_counter() - self.start)
            self.start = None

    def images_per_second(self):
        """Return the median over all epochs but the first."""
        return self.images / statistics.median(self.seconds[1:])


def report(model, history, speed):
    """Print one line of JSON: number of parameters, curves, images per second."""
    curves = {key: [float(value) for value in values] for key, values in history.history.items()}
    result = {
        "params": int(model.count_params()),
        "history": curves,
        "images_per_second": speed.images_per_second(),
    }
    print("\n" + json.dumps(result))
