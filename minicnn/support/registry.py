"""Tables of classes by name: "adam" is Adam, and a saved {"class", "config"} is built again.

The names in a file are looked up here and nowhere else. A name that is not in the table is an
error, never an import.
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
C = TypeVar("C", bound=Any)
Classes = Mapping[str, Any]  # classes and functions by name

MAX_QUOTE = 80  # characters of a name that an error repeats
MAX_LIST = 160  # characters of the known names that an error lists
PACKAGE = __name__.partition(".")[0]


def normalized_name(name: str) -> str:
    """Return the name in lower case and without underscores."""
    return name.replace("_", "").lower()


class UnknownClassError(ArgumentError):
    """Raised for a name that no class of a kind has; `near` is a similar known name, or ""."""

    def __init__(self, kind: str, name: object, near: str, text: str) -> None:
        self.kind, self.near = kind, near
        self.name = name[:MAX_QUOTE] if isinstance(name, str) else quoted(name)
        super().__init__(text)


class Registry(Generic[T]):
    """The classes of one kind, all subclasses of `base`, by name.

    Parameters
    ----------
    kind : what errors call them, "optimizer"
    base : the base class
    classes : those of minicnn itself
    aliases : further names for some of them
    key : function that gives names that mean the same one form; by default upper case and
        underscores do not matter
    of_function : makes a class of a user's function, where functions can be such objects
    """

    def __init__(
        self,
        kind: str,
        base: type[T],
        classes: Iterable[type[T]] = (),
        aliases: Mapping[str, type[T]] | None = None,
        key: Callable[[str], str] = normalized_name,
        of_function: Callable[[Any], type[T]] | None = None,
    ) -> None:
        self.kind, self.base, self.key = kind, base, key
        self.of_function = of_function
        self.table: dict[str, type[T]] = {}
        self.aliases = dict(aliases or {})
        self.built_in: set[type[T]] = set()
        self.add(*classes)
        _registries.append(self)

    def add(self, *classes: type[T]) -> None:
        """Add classes of minicnn itself, whose names no other class can then take."""
        self.table |= {self.key(one.__name__): one for one in classes}
        self.built_in |= set(classes)

    def register(self, one: type[T]) -> None:
        """Add a user's class. A second definition of the same class replaces the first one.

        Raises
        ------
        ArgumentError : another class has that name
        """
        there = self.table.get(self.key(one.__name__))
        if there is not None and (there in self.built_in or not _same_definition(there, one)):
            raise ArgumentError(
                f"there is a {self.kind} {one.__name__!r} already; choose another name"
            )
        self.table[self.key(one.__name__)] = one

    def names(self) -> list[str]:
        """Return the names by which the classes are found, in the form that `key` gives them."""
        return list(self.table)

    def find(self, name: object) -> type[T]:
        """Return the class of that name, from `custom_objects` or else from the table.

        Raises
        ------
        UnknownClassError : no class of this kind has that name
        ArgumentError : a class was given in place of a name or an object
        """
        if isinstance(name, str):
            known = {**self.aliases, **self.table, **self._custom()}
            if self.key(name) in known:
                return known[self.key(name)]
            own = find_function(name)
            if own is not None and self.of_function is not None:
                return self.of_function(own)
        if isinstance(name, type) and issubclass(name, self.base):
            raise ArgumentError(class_for_object(name))
        near = self._near(name)
        advice = f"did you mean {near!r}?" if near else f"there are {self._listed()}"
        raise UnknownClassError(
            self.kind, name, near, f"unknown {self.kind} {quoted(name)}; {advice}"
        )

    def get(self, identifier: object) -> T:
        """Return an object from its name, from what `serialize` gave, or the object itself."""
        if isinstance(identifier, self.base):
            return identifier
        if isinstance(identifier, Mapping):
            return self.deserialize(identifier)
        return self.build(self.find(identifier), {})

    def serialize(self, thing: T) -> dict[str, Any]:
        """Return {"class": name, "config": the constructor's arguments}, JSON-able."""
        config = getattr(thing, "saved_config", None) or thing.get_config  # type: ignore[attr-defined]
        return {"class": type(thing).__name__, "config": config()}

    def deserialize(self, data: Mapping[str, Any], custom_objects: Classes | None = None) -> T:
        """Return the object that `serialize` described, here or in Keras.

        `custom_objects` are classes and functions of the user's own that it may name.
        """
        if isinstance(data, Mapping) and {"class_name", "config"} <= set(data):
            data = {"class": data["class_name"], "config": data["config"]}
        if not isinstance(data, Mapping) or set(data) != {"class", "config"}:
            raise ArgumentError(
                f'a saved {self.kind} is {{"class": name, "config": arguments}}; got {quoted(data)}'
            )
        with _known(custom_objects):
            return self.build(self.find(data["class"]), data["config"])

    def build(self, kind: type[T], config: Any) -> T:
        """Return an object of that class, from what `get_config` gave."""
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
        """Raise ArgumentError if `get_config` lacks what is needed to build `thing` again.

        `called` is what the error calls it. A class that is not in the table is assumed to be
        given in `custom_objects` when the file is loaded.
        """
        for part, registry in _own_parts(thing):
            registry.check_rebuildable(
                part, f"the {registry.kind} {type(part).__name__} of {called}"
            )
        remedy = f"give {type(thing).__name__} a get_config() with all arguments of its constructor"
        try:
            missing = self._missing(thing)
            differing = [] if missing else self._changed(thing)
        except (ArgumentError, *WRONG_CONFIG) as err:
            raise ArgumentError(
                f"{called} cannot be saved, because it could not be built again: "
                f"{str(err)[:120] or type(err).__name__}; {remedy}, as numbers, strings, lists and "
                "dicts"
            ) from err
        if missing:
            raise ArgumentError(
                f"{called} cannot be saved: its get_config() lacks {', '.join(missing)}; {remedy}"
            )
        if differing:
            raise ArgumentError(
                f"{called} cannot be saved: built again, it would differ in "
                f"{', '.join(differing)}; {remedy}"
            )

    def _missing(self, thing: T) -> list[str]:
        """Return the arguments of a user's own constructor that `get_config` leaves out."""
        needed: list[str] = []
        for one in type(thing).__mro__:
            if one.__module__.partition(".")[0] == PACKAGE:
                break
            if "__init__" in vars(one):
                parameters = inspect.signature(vars(one)["__init__"]).parameters.values()
                needed += [p.name for p in parameters if p.kind not in _COLLECTING][1:]
        config = thing.get_config()  # type: ignore[attr-defined]
        if not isinstance(config, Mapping):
            raise ArgumentError(f"get_config() must return a dict; it gave {quoted(config, 40)}")
        return [name for name in needed if name not in config and name not in OPTIONAL]

    def _changed(self, thing: T) -> list[str]:
        """Return the arguments that differ after building `thing` from its `get_config`."""
        saved = as_json(thing.get_config())  # type: ignore[attr-defined]
        with custom_objects(own_classes([thing]) | {type(thing).__name__: type(thing)}):
            again = as_json(self.build(type(thing), saved).get_config())  # type: ignore[attr-defined]
        return [name for name in {**saved, **again} if saved.get(name) != again.get(name)]

    def _custom(self) -> dict[str, type[T]]:
        """Return the classes of this kind that `custom_objects` has."""
        return {
            self.key(name): one
            for name, one in _custom_objects.get().items()
            if isinstance(one, type) and issubclass(one, self.base)
        }

    def _listed(self) -> str:
        """Return the names of the classes, in alphabetical order, as far as a message has room."""
        text = ", ".join(sorted(one.__name__ for one in self.table.values()))
        return text if len(text) <= MAX_LIST else f"{text[:MAX_LIST].rpartition(', ')[0]}, ..."

    def _near(self, name: object) -> str:
        """Return the known name that is most similar to this one, or ""."""
        word = name[:MAX_QUOTE] if isinstance(name, str) else quoted(name)
        near = difflib.get_close_matches(self.key(word), self.table, 1)
        return self.table[near[0]].__name__ if near else ""


# Arguments that a layer's get_config() may leave out: the network knows its input's shape.
OPTIONAL = ("input_shape",)
# What a user's get_config() and constructor may raise if they do not match.
WRONG_CONFIG = (TypeError, ValueError, LookupError, AttributeError, NotImplementedError)
_COLLECTING = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_registries: list[Registry[Any]] = []
_functions: dict[str, Callable[..., Any]] = {}  # that users registered
_custom_objects: ContextVar[Classes] = ContextVar("custom_objects", default={})  # noqa: B039


def register_serializable(kind: C) -> C:
    """Let `load_model` build a class of yours or find a function; can be used as a decorator.

    The class may be a layer, an initializer, a loss, a metric, an optimizer, a schedule or a
    subclass of Model or Sequential. A file has its name and the result of its `get_config()`,
    which must be the constructor's arguments. A function, such as a regularizer, is found by its
    name.

    Raises
    ------
    ArgumentError : it is of none of these kinds, or its name is taken
    """
    if _is_function(kind):
        _functions[kind.__name__] = kind
        return kind
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
    """Return all registries, one for each kind of object that files may name."""
    return tuple(_registries)


@contextmanager
def custom_objects(classes: Classes | None) -> Iterator[None]:
    """Inside the block, files may also name these classes and functions: {"Scale": Scale}."""
    if classes is not None and not (
        isinstance(classes, Mapping)
        and all(
            isinstance(k, str) and (isinstance(v, type) or _is_function(v))
            for k, v in classes.items()
        )
    ):
        raise ArgumentError(
            'custom_objects must be a dict of classes and functions, like {"Scale": Scale}; got '
            f"{quoted(classes)}"
        )
    token = _custom_objects.set({**_custom_objects.get(), **(classes or {})})
    try:
        yield
    finally:
        _custom_objects.reset(token)


_known = custom_objects  # under a name that no argument has


def get_custom_objects() -> dict[str, Any]:
    """Return the user's classes and functions by name, as a dict that may be changed."""
    return _custom_objects.get()  # type: ignore[return-value]


def find_function(name: object) -> Callable[..., Any] | None:
    """Return the function of that name from `custom_objects` or `register_serializable`."""
    if not isinstance(name, str):
        return None
    own = _custom_objects.get().get(name)
    return own if _is_function(own) else _functions.get(name)


def own_classes(things: Iterable[object]) -> dict[str, Any]:
    """Return the user's own classes of these things and of their parts, by name; functions, too."""
    things = list(things)
    parts = [part for thing in things for part, _ in _own_parts(thing)]
    ours = _built_in()
    functions = [value for thing in things for value in vars(thing).values() if _is_function(value)]
    return {one.__name__: one for one in functions} | {
        type(one).__name__: type(one) for one in (*things, *parts) if type(one) not in ours
    }


def _is_function(thing: object) -> bool:
    """Return whether this is a function, which has a name, and not a class or an object."""
    name = getattr(thing, "__name__", "")  # that of a lambda is no identifier
    return callable(thing) and not isinstance(thing, type) and name.isidentifier()


def _own_parts(thing: object) -> list[tuple[object, Registry[Any]]]:
    """Return the attributes of `thing` that are of a user's own classes, with their registries."""
    ours = _built_in()
    return [
        (value, next(registry for registry in _registries if isinstance(value, registry.base)))
        for value in vars(thing).values()
        if type(value) not in ours and isinstance(value, tuple(r.base for r in _registries))
    ]


def _built_in() -> set[type]:
    return {one for registry in _registries for one in registry.built_in}


def class_for_object(kind: type) -> str:
    """Return the error's text for a class that was given in place of an object of it."""
    return f"{kind.__name__} is a class, and an object of it is needed: {kind.__name__}(...)"


def as_json(value: Any) -> Any:
    """Return `value` as it is after a way through JSON: tuples become lists."""
    return json.loads(json.dumps(value))


def _same_definition(a: type, b: type) -> bool:
    """Return whether both come from the same lines, which a notebook may run again."""
    return (a.__module__, a.__qualname__) == (b.__module__, b.__qualname__)
