"""The optimizer's arrays in a file: "slot/<its name>/<its parameter's name>"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minicnn.models.saving.archive import Archive

if TYPE_CHECKING:
    from minicnn.models.model import Model

Change = tuple[np.ndarray, np.ndarray]  # an array of the model, and what it is to hold


def saved_slots(model: Model) -> dict[str, np.ndarray]:
    """The arrays as a file names them; of the parameters that the model has."""
    names = {parameter.name for parameter in model.parameters}
    return {
        f"slot/{name}/{parameter}": array
        for (parameter, name), array in model.slots.items()
        if parameter in names
    }


def read_slots(model: Model, archive: Archive, there: list[str]) -> list[Change]:
    """Return what the optimizer's arrays are to hold, all of it checked.

    Arrays that are not in the file get their initial values. `there` are the parameters' names in
    the file: a rebuilt layer may have another name.
    """
    optimizer, _ = model.need_compiled()
    here = dict(zip(there, model.parameters, strict=True))
    changes: list[Change] = [
        (array, np.full_like(array, optimizer.slots.get(name, 0.0)))
        for (_, name), array in model.slots.items()
    ]
    for name, value in archive.arrays.items():
        kind, _, rest = name.partition("/")
        slot, _, parameter = rest.partition("/")
        if kind == "slot":
            if slot not in optimizer.slots or parameter not in here:
                raise ValueError(f"the optimizer has no {name[:100]!r}")
            if here[parameter].shape != value.shape or value.dtype != np.float32:
                raise ValueError(f"the optimizer's {name[:100]!r} does not fit its parameter")
            changes.append((model.slot(here[parameter], slot), value))
    return changes
