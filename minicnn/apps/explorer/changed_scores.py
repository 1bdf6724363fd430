"""Which scores rose and fell between two passes, and through which values."""

from __future__ import annotations

import numpy as np

from minicnn.apps.explorer import end_loss
from minicnn.apps.explorer.forward_pass import Pass
from minicnn.apps.explorer.numbers.parts import shown
from minicnn.apps.explorer.recording import INPUT

NAMED = 2  # scores that sentences name, of those that rose and of those that fell


def scores_of(one: Pass) -> np.ndarray:
    """Return what the softmax at the end reads; without one, the output: (classes,)."""
    end = end_loss.end_of(one.recording)
    return one.output.ravel() if end is None else one.value(end.step).ravel()


def score_sentences(before: Pass, after: Pass) -> list[str]:
    """Return which scores moved most, through which value, and what became of the answer."""
    change = scores_of(after).astype(np.float64) - scores_of(before)
    if not change.any():
        return ["No score changed, so the probabilities are the same."]
    names = _names(after, len(change))
    order = np.argsort(change)
    rose = [i for i in order[::-1][:NAMED] if change[i] > 0]
    fell = [i for i in order[:NAMED] if change[i] < 0]
    sentences = []
    for word, which in (("rose", rose), ("fell", fell)):
        if which:
            moves = [_move(names[i], before, after, int(i)) for i in which]
            sentences.append(f"The score of {' and of '.join(moves)} {word} most.")
    most = int(np.abs(change).argmax())
    sentences += _through(before, after, most, names[most])
    return [*sentences, _answer(before, after)]


def _names(one: Pass, count: int) -> list[str]:
    names = one.network.class_names
    return list(names) if len(names) == count else [names[-1]]  # one sigmoid: the second class


def _move(name: str, before: Pass, after: Pass, index: int) -> str:
    score = float(scores_of(after)[index])
    return f"{name} (by {shown(score - float(scores_of(before)[index]))}, to {shown(score)})"


def _through(before: Pass, after: Pass, index: int, name: str) -> list[str]:
    """Return the value that carried most of a score's change, if the scores are of a dense step."""
    end = end_loss.end_of(after.recording)
    if end is None or end.step == INPUT or after.recording.steps[end.step].name != "dense":
        return []
    reads = after.recording.steps[end.step].reads
    x_before, x_after = (one.read(reads["x"])[0].astype(np.float64) for one in (before, after))
    weights = after.read(reads["w"])[:, index].astype(np.float64)
    if x_after.ndim != 1:
        return []
    parts = (x_after - x_before) * weights
    most = int(np.abs(parts).argmax())
    if not parts[most]:
        return [f"The score of {name} changed through the weights or the bias of its own layer."]
    return [
        f"The largest part of the change of {name} came from input {most} of the last layer. This "
        f"input was {shown(x_before[most])} and is {shown(x_after[most])}. Its weight for {name} "
        f"is {shown(weights[most])}, so it changed the score by {shown(parts[most])}."
    ]


def _answer(before: Pass, after: Pass) -> str:
    names, shares = after.network.class_names, (before.probabilities, after.probabilities)
    best = [int(one.argmax()) for one in shares]
    now = f"{shown(shares[1][best[1]])}"
    if best[0] == best[1]:
        was = shown(shares[0][best[0]])
        return f"The answer is still {names[best[1]]}: its probability was {was} and is {now}."
    return (
        f"The answer was {names[best[0]]} and is {names[best[1]]}, with a probability of {now} "
        f"(before: {shown(shares[0][best[1]])})."
    )
