"""Tables of named things: "adam" is Adam, and a saved {"class", "config"} becomes an object again.

What a file names is looked up here and nowhere else: a name that is not in the table is an error,
never an import.
"""

from __future__ import annotations

import difflib
import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

from minicnn.errors import ArgumentError
from minicnn.support.text import quoted

T = TypeVar("T")
C = TypeVar("C", bound=type)
Classes = Mapping[str, type]

MAX_QUOTE = 80  # characters of a name that an error repeats
PACKAGE = __name__.partition(".")[0]


def plain(name: str) -> str:
    """The name without capitals and underscores."""
    return name.replace("_", "").lower()


class UnknownClassError(ArgumentError):
    """A name that no class of that kind has; `near` is one that a class has, or ""."""

    def __init__(self, kind: str, name: object, near: str, text: str) -> None:
        self.kind, self.near = kind, near
        self.name = name[:MAX_QUOTE] if isinstance(name, str) else quoted(name)
        super().__init__(text)


class Registry(Generic[T]):
    """The classes of one kind, all subclasses of `base`, by name.

    `key` makes one of names that mean the same; by default capitals and underscores do not matter.
    """

    def __init__(
        self,
        kind: str,
        base: type[T],
        classes: Iterable[type[T]] = (),
        aliases: Mapping[str, type[T]] | None = None,
        key: Callable[[str], str] = plain,
    ) -> None:
        self.kind, self.base, self.key = kind, base, key
        self.table: dict[str, type[T]] = {}
        self.aliases = dict(aliases or {})
        self.built_in: set[type[T]] = set()
        self.add(*classes)
        _registries.append(self)

    def add(self, *classes: type[T]) -> None:
        """Put classes of minicnn's own into the table; nobody can take their names."""
        self.table |= {self.key(one.__name__): one for one in classes}
        self.built_in |= set(classes)

    def register(self, one: type[T]) -> None:
        """Put a user's class into the table. One that is defined again replaces the earlier one."""
        there = self.table.get(self.key(one.__name__))
        if there is not None and (there in self.built_in or not _same_definition(there, one)):
            raise ArgumentError(
                f"there is a {self.kind} {one.__name__!r} already; choose another name"
            )
        self.table[self.key(one.__name__)] = one

    def names(self) -> list[str]:
        """The names under which the classes are found, as `key` makes them."""
        return list(self.table)

    def find(self, name: object) -> type[T]:
        """The class of that name: of `custom_objects`, then of the table."""
        if isinstance(name, str):
            known = {**self.aliases, **self.table, **self._custom()}
            if self.key(name) in known:
                return known[self.key(name)]
        if isinstance(name, type) and issubclass(name, self.base):
            raise ArgumentError(a_class_given(name))
        near = self._near(name)
        names = sorted(one.__name__ for one in self.table.values())
        advice = f"did you mean {near!r}?" if near else f"there are {names}"
        raise UnknownClassError(
            self.kind, name, near, f"unknown {self.kind} {quoted(name)}; {advice}"
        )

    def get(self, identifier: object) -> T:
        """An object from its name, from what `serialize` gave, or the object itself."""
        if isinstance(identifier, self.base):
            return identifier
        if isinstance(identifier, Mapping):
            return self.deserialize(identifier)
        return self.made(self.find(identifier), {})

    def serialize(self, thing: T) -> dict[str, Any]:
        """{"class": name, "config": the constructor's arguments}, JSON-able."""
        return {"class": type(thing).__name__, "config": thing.get_config()}  # type: ignore[attr-defined]

    def deserialize(self, data: Mapping[str, Any]) -> T:
        """The object that `serialize` described."""
        if not isinstance(data, Mapping) or set(data) != {"class", "config"}:
            raise ArgumentError(
                f'a saved {self.kind} is {{"class": name, "config": arguments}}; got {quoted(data)}'
            )
        return self.made(self.find(data["class"]), data["config"])

    def made(self, kind: type[T], config: Any) -> T:
        """An object of that class, from what `get_config` gave."""
        if not isinstance(config, Mapping):
            raise ArgumentError(
                f"{kind.__name__}: config must be a dict; got {type(config).__name__}"
            )
        try:
            from_config = getattr(kind, "from_config", None)
            return kind(**config) if from_config is None else from_config(dict(config))
        except TypeError as err:
            text = str(err).removeprefix(f"{kind.__name__}.__init__() ")[:MAX_QUOTE]
            raise ArgumentError(f"{kind.__name__}: its arguments do not fit: {text!r}") from err

    def check_rebuildable(self, thing: T, called: str) -> None:
        """Raise ArgumentError if `get_config` does not say all that makes `thing` again.

        `called` is what the error calls it. Classes that are not in the table are taken for those
        that `custom_objects` will have.
        """
        for part, registry in _own_parts(thing):
            registry.check_rebuildable(
                part, f"the {registry.kind} {type(part).__name__} of {called}"
            )
        remedy = f"give {type(thing).__name__} a get_config() with every constructor's argument"
        try:
            missing = self._missing(thing)
            differing = [] if missing else self._changed(thing)
        except (ArgumentError, *WRONG_CONFIG) as err:
            raise ArgumentError(
                f"{called} cannot be saved, for it could not be built again: "
                f"{str(err)[:120] or type(err).__name__}; {remedy}, made of numbers, texts, lists "
                "and dicts"
            ) from err
        if missing:
            raise ArgumentError(
                f"{called} cannot be saved: its get_config() lacks {', '.join(missing)}; {remedy}"
            )
        if differing:
            raise ArgumentError(
                f"{called} cannot be saved: built again, it would have another "
                f"{', '.join(differing)}; {remedy}"
            )

    def _missing(self, thing: T) -> list[str]:
        """The arguments of a user's own constructor that `get_config` leaves out."""
        needed: list[str] = []
        for one in type(thing).__mro__:
            if one.__module__.partition(".")[0] == PACKAGE:
                break
            if "__init__" in vars(one):
                parameters = inspect.signature(vars(one)["__init__"]).parameters.values()
                needed += [p.name for p in parameters if p.kind not in _COLLECTING][1:]
        config = thing.get_config()  # type: ignore[attr-defined]
        if not isinstance(config, Mapping):
            raise ArgumentError(f"its get_config() gave {quoted(config, 40)}, no dict")
        return [name for name in needed if name not in config and name not in OPTIONAL]

    def _changed(self, thing: T) -> list[str]:
        """The arguments that are others in what is made of `thing`'s own `get_config`."""
        parts = [part for part, _ in _own_parts(thing)]
        saved = as_json(thing.get_config())  # type: ignore[attr-defined]
        with custom_objects({type(one).__name__: type(one) for one in (thing, *parts)}):
            again = as_json(self.made(type(thing), saved).get_config())  # type: ignore[attr-defined]
        return [name for name in {**saved, **again} if saved.get(name) != again.get(name)]

    def _custom(self) -> dict[str, type[T]]:
        return {
            self.key(name): one
            for name, one in _custom_objects.get().items()
            if issubclass(one, self.base)
        }

    def _near(self, name: object) -> str:
        word = name[:MAX_QUOTE] if isinstance(name, str) else quoted(name)
        near = difflib.get_close_matches(self.key(word), self.table, 1)
        return self.table[near[0]].__name__ if near else ""


# Said when a layer is made, not part of what it is.
OPTIONAL = ("input_shape",)
# What a user's get_config() and constructor raise where they do not fit each other.
WRONG_CONFIG = (TypeError, ValueError, LookupError, AttributeError, NotImplementedError)
_COLLECTING = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_registries: list[Registry[Any]] = []
_custom_objects: ContextVar[Classes] = ContextVar("custom_objects", default={})  # noqa: B039


def register_serializable(kind: C) -> C:
    """Let saved models use a class of yours; also a class decorator.

    It may be a layer, an initializer, a loss, a metric, an optimizer, a schedule or a subclass of
    Model or Sequential. Files name it, and `get_config()` must give its constructor's arguments.

    Raises
    ------
    ArgumentError : it is of no such kind, or minicnn or another class of yours has that name
    """
    found = [r for r in _registries if isinstance(kind, type) and issubclass(kind, r.base)]
    if not found:
        kinds = ", ".join(sorted({registry.base.__name__ for registry in _registries}))
        raise ArgumentError(
            f"register_serializable takes a subclass of one of {kinds}; got {quoted(kind)}"
        )
    for registry in found:
        registry.register(kind)
    return kind


def registries() -> tuple[Registry[Any], ...]:
    """One for each kind of object that files may name."""
    return tuple(_registries)


@contextmanager
def custom_objects(classes: Classes | None) -> Iterator[None]:
    """Inside the block files may name these classes too: {"Scale": Scale}."""
    if classes is not None and not (
        isinstance(classes, Mapping)
        and all(isinstance(k, str) and isinstance(v, type) for k, v in classes.items())
    ):
        raise ArgumentError(
            f'custom_objects must be a dict of classes, like {{"Scale": Scale}}; got '
            f"{quoted(classes)}"
        )
    token = _custom_objects.set({**_custom_objects.get(), **(classes or {})})
    try:
        yield
    finally:
        _custom_objects.reset(token)


def own_classes(things: Iterable[object]) -> dict[str, type]:
    """The classes of a user's own that these things and their parts are of, by name."""
    things = list(things)
    parts = [part for thing in things for part, _ in _own_parts(thing)]
    ours = _built_in()
    return {type(one).__name__: type(one) for one in (*things, *parts) if type(one) not in ours}


def _own_parts(thing: object) -> list[tuple[object, Registry[Any]]]:
    """The attributes of `thing` that are of a user's own classes, and the tables of their kinds."""
    ours = _built_in()
    return [
        (value, next(registry for registry in _registries if isinstance(value, registry.base)))
        for value in vars(thing).values()
        if type(value) not in ours and isinstance(value, tuple(r.base for r in _registries))
    ]


def _built_in() -> set[type]:
    return {one for registry in _registries for one in registry.built_in}


def a_class_given(kind: type) -> str:
    """What to say where `Adam` stands for `Adam()`."""
    return f"{kind.__name__} is a class, and an object of it is needed: {kind.__name__}(...)"


def as_json(value: Any) -> Any:
    """What JSON gives back of `value`: lists for tuples."""
    return json.loads(json.dumps(value))


def _same_definition(a: type, b: type) -> bool:
    """One class, or the same lines run again, as in a notebook."""
    return (a.__module__, a.__qualname__) == (b.__module__, b.__qualname__)
