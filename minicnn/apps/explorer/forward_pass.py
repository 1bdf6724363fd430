"""A pass: one image through one network, every value kept, and the gradients of its loss."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import numpy as np

from minicnn.apps.explorer import end_loss
from minicnn.apps.explorer.end_loss import Loss
from minicnn.apps.explorer.open_network import OpenNetwork
from minicnn.apps.explorer.problems import NO_LABEL, UNKNOWN, Problem
from minicnn.apps.explorer.recording import INPUT, Source, Step
from minicnn.backends import kernel
from minicnn.contracts import CONTRACTS
from minicnn.operations.operation import named

KEPT_GRADIENT = 16 << 20  # bytes: larger gradients of parameters are computed anew


class Pass:
    """The values of all steps for one image, and gradients by each of them.

    A pass is computed when it is made; gradients are computed when they are asked for. All arrays
    have a batch axis of length 1, as the engine has them.

    Parameters
    ----------
    id : a hash of all that the values follow from
    network : it is not changed
    x : float32 (1, H, W, C), what the network is fed
    parameters : the values of those that were changed by hand; the others are the network's
    label : the number of the true class; None: there is no loss and there are no gradients
    computing : held while the engine works
    """

    def __init__(
        self,
        id: str,
        network: OpenNetwork,
        x: np.ndarray,
        parameters: Mapping[str, np.ndarray],
        label: int | None,
        computing: threading.Lock | None = None,
    ) -> None:
        self.id, self.network, self.x, self.label = id, network, x, label
        self.changed = dict(parameters)
        self.recording = network.recording
        self._computing = computing or threading.Lock()
        self.values: list[np.ndarray] = []
        self.saved: list[dict[str, np.ndarray]] = []  # what kernels write besides their result
        self._gradients: dict[int, np.ndarray] = {}
        self._of_parameters: dict[str, np.ndarray] = {}
        with self._computing:
            for step in self.recording.steps:
                self._run(step)
            self.loss = self._loss()

    @property
    def output(self) -> np.ndarray:
        """The network's output, without the batch axis."""
        return self.value(self.recording.output)

    @property
    def probabilities(self) -> np.ndarray:
        """One probability per class."""
        return end_loss.probabilities(self.recording, self.output)

    @property
    def loss_step(self) -> int:
        """The number of the loss, which comes after all steps."""
        return len(self.recording.steps)

    @property
    def nbytes(self) -> int:
        """The bytes that it holds, those of the network's own weights excepted."""
        kept = [self.x, *self.values, *self._gradients.values(), *self._of_parameters.values()]
        kept += [*self.changed.values(), *(a for saved in self.saved for a in saved.values())]
        return sum(array.nbytes for array in kept)

    def value(self, step: int) -> np.ndarray:
        """Return the result of a step, or the input for INPUT, without the batch axis."""
        return _without_batch(self.batch(step))

    def batch(self, step: int) -> np.ndarray:
        """Return the result of a step, or the input, as the engine has it, with its batch axis."""
        return self.x if step == INPUT else self.values[step]

    def parameter(self, name: str) -> np.ndarray:
        """Return the value of a parameter, with the changes that were made by hand."""
        if name not in self.network.parameters:
            raise Problem(f"{self.network.name} has no parameter {name!r}", UNKNOWN)
        return self.changed.get(name, self.network.parameters[name])

    def read(self, source: Source) -> np.ndarray:
        """Return what a step reads: with a batch axis, if it is the result of a step."""
        if source.step is not None:
            return self.batch(source.step)
        return self.parameter(source.parameter) if source.constant is None else source.constant

    def gradient(self, step: int) -> np.ndarray:
        """Return the gradient of the loss by a step's result, or by the input, of its shape."""
        self.need_label()
        with self._computing:
            if not self._gradients:
                self._gradients = self._backpropagated()
        found = self._gradients.get(step)
        return np.zeros_like(self.value(step)) if found is None else _without_batch(found)

    def parameter_gradient(self, name: str) -> np.ndarray:
        """Return the gradient of the loss by a parameter, of its shape.

        Raises
        ------
        Problem : the network has no such parameter, or it is not learned by gradients
        """
        value = self.parameter(name)
        self.gradient(INPUT)
        if name not in self._of_parameters:
            with self._computing:
                found = self._summed_gradient(name)
            if found is None:
                raise Problem(
                    f"{name} is a statistic of the images, not a weight: no gradient is computed "
                    "for it"
                )
            if value.nbytes > KEPT_GRADIENT:
                return found
            self._of_parameters[name] = found
        return self._of_parameters[name]

    def need_label(self) -> Loss:
        """Return the loss; raise Problem if the true class is not known."""
        if self.loss is None:
            raise Problem("choose the true class first: without it there is no loss", NO_LABEL)
        return self.loss

    def _run(self, step: Step) -> None:
        contract = CONTRACTS[step.operation.forward]
        reads = [self._named(step, name) for name in contract.reads]
        results = kernel(step.operation.forward)(*reads, **step.attributes)
        self.values.append(results[0])
        self.saved.append(named(contract.writes[1:], results[1:]))

    def _named(self, step: Step, name: str) -> np.ndarray | None:
        source = step.reads.get(name.rstrip("?"))
        return None if source is None else self.read(source)

    def _loss(self) -> Loss | None:
        if self.label is None:
            return None
        end = end_loss.end_of(self.recording)
        values = self.values[-1] if end is None else self.batch(end.step)
        return end_loss.loss_of(end, values, self.label)

    def _backpropagated(self) -> dict[int, np.ndarray]:
        """Return the gradients by the results of all steps, and by the input."""
        loss, label = self.need_label(), self.label or 0
        found, activation = {loss.end.step: loss.gradient}, loss.end.activation
        if activation is not None:  # its gradient is shown, but the loss includes it
            output = self.values[activation]
            found[activation] = end_loss.gradient_by_probability(output, label)
        for step in reversed(self.recording.steps):
            if step.number in found and step.number != activation:
                for name, gradient in self._by_reads(step, found[step.number]).items():
                    source = step.reads[name].step
                    if source is not None:
                        earlier = found.get(source)
                        found[source] = gradient if earlier is None else earlier + gradient
        return found

    def _by_reads(self, step: Step, dy: np.ndarray) -> dict[str, np.ndarray]:
        """Return the gradients by the results of earlier steps that a step reads."""
        wanted = {name for name, source in step.reads.items() if source.step is not None}
        return self._backward(step, dy, wanted)

    def _summed_gradient(self, name: str) -> np.ndarray | None:
        """Return the gradient by a parameter: the sum over the steps that read it."""
        total: np.ndarray | None = None
        for step, read in self.recording.users(name):
            dy = self._gradients.get(step.number)
            if read not in step.operation.differentiable:
                continue
            if dy is None:
                dy = np.zeros_like(self.values[step.number])
            found = self._backward(step, dy, {read})[read]
            total = found if total is None else total + found
        return total

    def _backward(self, step: Step, dy: np.ndarray, wanted: set[str]) -> dict[str, np.ndarray]:
        """Run those backward kernels of a step that give one of the wanted gradients."""
        operation = step.operation
        contract = CONTRACTS[operation.forward]
        arrays = {name: self._named(step, name) for name in (r.rstrip("?") for r in contract.reads)}
        result = contract.writes[0]
        arrays |= {result: self.values[step.number], **self.saved[step.number], f"d{result}": dy}
        found: dict[str, np.ndarray] = {}
        for name in operation.gradient_kernels:
            backward = CONTRACTS[name]
            if not wanted & {write.removeprefix("d") for write in backward.writes}:
                continue
            reads = [arrays[read] for read in backward.reads]
            found |= named(backward.writes, kernel(name)(*reads, **step.attributes))
        gradients = {name.removeprefix("d"): array for name, array in found.items()}
        return {name: array for name, array in gradients.items() if name in wanted}


def _without_batch(array: np.ndarray) -> np.ndarray:
    return array[0] if array.shape[:1] == (1,) else array
