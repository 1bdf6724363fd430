"""What scripts for Keras read from a layer: its input and output, their shapes, its dtype."""

from __future__ import annotations

from typing import Any

from minicnn.checks import quoted
from minicnn.contracts import Shape, Spec
from minicnn.errors import ArgumentError
from minicnn.layers.input_spec import InputSpec
from minicnn.support.auto_names import fresh_names
from minicnn.support.structures import mapped

DTYPES = ("float32",)


def check_dtype(dtype: Any) -> None:
    """Raise ArgumentError unless layers compute in this dtype, or policy: float32."""
    name = getattr(dtype, "name", dtype)  # a policy of mixed precision has one
    if not (name is None or (isinstance(name, str) and name in DTYPES)):
        raise ArgumentError(
            f'dtype must be "float32", in which layers compute; got {quoted(dtype)}. For faster '
            "sums on a GPU see minicnn.set_precision"
        )


class Inspection:
    """Base class of layers: the members that only describe one."""

    name: str
    built: bool
    # The tensors of the layer's first call in a network; None before.
    first_input: Any = None
    first_output: Any = None
    # What the layer takes; None: its `forward` or `call` knows.
    input_spec: InputSpec | None = None
    network_name: str | None = None  # of the first network that the layer became part of
    # The output's shape when the layer was last run inside the `call` of another one.
    traced_shape: Any = None
    # Of weights and results; an InputLayer's is that of the array it is fed with.
    dtype = compute_dtype = variable_dtype = "float32"

    @property
    def input(self) -> Any:
        """The tensor that the layer reads, where it was first used in a network; or a list."""
        return self._of_first_call(self.first_input)

    @property
    def output(self) -> Any:
        """The tensor that the layer computes, where it was first used in a network."""
        return self._of_first_call(self.first_output)

    @property
    def input_shape(self) -> Any:
        """The shape of `input`, with None for the batch size."""
        return mapped(self.input, lambda tensor: tensor.shape)

    @property
    def output_shape(self) -> Any:
        """The shape of `output`, with None for the batch size."""
        return mapped(self.output, lambda tensor: tensor.shape)

    def _of_first_call(self, tensors: Any) -> Any:
        if tensors is None:
            raise AttributeError(
                f"{self.name} has no input and output, because it is not part of a network yet"
            )
        return tensors

    def compute_output_shape(self, *input_shapes: Shape) -> Any:
        """Return the shape of the output for inputs of these shapes, (None, ...) each.

        The layer itself is not built by this.
        """
        with fresh_names():
            layer: Any = self if self.built else type(self).from_config(self.get_config())
            found = layer.output_spec(*(Spec(tuple(shape)) for shape in input_shapes))
        return mapped(found, lambda spec: spec.shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return a layer like the one whose `get_config` this was, with initial weights."""
        return cls(**config)

    @property
    def path(self) -> str:
        """The layer's name after that of the network it is part of: "model/dense"."""
        return self.name if self.network_name is None else f"{self.network_name}/{self.name}"

    @property
    def supports_masking(self) -> bool:
        """False: masks of sequences are not part of image networks."""
        return False
