"""The directive `public-module`: a page with every public name of a module.

Functions and classes are described by Sphinx's autodoc, from their docstrings. An object with
several names is described under one of them; the others lead there.
"""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

import docstrings
import public_names
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.inspect import stringify_signature

MANY = 14  # names on a page that is divided by the files that define them


class PublicModule(SphinxDirective):
    """Describes a module, then its names in groups."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the nodes of the whole page but for its title."""
        name = self.arguments[0]
        lines = [f".. py:module:: {name}", "", *docstring_of(public_names.modules()[name], name)]
        for heading, introduction, members in groups(name):
            lines += [heading, "-" * len(heading), "", *introduction] if heading else []
            for member in members:
                lines += described(f"{name}.{member}")
        for file in self.dependencies(name):
            self.env.note_dependency(file)
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)

    def dependencies(self, module: str) -> set[str]:
        """Return the files whose docstrings are on the page."""
        found = (public_names.source_of(value) for value in members_of(module).values())
        return {str(place[0]) for place in found if place}


def members_of(module: str) -> dict[str, Any]:
    """Return the names of a module that are no modules, and what they are."""
    start = f"{module}."
    return {
        name.removeprefix(start): value
        for name, value in public_names.objects().items()
        if name.startswith(start) and "." not in name.removeprefix(start)
    }


def groups(module: str) -> list[tuple[str, list[str], list[str]]]:
    """Return (heading, introduction, names) of each file that defines names of the module."""
    members = members_of(module)
    if len(members) <= MANY:
        return [("", [], list(members))]
    found: dict[str, list[str]] = {}
    for name, value in members.items():
        found.setdefault(defining_module(value, module), []).append(name)
    if len(found) == 1:
        return [("", [], list(members))]
    headed = [(*heading_of(file), sorted(names)) for file, names in found.items()]
    return sorted(headed, key=lambda group: group[0])


def defining_module(value: Any, module: str) -> str:
    """Return the name of the module that defines an object; constants belong to `module`."""
    return getattr(public_names.unwrapped(value), "__module__", None) or module


def heading_of(module: str) -> tuple[str, list[str]]:
    """Return the first words of a module's docstring, and all of it as an introduction."""
    text = inspect.getdoc(importlib.import_module(module)) or module
    words = re.split(r"[:;,.]( |$)", text.splitlines()[0].replace("`", ""))[0]
    return words, docstrings.to_rst(text, linker(module))


def described(name: str) -> list[str]:
    """Return the directive that describes a public name."""
    value = public_names.objects()[name]
    home = public_names.home(name)
    if not callable(value) or not hasattr(value, "__name__"):
        return constant(name, value)
    if home != name:
        return alias(name, home, value)
    if inspect.isclass(value):
        signature = arguments(value)
        return [f".. autoclass:: {name}{signature}", *option("members", own_members(value)), ""]
    return [f".. autofunction:: {name}", ""]


def arguments(cls: type) -> str:
    """Return the arguments of a class; some classes take any, and check them themselves."""
    signature = inspect.signature(cls.__init__)
    without_self = list(signature.parameters.values())[1:]
    shown = signature.replace(parameters=without_self)
    return stringify_signature(shown, show_annotation=False, show_return_annotation=False)


def option(name: str, values: list[str]) -> list[str]:
    """Return the line of an option, or none without values."""
    return [f"   :{name}: {', '.join(values)}"] if values else []


def alias(name: str, home: str, value: Any) -> list[str]:
    """Describe another name of an object by a link to the one that is described."""
    kind = "class" if inspect.isclass(value) else "function"
    short = name.rpartition(".")[2]
    return [f".. py:{kind}:: {short}", "", f"   The same as :py:obj:`{home}`.", ""]


def constant(name: str, value: Any) -> list[str]:
    """Describe a constant by its value, or by the keys of a table."""
    shown = list(value) if isinstance(value, dict) else value
    text = repr(shown) if isinstance(shown, (int, float, str, list)) else ""
    if isinstance(shown, tuple):
        text = repr(tuple(getattr(one, "name", one) for one in shown))
    what = "Keys" if isinstance(value, dict) else "Value"
    body = [f"   :{what}: ``{text or value}``", ""]
    return [f".. py:data:: {name.rpartition('.')[2]}", "", *body]


def own_members(cls: type) -> list[str]:
    """Return the methods and properties that a class adds to its public base classes.

    A class without any, and a model, also has those of the base classes that are not public.
    """
    bases = [base for base in cls.__mro__[1:] if base.__module__.startswith("minicnn.")]
    public = [base for base in bases if is_public(base)]
    whole = not public or cls.__module__.startswith("minicnn.models.")
    known = {name for base in (public if whole else bases) for name in vars(base)}
    found: dict[str, None] = {}
    for base in [cls, *(base for base in bases if whole and base not in public)]:
        found |= dict.fromkeys(name for name in vars(base) if is_described(base, name))
    return [name for name in found if name not in known]


def is_public(cls: type) -> bool:
    """Whether the reference describes the class."""
    return id(cls) in public_names.homes()


def is_described(cls: type, name: str) -> bool:
    """Whether a member is a method or a property with a docstring."""
    value = vars(cls)[name]
    kinds = (property, classmethod, staticmethod)
    return (
        not name.startswith("_")
        and (inspect.isroutine(value) or isinstance(value, kinds))
        and bool(value.__doc__)
    )


def linker(name: str) -> docstrings.Link:
    """Return what a name between backticks becomes in the docstring of `name`: a link or code."""
    module = name
    while module not in public_names.modules() and "." in module:
        module = module.rpartition(".")[0]

    def link(word: str) -> str:
        target = target_of(re.sub(r"^mc\.", "minicnn.", word).removesuffix("()"), module)
        return f":py:obj:`{word} <{target}>`" if target else f"``{word}``"

    return link


def target_of(word: str, module: str) -> str | None:
    """Return the public name that a word means: a dotted one, one of the module, or a class."""
    if word in public_names.modules():
        return word
    objects = public_names.objects()
    if word in objects:
        return public_names.home(word)
    if f"{module}.{word}" in objects and word[:1].isupper():
        return public_names.home(f"{module}.{word}")
    if not word[:1].isupper() or not word.isidentifier():
        return None
    homes = public_names.homes().values()
    return next((found for found in homes if found.endswith(f".{word}")), None)


def docstring_of(value: Any, name: str) -> list[str]:
    """Return the docstring of an object as reStructuredText."""
    return docstrings.to_rst(inspect.getdoc(value) or "", linker(name))


def convert_docstring(
    _app: Sphinx, _what: str, name: str, _value: Any, _options: Any, lines: list[str]
) -> None:
    """Give autodoc a docstring as reStructuredText."""
    lines[:] = docstrings.to_rst("\n".join(lines), linker(name))


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive, and prepare docstrings for autodoc."""
    app.setup_extension("sphinx.ext.autodoc")
    app.add_directive("public-module", PublicModule)
    app.connect("autodoc-process-docstring", convert_docstring)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
