"""Keras's Config: named values, read and written as attributes or as entries of a dict."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from minicnn.errors import ArgumentError


class Config:
    """Named values of a program, as attributes.

    >>> config = Config(units=64, rate=0.1)
    >>> config.units, config["rate"]
    (64, 0.1)
    >>> config.freeze().as_dict()
    {'units': 64, 'rate': 0.1}
    """

    def __init__(self, **kwargs: Any) -> None:
        object.__setattr__(self, "_values", dict(kwargs))
        object.__setattr__(self, "_frozen", False)

    @property
    def frozen(self) -> bool:
        """Whether values cannot be changed."""
        return self._frozen

    def freeze(self) -> Config:
        """Refuse changes from now on."""
        object.__setattr__(self, "_frozen", True)
        return self

    def unfreeze(self) -> Config:
        """Allow changes again."""
        object.__setattr__(self, "_frozen", False)
        return self

    def as_dict(self) -> dict[str, Any]:
        """Return the values as a dict; values that are Configs, too."""
        return {
            name: value.as_dict() if isinstance(value, Config) else value
            for name, value in self._values.items()
        }

    def to_json(self) -> str:
        """Return the values as JSON."""
        return json.dumps(self.as_dict())

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value, or the default if it is not there."""
        return self._values.get(name, default)

    def keys(self) -> Any:
        """Return the names."""
        return self._values.keys()

    def values(self) -> Any:
        """Return the values."""
        return self._values.values()

    def items(self) -> Any:
        """Return pairs (name, value)."""
        return self._values.items()

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several values."""
        for name, value in dict(*args, **kwargs).items():
            self[name] = value

    def pop(self, *args: Any) -> Any:
        """Remove a value and return it."""
        self._check_changeable()
        return self._values.pop(*args)

    def __getattr__(self, name: str) -> Any:
        values = object.__getattribute__(self, "__dict__").get("_values", {})
        if name not in values:
            raise AttributeError(f"the Config has no {name!r}; it has: {', '.join(values)}")
        return values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._check_changeable()
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        self._check_changeable()
        del self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Config {self._values}>"

    def _check_changeable(self) -> None:
        if self._frozen:
            raise ArgumentError("the Config is frozen; config.unfreeze() allows changes")
