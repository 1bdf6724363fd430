"""Keras's `mixed_precision`: accepted, so that scripts run; networks compute in float32."""

from __future__ import annotations

import warnings
from typing import Any

from minicnn.checks import quoted
from minicnn.errors import ArgumentError

MIXED = ("mixed_float16", "mixed_bfloat16")


class Policy:
    """The name of a policy, and the dtypes that networks have under it: float32.

    >>> Policy("float32").compute_dtype
    'float32'
    """

    compute_dtype = variable_dtype = "float32"

    def __init__(self, name: str = "float32") -> None:
        if name not in ("float32", *MIXED):
            raise ArgumentError(
                f'a policy is "float32", which networks compute in; got {quoted(name, 40)}. The '
                f"names {' and '.join(MIXED)} are accepted with a warning"
            )
        self.name = name

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name}

    def __repr__(self) -> str:
        return f'<Policy "{self.name}">'


DTypePolicy = Policy
_current = Policy()


def set_global_policy(policy: str | Policy) -> None:
    """Accept a policy; "mixed_float16" and "mixed_bfloat16" with a warning, as they change nothing.

    Raises
    ------
    ArgumentError : it is another dtype, such as "float64"
    """
    global _current
    _current = policy if isinstance(policy, Policy) else Policy(policy)
    if _current.name != "float32":
        warnings.warn(
            f"{_current.name}: networks compute in float32, so nothing changes. On a GPU "
            'mc.set_precision("tf32") uses its tensor cores',
            stacklevel=2,
        )


def global_policy() -> Policy:
    """Return the policy that was set; networks compute in float32 under each of them."""
    return _current


set_dtype_policy, dtype_policy = set_global_policy, global_policy
