"""The methods of Keras 2's models, each in today's words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicnn.compat.keras2 import say_once
from minicnn.compat.keras2_words import FOR_THREADS, Arguments


def whole(steps: Any) -> Any:
    """Return a number of steps, which Keras 2 took as a fraction too, rounded up."""
    return math.ceil(steps) if isinstance(steps, float) and math.isfinite(steps) else steps


class OldMethods:
    """The methods of Keras 2's models; `self` is a Model."""

    fit: Any
    evaluate: Any
    predict: Any

    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: float | None = None,
        epochs: int | None = None,
        verbose: int | str | None = None,
        callbacks: Any = None,
        validation_data: Any = None,
        validation_steps: float | None = None,
        **options: Any,
    ) -> Any:
        """Train on batches; `fit` does it."""
        say_once("fit_generator", "fit_generator is a method of Keras 2; write fit")
        options = _today(
            options,
            steps_per_epoch=whole(steps_per_epoch),
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            validation_steps=whole(validation_steps),
        )
        return self.fit(generator, **options)

    def evaluate_generator(
        self, generator: Any, steps: float | None = None, verbose: int | str = 0, **options: Any
    ) -> Any:
        """Return loss and metrics over batches; `evaluate` does it."""
        say_once("evaluate_generator", "evaluate_generator is a method of Keras 2; write evaluate")
        return self.evaluate(generator, **_today(options, steps=whole(steps), verbose=verbose))

    def predict_generator(
        self, generator: Any, steps: float | None = None, verbose: int | str = 0, **options: Any
    ) -> Any:
        """Return the outputs for batches; `predict` does it."""
        say_once("predict_generator", "predict_generator is a method of Keras 2; write predict")
        return self.predict(generator, **_today(options, steps=whole(steps), verbose=verbose))

    def predict_classes(self, x: Any, batch_size: int = 32, verbose: int = 0) -> np.ndarray:
        """Return the most probable class of each sample; 0 or 1 (N, 1) for a single output."""
        say_once(
            "predict_classes",
            "predict_classes is a method of Keras 2; write predict(x).argmax(axis=-1)",
        )
        scores = self.predict(x, batch_size=batch_size, verbose=verbose)
        many = scores.shape[-1] > 1
        return scores.argmax(axis=-1) if many else (scores > 0.5).astype(np.int32)

    def predict_proba(self, x: Any, batch_size: int = 32, verbose: int = 0) -> np.ndarray:
        """Return the outputs for every sample; `predict` does it."""
        say_once("predict_proba", "predict_proba is a method of Keras 2; write predict")
        return self.predict(x, batch_size=batch_size, verbose=verbose)


def _today(options: Arguments, **given: Any) -> Arguments:
    """Return the options and what was given, without what was for threads and processes."""
    found = {name: value for name, value in given.items() if value is not None}
    return found | {name: value for name, value in options.items() if name not in FOR_THREADS}
