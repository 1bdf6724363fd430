"""Views: results that are what was read, in another shape. They cost no step and no memory."""

from __future__ import annotations

from minicnn.contracts import CONTRACTS
from minicnn.models.planner.trace import Call, Value

# Every write of these kernels has the numbers of their one read, in the same order.
VIEWS = ("reshape_forward", "reshape_backward", "bias_backward_input", "add_backward")


def drop_views(calls: list[Call], changes: list[Call]) -> list[Call]:
    """Leave out the kernels of VIEWS: what they write becomes a view of what they read.

    Except where one of the two is changed in place: the other may be needed as it was.
    """
    changed = {id(value) for call in (*calls, *changes) for value in _changed(call)}
    kept: list[Call] = []
    for call in calls:
        if call.kernel in VIEWS and not any(id(v) in changed for v in (*call.reads, *call.writes)):
            for value in call.writes:
                if value is not None:
                    value.source = call.reads[0]
        else:
            kept.append(call)
    return kept


def _changed(call: Call) -> list[Value | None]:
    """The values that a call updates in place."""
    contract = CONTRACTS[call.kernel]
    writes = zip(contract.writes, call.writes, strict=True)
    return [value for name, value in writes if name in contract.updates]
