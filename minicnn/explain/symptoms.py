"""Symptoms: what is known to keep a network from learning, each looked for by one function.

A function returns a sentence with the numbers that it found, or None if all is well. Limits were
set on the networks of `minicnn.zoo` (2026-11): their healthy trainings are far from each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from minicnn.explain.tape import Tape
from minicnn.layers import BatchNormalization, Dense
from minicnn.losses import Crossentropy
from minicnn.models import Model

AT_CHANCE = 0.02  # a loss this near to that of guessing, in parts of it, is guessing
MAX_OF_A_CLASS = 0.8
MAX_DEAD = 0.9
MAX_STEP = 0.5  # of the weights' size, in one update; healthy ones are below 0.1
GOOD_STEP = 0.1
MIN_STEP = 1e-7
YOUNG = 0.01  # the part of a running average that is still what it began as
FAR_BEHIND = 0.7  # the validation's accuracy, in parts of the training's
OVERFITTED = 1.1  # the validation's loss, in parts of its best


def guessing_loss(model: Model, labels: np.ndarray | None = None) -> tuple[float, str] | None:
    """(loss, how it is written) of a network that knows no image: with labels only how often each
    class comes."""
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
    """(classes,): the part of the samples that each class has."""
    labels = np.asarray(labels)
    numbers = labels.argmax(-1) if labels.ndim > 1 and labels.shape[-1] > 1 else labels.ravel()
    counts = np.bincount(numbers.astype(np.int64), minlength=classes)
    return counts / max(counts.sum(), 1)


def pixel_problems(model: Model, x: np.ndarray) -> str | None:
    """Not finite, all the same, or in a range that networks learn badly from."""
    if not np.isfinite(x).all():
        return f"{int((~np.isfinite(x)).sum()):,} numbers of x are NaN or infinite; take them out"
    if len(x) > 1 and (x == x[0]).all():
        return f"all {len(x)} images are the same; look at how they are read"
    low, high = float(x.min()), float(x.max())
    if max(abs(low), abs(high)) > 20 and not model.rescales(0):
        return (
            f"pixels run {low:g}...{high:g}; nets train better on 0...1. Add rescale: "
            "mc.Input(shape, rescale=1/255)"
        )
    if model.rescales(0) and high <= 1:
        return f"pixels run {low:g}...{high:g} and the network rescales once more; rescale once"
    return None


def label_problems(model: Model, labels: np.ndarray) -> str | None:
    """One class only, or nearly."""
    shares = class_shares(labels, max(model.graph.outputs[0].shape[-1] or 2, 2))
    largest = int(shares.argmax())
    name = model.class_names[largest] if model.class_names else str(largest)
    if shares[largest] == 1:
        return f"all {len(labels)} labels are class {name}; a network needs examples of each class"
    if shares[largest] > MAX_OF_A_CLASS:
        return (
            f"{shares[largest]:.0%} of the labels are class {name}: who always says so is right as "
            "often. Give the others weight: "
            "fit(..., class_weight=mc.utils.balanced_class_weight(y))"
        )
    return None


def contradictory_labels(x: np.ndarray, labels: np.ndarray) -> str | None:
    """The same image twice, with different labels."""
    found: dict[bytes, list[int]] = {}
    for i, image in enumerate(np.ascontiguousarray(x)):
        found.setdefault(image.tobytes(), []).append(i)
    twice = [rows for rows in found.values() if len({str(labels[i]) for i in rows}) > 1]
    if not twice:
        return None
    first = twice[0]
    return (
        f"{len(twice)} images are there more than once with different labels, such as samples "
        f"{first[0]} and {first[1]}; no network can learn both"
    )


def loss_mismatch(model: Model) -> str | None:
    """A last layer and a loss that do not go together."""
    loss, last = model.loss, model.graph.outputs[0].layer
    if not isinstance(loss, Crossentropy):
        return None
    ends_in = getattr(last, "activation", type(last).__name__.lower())
    if loss.from_logits and ends_in in ("softmax", "sigmoid"):
        return f"{last.name} ends in {ends_in} and the loss applies it again: from_logits=False"
    if not loss.from_logits and ends_in not in ("softmax", "sigmoid"):
        return (
            f"{loss.name} needs probabilities and {last.name} ends in {ends_in}: give it "
            f'activation="{loss.activation}", or the loss from_logits=True'
        )
    if loss.activation == "softmax" and ends_in == "sigmoid":
        return f'{last.name} ends in sigmoid, {loss.name} needs activation="softmax"'
    return None


def all_frozen(model: Model) -> str | None:
    """Every layer is frozen."""
    if any(layer.trainable and layer.parameters for layer in model.layers):
        return None
    return "no layer is trainable; set model.trainable = True, then compile"


def stacked_linear(model: Model) -> str | None:
    """Dense layers in a row with nothing that bends between them."""
    for before, after in zip(model.layers, model.layers[1:], strict=False):
        both = isinstance(before, Dense) and isinstance(after, Dense)
        if both and before.activation == "linear":  # type: ignore[attr-defined]
            return (
                f"{before.name} and {after.name} have no activation between them, so they are one "
                f'linear map; give {before.name} activation="relu"'
            )
    return None


def dead_units(model: Model, tape: Tape) -> str | None:
    """ReLUs that are 0 for every image."""
    for layer in model.layers:
        if getattr(layer, "activation", "") == "relu":
            y = tape[layer.name]
            dead = int((y.reshape(-1, y.shape[-1]) <= 0).all(0).sum())
            if dead > MAX_DEAD * y.shape[-1]:
                return (
                    f"{dead} of {y.shape[-1]} units of {layer.name} are 0 for all {len(y)} images, "
                    "so they cannot learn any more: start afresh with a smaller learning rate"
                )
    return None


def constant_output(tape: Tape) -> str | None:
    """The output does not depend on the image."""
    y = tape.output
    if len(y) < 2 or float(np.ptp(y, axis=0).max()) > 1e-4:
        return None
    said = ", ".join(f"{value:.3f}" for value in y[0].ravel()[:4])
    return (
        f"the net says the same for all {len(y)} images ({said}{', ...' if y[0].size > 4 else ''})"
    )


def learning_rate_problem(model: Model, by_parameter: Mapping[str, np.ndarray]) -> str | None:
    """Updates that are large, or nothing, beside the weights; `by_parameter` are gradients."""
    optimizer = model.optimizer
    if optimizer is None:
        return None
    rate, kind = float(optimizer.learning_rate), type(optimizer).__name__
    steps = {
        p.name: relative_step(p.value, by_parameter.get(p.name), rate, optimizer.adaptive)
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
    if known[name] < MIN_STEP:
        return (
            f"learning rate {rate:g} is too low for {kind}, or the gradients vanish: one update "
            f"moves no weight by more than {known[name]:.0e} of its size"
        )
    return None


def relative_step(w: np.ndarray, dw: np.ndarray | None, rate: float, by_sign: bool) -> float | None:
    """How far an update moves a weight, in parts of its size; None if that cannot be said."""
    size = float(np.sqrt(np.square(w, dtype=np.float64).mean()))
    if size == 0 or (dw is None and not by_sign):
        return None
    if by_sign:
        return rate / size if dw is None or dw.any() else 0.0
    return rate * float(np.sqrt(np.square(dw, dtype=np.float64).mean())) / size  # type: ignore[arg-type]


def rounded_down(value: float) -> float:
    """The next power of ten below.

    >>> rounded_down(0.0025)
    0.001
    """
    return 10.0 ** math.floor(math.log10(value)) if value > 0 else 0.0


def stuck(losses: Sequence[float], guessing: tuple[float, str] | None) -> str | None:
    """The losses of batches stay where they are for a network that guesses, or above."""
    if guessing is None or not losses:
        return None
    level, written = guessing
    quarter = max(len(losses) // 4, 1)
    falls = float(np.mean(losses[:quarter]) - np.mean(losses[-quarter:]))
    mean = float(np.mean(losses))
    if mean < (1 - AT_CHANCE) * level or falls > AT_CHANCE * level / 2:
        return None
    if mean <= (1 + AT_CHANCE) * level:
        return f"loss stayed at {level:.3f} = {written} for {len(losses)} batches: the net guesses"
    return (
        f"loss stayed at {mean:.3f} for {len(losses)} batches, above {level:.3f} = {written}: the "
        "net does worse than guessing"
    )


def curve_problems(history: Mapping[str, Sequence[float]]) -> str | None:
    """What the curves of a whole training say: numbers by epoch, as `History.history` has them."""
    loss = [math.nan if value is None else value for value in history.get("loss", ())]
    if any(not math.isfinite(value) for value in loss):
        epoch = next(i for i, value in enumerate(loss) if not math.isfinite(value))
        return f"the loss is not a number since epoch {epoch + 1}: a smaller learning rate helps"
    if len(loss) > 1 and loss[-1] > 1.05 * loss[0]:
        return f"the loss grew from {loss[0]:.3f} to {loss[-1]:.3f}: a smaller learning rate helps"
    val = [value for value in history.get("val_loss", ()) if value is not None]
    if len(val) != len(loss) or len(val) < 4:
        return None
    best = int(np.argmin(val))
    if best < len(val) - 3 and val[-1] > OVERFITTED * val[best] and loss[-1] < loss[best]:
        return (
            f"overfitting since epoch {best + 1}: the validation's loss rose from {val[best]:.3f} "
            f"to {val[-1]:.3f} while the training's fell from {loss[best]:.3f} to {loss[-1]:.3f}. "
            "Augment the images, add Dropout, or stop there: "
            "EarlyStopping(patience=3, restore_best_weights=True)"
        )
    return None


def unsettled_statistics(model: Model, history: Mapping[str, Sequence[float]]) -> str | None:
    """A validation far behind the training, with running averages that few steps have formed."""
    steps = 0 if model.optimizer is None else model.optimizer.iterations
    layers = [layer for layer in model.layers if isinstance(layer, BatchNormalization)]
    accuracy, val_accuracy = history.get("accuracy"), history.get("val_accuracy")
    if not layers or not steps or not accuracy or not val_accuracy:
        return None
    slowest = max(layers, key=lambda layer: layer.momentum)
    left = slowest.momentum**steps
    if left < YOUNG or val_accuracy[-1] > FAR_BEHIND * accuracy[-1]:
        return None
    return (
        f"the validation is far behind ({accuracy[-1]:.0%} right in training, "
        f"{val_accuracy[-1]:.0%} in validation), as the averages that {slowest.name} uses there "
        f"are young: after {steps} steps {left:.0%} of them is what they began as. Train on, or "
        "take BatchNormalization(momentum=0.9)"
    )
