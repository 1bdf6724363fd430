"""Views: results that are what was read, in another shape. They cost no step and no memory."""

from __future__ import annotations

from minicnn.contracts import CONTRACTS
from minicnn.models.planner.trace import Call, Value

# Every result of these kernels has the elements of the one array that they read, in their order.
VIEWS = (
    "add_backward",
    "bias_backward_input",
    "reshape_backward",
    "reshape_forward",
    "reshape_whole_backward",
    "reshape_whole_forward",
    "stop_gradient_forward",
)


def drop_views(calls: list[Call], changes: list[Call]) -> list[Call]:
    """Return the calls without those of VIEWS, whose results become views of what they read.

    A call stays if its argument or its result is updated in place, because the other one of the
    two may be needed unchanged.
    """
    changed = {id(value) for call in (*calls, *changes) for value in _updated(call)}
    remaining: list[Call] = []
    for call in calls:
        if call.kernel in VIEWS and not any(id(v) in changed for v in (*call.reads, *call.writes)):
            for value in call.writes:
                if value is not None:
                    value.source = call.reads[0]
        else:
            remaining.append(call)
    return remaining


def _updated(call: Call) -> list[Value | None]:
    """Return the values that a call updates in place."""
    contract = CONTRACTS[call.kernel]
    writes = zip(contract.writes, call.writes, strict=True)
    return [value for name, value in writes if name in contract.updates]
