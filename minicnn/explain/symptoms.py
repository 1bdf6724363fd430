"""Known reasons why a network does not learn, with one function that checks for each.

A function returns a sentence that names what it found, or None if there is nothing to report. The
limits were chosen on the networks of `minicnn.zoo` (2026-11), whose healthy trainings stay far from
them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from minicnn.explain.tape import Tape
from minicnn.layers import BatchNormalization, Dense
from minicnn.layers.activation_functions import linear, relu
from minicnn.losses import Crossentropy
from minicnn.models import Model
from minicnn.models.training import advice

CHANCE_TOLERANCE = 0.02  # relative distance within which a loss counts as that of guessing
MAX_CLASS_SHARE = 0.8  # of the labels
MAX_DEAD_SHARE = 0.9  # of a layer's ReLU units
# The size of one update relative to the weights' size, both as root mean squares.
MAX_STEP = 0.5
GOOD_STEP = 0.1  # healthy updates are smaller
MIN_STEP = 1e-7
SETTLED = 0.01  # moving statistics with less than this share of their initial value are settled
FAR_BEHIND = 0.7  # validation accuracy / training accuracy
OVERFITTED = 1.1  # last validation loss / best validation loss


def guessing_loss(model: Model, labels: np.ndarray | None = None) -> tuple[float, str] | None:
    """The expected loss of a network that ignores its input, and the formula as text.

    Without labels all classes are taken as equally frequent. None for losses other than
    crossentropies.
    """
    loss = model.loss
    if not isinstance(loss, Crossentropy):
        return None
    classes = max(model.graph.outputs[0].shape[-1] or 2, 2)
    if labels is None:
        return math.log(classes), f"ln {classes}"
    shares = class_shares(labels, classes)
    entropy = float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())
    even = abs(entropy - math.log(classes)) < 0.001 * math.log(classes)
    return entropy, f"ln {classes}" if even else "the entropy of the labels"


def class_shares(labels: np.ndarray, classes: int) -> np.ndarray:
    """The share of the samples that each class has, (classes,)."""
    labels = np.asarray(labels)
    indices = labels.argmax(-1) if labels.ndim > 1 and labels.shape[-1] > 1 else labels.ravel()
    counts = np.bincount(indices.astype(np.int64), minlength=classes)
    return counts / max(counts.sum(), 1)


def pixel_problems(model: Model, x: np.ndarray) -> str | None:
    """Images with NaN, identical images, and pixel ranges that networks learn poorly from."""
    if not np.isfinite(x).all():
        count = int((~np.isfinite(x)).sum())
        return f"{count:,} values of x are NaN or infinite; remove those samples"
    if len(x) > 1 and (x == x[0]).all():
        return f"all {len(x)} images are the same; check how they are read"
    low, high = float(x.min()), float(x.max())
    if max(abs(low), abs(high)) > 20 and not model.rescales(0):
        return (
            f"pixels run {low:g}...{high:g}; networks train better on 0...1. Add rescale: "
            "mc.Input(shape, rescale=1/255)"
        )
    if model.rescales(0) and high <= 1:
        return f"pixels run {low:g}...{high:g} and the network rescales them again; rescale once"
    return None


def label_problems(model: Model, labels: np.ndarray) -> str | None:
    """Labels that are all or nearly all of one class."""
    shares = class_shares(labels, max(model.graph.outputs[0].shape[-1] or 2, 2))
    largest = int(shares.argmax())
    name = model.class_names[largest] if model.class_names else str(largest)
    if shares[largest] == 1:
        return f"all {len(labels)} labels are class {name}; a network needs examples of each class"
    if shares[largest] > MAX_CLASS_SHARE:
        return (
            f"{shares[largest]:.0%} of the labels are class {name}: always predicting it is right "
            "as often. Weight the classes: "
            "fit(..., class_weight=mc.utils.balanced_class_weight(y))"
        )
    return None


def contradictory_labels(x: np.ndarray, labels: np.ndarray) -> str | None:
    """Identical images with different labels."""
    found: dict[bytes, list[int]] = {}
    for i, image in enumerate(np.ascontiguousarray(x)):
        found.setdefault(image.tobytes(), []).append(i)
    repeated = [rows for rows in found.values() if len({str(labels[i]) for i in rows}) > 1]
    if not repeated:
        return None
    first = repeated[0]
    return (
        f"{len(repeated)} images occur more than once with different labels, such as samples "
        f"{first[0]} and {first[1]}; no network can learn both"
    )


def loss_mismatch(model: Model) -> str | None:
    """A last activation that does not match the loss."""
    found = advice.loss_mismatch(model)
    if found:
        return found[0]
    loss, last = model.loss, advice.last_activation(model.graph.outputs[0])
    if isinstance(loss, Crossentropy) and (loss.activation, last) == ("softmax", "sigmoid"):
        return f'the network ends in sigmoid, {loss.name} needs activation="softmax"'
    return None


def all_frozen(model: Model) -> str | None:
    """A network in which every layer is frozen."""
    if any(layer.trainable and layer.parameters for layer in model.layers):
        return None
    return "no layer is trainable; set model.trainable = True, then compile"


def stacked_linear(model: Model) -> str | None:
    """Two successive dense layers without an activation between them."""
    for before, after in zip(model.layers, model.layers[1:], strict=False):
        both = isinstance(before, Dense) and isinstance(after, Dense)
        if both and before.activation is linear:  # type: ignore[attr-defined]
            return (
                f"{before.name} and {after.name} have no activation between them, so they are one "
                f'linear map; give {before.name} activation="relu"'
            )
    return None


def dead_units(model: Model, tape: Tape) -> str | None:
    """Layers of which nearly all ReLU units are 0 for every image."""
    for layer in model.layers:
        if getattr(layer, "activation", None) is relu:
            y = tape[layer.name]
            dead = int((y.reshape(-1, y.shape[-1]) <= 0).all(0).sum())
            if dead > MAX_DEAD_SHARE * y.shape[-1]:
                return (
                    f"{dead} of {y.shape[-1]} units of {layer.name} are 0 for all {len(y)} images, "
                    "so they no longer learn: train anew with a smaller learning rate"
                )
    return None


def constant_output(tape: Tape) -> str | None:
    """An output that does not depend on the image."""
    y = tape.output
    # Written with "not", so that NaN does not count as the same for all images.
    if len(y) < 2 or not float(np.ptp(y, axis=0).max()) <= 1e-4:
        return None
    values = ", ".join(f"{value:.3f}" for value in y[0].ravel()[:4])
    more = ", ..." if y[0].size > 4 else ""
    return f"the network's output is the same for all {len(y)} images ({values}{more})"


def learning_rate_problem(model: Model, gradients: Mapping[str, np.ndarray]) -> str | None:
    """Updates that are too large or too small relative to the weights.

    `gradients` maps parameter names to gradients; it may be empty.
    """
    optimizer = model.optimizer
    if optimizer is None:
        return None
    rate, kind = float(optimizer.learning_rate), type(optimizer).__name__
    steps = {
        p.name: relative_step(p.value, gradients.get(p.name), rate, optimizer.adaptive)
        for p in model.parameters
        if p.trainable and p.value.ndim > 1
    }
    known = {name: step for name, step in steps.items() if step is not None}
    if not known:
        return None
    name = max(known, key=lambda one: known[one])
    if known[name] > MAX_STEP:
        better = rounded_down(rate * GOOD_STEP / known[name])
        return (
            f"learning rate {rate:g} is too high for {kind} (try {better:g}): one update moves "
            f"{name} by {known[name]:.0%} of its size"
        )
    if known[name] == 0:
        return "all gradients of the weights are 0, so no learning rate would change a weight"
    if known[name] < MIN_STEP:
        return (
            f"learning rate {rate:g} is too low for {kind}, or the gradients vanish: one update "
            f"moves no weight by more than {known[name]:.0e} of its size"
        )
    return None


def relative_step(
    w: np.ndarray, dw: np.ndarray | None, rate: float, adaptive: bool
) -> float | None:
    """The size of an update divided by the size of the weights, both as root mean squares.

    None if it is unknown: the weights are 0, or there is no gradient and the step depends on it.
    """
    size = _root_mean_square(w)
    if size == 0:
        return None
    if adaptive:
        return rate / size if dw is None or dw.any() else 0.0
    return None if dw is None else rate * _root_mean_square(dw) / size


def _root_mean_square(x: np.ndarray) -> float:
    return float(np.sqrt(np.square(x, dtype=np.float64).mean()))


def rounded_down(value: float) -> float:
    """The largest power of ten that is not above `value`; 0 for 0 and below.

    >>> rounded_down(0.0025)
    0.001
    """
    return 10.0 ** math.floor(math.log10(value)) if value > 0 else 0.0


def stuck(losses: Sequence[float], guessing: tuple[float, str] | None) -> str | None:
    """Batch losses that stay at the loss of guessing or above; `guessing` is `guessing_loss`'s."""
    if guessing is None or not losses:
        return None
    level, formula = guessing
    quarter = max(len(losses) // 4, 1)
    decrease = float(np.mean(losses[:quarter]) - np.mean(losses[-quarter:]))
    mean, count = float(np.mean(losses)), len(losses)
    if mean < (1 - CHANCE_TOLERANCE) * level or decrease > CHANCE_TOLERANCE * level / 2:
        return None
    if mean <= (1 + CHANCE_TOLERANCE) * level:
        return f"loss stayed at {level:.3f} = {formula} for {count} batches: the network guesses"
    return (
        f"loss stayed at {mean:.3f} for {count} batches, above {level:.3f} = {formula}: the "
        "network does worse than guessing"
    )


def curve_problems(history: Mapping[str, Sequence[float]]) -> str | None:
    """A loss that is not finite or grows, and overfitting; `history` is `History.history`."""
    loss = [math.nan if value is None else value for value in history.get("loss", ())]
    if any(not math.isfinite(value) for value in loss):
        epoch = next(i for i, value in enumerate(loss) if not math.isfinite(value))
        return f"the loss is not finite since epoch {epoch + 1}: use a smaller learning rate"
    if len(loss) > 1 and loss[-1] > 1.05 * loss[0]:
        return f"the loss grew from {loss[0]:.3f} to {loss[-1]:.3f}: use a smaller learning rate"
    val = [value for value in history.get("val_loss", ()) if value is not None]
    if len(val) != len(loss) or len(val) < 4:
        return None
    best = int(np.argmin(val))
    if best < len(val) - 3 and val[-1] > OVERFITTED * val[best] and loss[-1] < loss[best]:
        return (
            f"overfitting since epoch {best + 1}: the validation loss rose from {val[best]:.3f} "
            f"to {val[-1]:.3f} while the training loss fell from {loss[best]:.3f} to "
            f"{loss[-1]:.3f}. Augment the images, add Dropout, or stop there: "
            "EarlyStopping(patience=3, restore_best_weights=True)"
        )
    return None


def unsettled_statistics(model: Model, history: Mapping[str, Sequence[float]]) -> str | None:
    """A validation accuracy far below the training's while moving statistics are not settled.

    A new `BatchNormalization` uses mean 0 and variance 1 at inference. After k steps a share of
    momentum^k of its moving statistics is still these initial values.
    """
    steps = 0 if model.optimizer is None else model.optimizer.iterations
    layers = [layer for layer in model.layers if isinstance(layer, BatchNormalization)]
    accuracy, val_accuracy = history.get("accuracy"), history.get("val_accuracy")
    if not layers or not steps or not accuracy or not val_accuracy:
        return None
    slowest = max(layers, key=lambda layer: layer.momentum)
    initial = slowest.momentum**steps
    if initial < SETTLED or val_accuracy[-1] > FAR_BEHIND * accuracy[-1]:
        return None
    return (
        f"validation is far behind training ({accuracy[-1]:.0%} right in training, "
        f"{val_accuracy[-1]:.0%} in validation): after {steps} steps the moving statistics of "
        f"{slowest.name} are still {initial:.0%} initial values. Train longer, or use "
        "BatchNormalization(momentum=0.9)"
    )
