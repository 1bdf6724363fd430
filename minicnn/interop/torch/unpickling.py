"""The unpickler of PyTorch's files: it builds tensors, storages and ordered dictionaries alone."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from minicnn.data.pickled_arrays import Name
from minicnn.data.plain_pickle import Machine
from minicnn.errors import UnsafeFileError
from minicnn.interop.torch.tensors import STORAGES, Storage, Tensor, tensor
from minicnn.shapes import MAX_INT32, is_int

DICT, TENSOR = Name("an ordered dictionary"), Name("a tensor")
PARAMETER, SIZE = Name("a parameter"), Name("a size")
KINDS = {name: Name(name) for name in STORAGES}
NAMES = {
    ("collections", "OrderedDict"): DICT,
    ("torch._utils", "_rebuild_tensor_v2"): TENSOR,
    ("torch._utils", "_rebuild_parameter"): PARAMETER,
    ("torch", "Size"): SIZE,
    **{("torch", name): kind for name, kind in KINDS.items()},
}


class TensorMachine(Machine):
    """The machine for plain data, which knows the names of tensors too."""

    max_keys = 50_000  # DenseNet-201 has two for each of its 1,400 tensors

    def known(self, module: str, attribute: str) -> Name | None:
        """Return the placeholder for a name; say what to do if a whole network was saved."""
        found = NAMES.get((module, attribute)) or super().known(module, attribute)
        if found is None and not f"{module}.".startswith("numpy."):
            raise UnsafeFileError(
                self.path,
                f"asks for {module}.{attribute}, which is no tensor. Only state dicts are read: in "
                "PyTorch, torch.save(model.state_dict(), path)",
            )
        return found

    def built(self, function: Name, arguments: tuple[Any, ...]) -> Any:
        """Return the tensor, the dictionary or the size that a call builds."""
        if function is DICT and not arguments:
            return OrderedDict()
        if function is TENSOR and 6 <= len(arguments) <= 7:
            return tensor(arguments)
        if function is PARAMETER and arguments and isinstance(arguments[0], Tensor):
            return arguments[0]
        if function is SIZE and len(arguments) == 1:
            return tuple(arguments[0])
        raise ValueError(f"{function.meaning} is built in another way than PyTorch does")

    def persistent(self, reference: Any) -> Any:
        """Return the storage that a reference names: ("storage", kind, key, place, length)."""
        if not isinstance(reference, tuple) or len(reference) not in (5, 6):
            raise ValueError("a reference is not to a storage")
        what, kind, key, _place, size = reference[:5]
        fits = what == "storage" and isinstance(key, str) and is_int(size)
        if not fits or kind not in KINDS.values() or not 0 <= size <= MAX_INT32 * 64:
            raise ValueError("a reference is not to a storage of numbers")
        if len(reference) == 6 and reference[5] is not None:
            raise ValueError("a storage is a part of another one, which PyTorch 0.3 made")
        return Storage(kind.meaning, key, size)

    def with_state(self, built: Any, state: Any) -> Any:
        """Return a dictionary; the notes of PyTorch's versions that are its state are left out."""
        if isinstance(built, OrderedDict) and isinstance(state, dict):
            return built
        return super().with_state(built, state)
