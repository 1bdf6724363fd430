"""The optimizer's arrays in a file: "slot/<its name>/<its parameter's name>"."""

from __future__ import annotations

import numpy as np

from minicnn.models.compiled_network import CompiledNetwork
from minicnn.models.saving.archive import Archive
from minicnn.models.strategy import gather_together

Change = tuple[np.ndarray, np.ndarray]  # an array of the model, and its new values


def saved_slots(model: CompiledNetwork) -> dict[str, np.ndarray]:
    """Return the slots of the model's parameters under their names in a file.

    If several processes share the training, all must call it; the first one gets the whole state.
    """
    gather_together(model)
    return {f"slot/{name}/{path}": array for (path, name), array in model.slots.items()}


def read_slots(model: CompiledNetwork, archive: Archive, there: list[str]) -> list[Change]:
    """Return the optimizer's arrays with their new values, all of which are checked.

    Arrays that are not in the file get their initial values. `there` are the parameters' names in
    the file: a rebuilt layer may have another name.
    """
    optimizer, _ = model.need_compiled()
    here = dict(zip(there, model.parameters, strict=True))
    changes: list[Change] = [
        (array, np.full_like(array, optimizer.all_slots.get(name, 0.0)))
        for (_, name), array in model.slots.items()
    ]
    for name, value in archive.arrays.items():
        kind, _, rest = name.partition("/")
        slot, _, parameter = rest.partition("/")
        if kind == "slot":
            if slot not in optimizer.all_slots or parameter not in here:
                raise ValueError(f"the optimizer has no {name[:100]!r}")
            if here[parameter].shape != value.shape or value.dtype != np.float32:
                raise ValueError(f"the optimizer's {name[:100]!r} does not fit its parameter")
            changes.append((model.slot(here[parameter], slot), value))
    return changes
