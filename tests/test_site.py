"""The documentation site: every public name, error and kind of page has its place.

`.ci/run` builds the site and checks what was built: the part `documentation_site`.
"""

from __future__ import annotations

import builtins
import inspect
import re
from pathlib import Path
from types import ModuleType

import check_site
import docstrings
import house
import numpy as np
import public_names
import pytest
from test_layering import MAY_IMPORT

import minicnn as mc
from minicnn import errors, layers, ops
from minicnn.apps.cli import exit_codes
from minicnn.support.registry import UnknownClassError

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def names_in_all(name: str, module: ModuleType) -> set[str]:
    """Every name that an `__all__` lists, from minicnn downward, with that of its module."""
    found = set()
    for member in getattr(module, "__all__", ()):
        value = getattr(module, member)
        found.add(f"{name}.{member}")
        if isinstance(value, ModuleType):
            found |= names_in_all(f"{name}.{member}", value)
    return found


def described_modules() -> list[str]:
    text = "\n".join(page.read_text() for page in (DOCS / "api").glob("*.rst"))
    return re.findall(r"^\.\. public-module:: (\S+)$", text, re.MULTILINE)


def test_every_public_name_has_a_page():
    """A page describes all names of its modules, so a name lacks one only if its module does."""
    described = described_modules()
    assert len(described) == len(set(described))
    places = {*described, *(n for n in public_names.objects() if n.rpartition(".")[0] in described)}
    wanted = names_in_all("minicnn", mc)
    assert len(wanted) > 900
    assert wanted - places == set()


def test_every_module_of_the_reference_exists():
    assert set(described_modules()) == set(public_names.modules())


def test_every_page_of_the_reference_is_in_its_table():
    listed = re.findall(r"^(\w+)$", (DOCS / "api" / "index.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(page.stem for page in (DOCS / "api").glob("*.rst"))


def test_every_public_function_and_class_has_a_docstring():
    described = {name: one for name, one in public_names.objects().items() if callable(one)}
    assert [name for name, one in described.items() if not one.__doc__] == []


def test_a_name_of_several_modules_is_described_once():
    assert public_names.home("minicnn.Model") == "minicnn.models.Model"
    assert public_names.home("minicnn.layers.MaxPool2D") == "minicnn.layers.MaxPooling2D"


DOCSTRING = """Scales values by `factor`, see `Conv2D`.

y[i] = factor * x[i]

Parameters
----------
x : float32 array
    At least one value.
factor, other : numbers; default 1,
    of any size

Raises
------
ShapeError : x is *empty*
OSError
    The disk is full.

>>> scale(2)
4
"""


def test_docstrings_become_fields_formulas_and_examples():
    lines = docstrings.to_rst(DOCSTRING, lambda name: f"<{name}>")
    text = "\n".join(lines)
    assert "Scales values by <factor>, see <Conv2D>." in text
    assert ".. code-block:: text\n\n   y[i] = factor * x[i]" in text
    assert ":Parameters:\n   - ``x`` – float32 array. At least one value." in text
    assert "   - ``factor``, ``other`` – numbers; default 1, of any size" in text
    assert "   - <ShapeError> – x is \\*empty\\*" in text
    assert "   - <OSError> – The disk is full." in text
    assert ".. code-block:: pycon\n\n   >>> scale(2)\n   4" in text


def all_errors() -> set[type]:
    classes = [one for one in vars(errors).values() if inspect.isclass(one)]
    found = {one for one in classes if one.__module__ == errors.__name__}
    return found | {UnknownClassError, exit_codes.BadDataFound, exit_codes.GoalNotReached}


def test_every_error_is_on_the_page_of_errors():
    text = (DOCS / "errors.md").read_text()
    assert {one.__name__ for one in all_errors() if f"`{one.__name__}`" not in text} == set()


def test_the_page_of_errors_says_which_built_in_error_each_is():
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", (DOCS / "errors.md").read_text(), re.MULTILINE)
    kinds = {one.__name__: one for one in all_errors()}
    assert len(rows) > 20
    for name, built_in in rows:
        assert issubclass(kinds[name], getattr(builtins, built_in)), name


def test_the_drawing_of_the_house_is_that_of_the_table():
    drawn = (DOCS / "images" / "house.svg").read_text(encoding="utf-8")
    assert drawn == house.drawing(MAY_IMPORT), "python docs/drawings/house.py draws it again"


def test_every_page_is_in_a_table_of_contents():
    text = (DOCS / "index.md").read_text()
    for page in DOCS.glob("*.md"):
        assert page.stem == "index" or re.search(rf"^{page.stem}$", text, re.MULTILINE), page


TABLES = ("from-pytorch.md", "from-caffe.md")
OURS = r"(?:mc|layers|ops|model)\b[^`]*"
ROW = re.compile(rf"^\| (?P<theirs>`.*?) \| `(?P<ours>{OURS})`", re.MULTILINE)
ROWS = [
    pytest.param(row["ours"], id=f"{page}: {row['theirs']}")
    for page in TABLES
    for row in ROW.finditer((DOCS / page).read_text())
]


@pytest.mark.parametrize("ours", ROWS)
def test_what_other_frameworks_have_is_called_so_here(ours):
    """Each expression in the tables of names can be evaluated, with what the pages define."""
    model = mc.Sequential([mc.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10)])
    names = {
        "mc": mc, "layers": layers, "ops": ops, "np": np, "model": model, "steps": 938,
        "x": np.ones((2, 8, 8, 16), np.float32), "images": np.zeros((8, 28, 28, 1), np.uint8),
        "labels": np.zeros(8, np.int64),
    }  # fmt: skip
    mc.utils.set_random_seed(0)
    assert eval(ours, names) is not NotImplemented


CAFFE = re.findall(
    r"^\| `(type: \"\w+\".*?)` \| `(layers\.[^`]*)` \|$",
    (DOCS / "from-caffe.md").read_text(),
    re.MULTILINE,
)
# Initial values come from the file's weights; the others are not arguments of a computation.
NOT_COMPARED = {
    "name", "trainable", "dtype", "data_format", "algorithm", "seed", "kernel_initializer",
    "bias_initializer", "alpha_initializer",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*no weights for")
@pytest.mark.parametrize(("theirs", "ours"), CAFFE)
def test_a_layer_of_caffe_becomes_the_layer_of_the_table(tmp_path, theirs, ours):
    pytest.importorskip("google.protobuf", reason="pip install -e '.[caffe]'")
    shape = "input_param { shape { dim: 1 dim: 4 dim: 9 dim: 9 } }"
    path = tmp_path / "net.prototxt"
    path.write_text(
        f'layer {{ name: "data" type: "Input" top: "data" {shape} }}\n'
        f'layer {{ name: "x" {theirs} bottom: "data" top: "x" }}'
    )
    wanted = eval(ours, {"layers": layers})
    found = [one for one in mc.interop.caffe.load(path).layers if type(one) is type(wanted)]
    assert len(found) == 1
    for name, value in wanted.get_config().items():
        if name not in NOT_COMPARED:
            other = found[0].get_config()[name]
            assert other == (pytest.approx(value) if isinstance(value, float) else value), name


GOOD = '<link rel="stylesheet" href="a.css"><h1 id="top">A</h1><a href="b.html#here">b</a>'


def site(folder, **files):
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return check_site.check(folder)


def test_a_site_with_good_links_has_no_problem(tmp_path):
    found = site(tmp_path, a_html=GOOD, b_html='<p id="here">', a_css="p { color: red }")
    assert found == check_site.Found(pages=2, links=2, problems=[])


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"b_html": "<p>", "a_css": ""}, "a.html: b.html#here leads nowhere"),
        ({"a_css": ""}, "a.html: b.html#here leads nowhere"),
        ({"b_html": '<p id="here">'}, "a.html: a.css leads nowhere"),
        (
            {"b_html": '<p id="here"><img src="https://example.org/a.png">', "a_css": ""},
            "b.html loads https://example.org/a.png",
        ),
        (
            {"b_html": '<p id="here">', "a_css": "@import url(//example.org/font.css);"},
            "a.css loads //example.org/font.css",
        ),
    ],
)
def test_a_wrong_link_and_another_host_are_found(tmp_path, files, problem):
    assert problem in site(tmp_path, a_html=GOOD, **files).problems
