"""Pages of source files: where links to files of the repository lead on the site.

A page of docs/ links to `../minicnn/layers/conv2d.py`, which a repository browser shows. On the
site the same link leads to `source/minicnn/layers/conv2d.py.html`, the file in color; a link to a
folder leads to the list of its files. Functions and classes of the reference link to their line.
"""

from __future__ import annotations

import ast
import html
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from string import Template
from typing import Any

import public_names
from docutils import nodes
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import TextLexer, get_lexer_for_filename
from pygments.util import ClassNotFound
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

ROOT = Path(__file__).resolve().parents[2]
KINDS = {
    ".cpp", ".css", ".hpp", ".html", ".inc", ".js", ".json", ".md", ".py", ".sh", ".toml", ".txt",
    ".ui",
}  # fmt: skip
# Small pages of their own: with the navigation of all pages each would take a tenth of a second.
TEMPLATE = Template((Path(__file__).parent / "source_page.html").read_text(encoding="utf-8"))
# What a link to one of these pages of the repository means on the site.
PAGES = {"README.md": "index", "CHANGELOG.md": "changes", "CONTRIBUTING.md": "contributing"}
LARGEST = 300_000  # bytes of a file that is shown

FORMATTER = HtmlFormatter(linenos="inline", linespans="L", wrapcode=True)


def is_shown(path: Path) -> bool:
    """Whether a file is one that people read."""
    return path.suffix in KINDS and path.stat().st_size < LARGEST


def repository_path(env: BuildEnvironment, docname: str, target: str) -> Path | None:
    """Return the file or folder that a link on a page names, unless it is a page or a picture."""
    path = Path(os.path.normpath(Path(env.doc2path(docname)).parent / target.partition("#")[0]))
    if not path.exists():
        path = path.with_name(f"{path.name}.md")  # MyST takes the suffix away from pages
    is_source = path.suffix == ".py" or not path.is_relative_to(env.srcdir)
    return path if is_source and path.is_relative_to(ROOT) and path.exists() else None


def page_of(path: Path) -> str:
    """Return the name of a file's or folder's page; a folder's is `index` in it."""
    name = path.relative_to(ROOT).as_posix()
    return PAGES.get(name) or f"source/{name}{'/index' if path.is_dir() else ''}"


def address(page: str, from_page: str) -> str:
    """Return the relative address of a page on another one."""
    return os.path.relpath(f"{page}.html", Path(from_page).parent)


def shown_by(env: BuildEnvironment) -> dict[str, set[str]]:
    """Return the pages of source files that each page of docs/ needs."""
    if not hasattr(env, "source_pages"):
        env.source_pages = {}
    return env.source_pages


def link_to_sources(app: Sphinx, doctree: nodes.document) -> None:
    """Point links to files of the repository to their pages."""
    env = app.env
    paths = shown_by(env).setdefault(env.docname, set())
    links = [*doctree.findall(addnodes.download_reference), *doctree.findall(addnodes.pending_xref)]
    for node in links:
        target = node.get("reftarget", "")
        path = repository_path(env, env.docname, target) if node.get("reftype") == "myst" else None
        if path is not None:
            paths.add(str(path))
            uri = address(page_of(path), env.docname)
            reference = nodes.reference("", "", *node.children, internal=True, refuri=uri)
            node.replace_self(reference)


def link_objects(app: Sphinx, doctree: nodes.document) -> None:
    """Add the link `[source]` to the signature of each function and class."""
    env = app.env
    paths = shown_by(env).setdefault(env.docname, set())
    for signature in doctree.findall(addnodes.desc_signature):
        place = place_of(signature)
        if place is not None:
            path, line = place
            paths.add(str(path))
            uri = f"{address(page_of(path), env.docname)}#L{line}"
            words = nodes.inline("", "[source]", classes=["viewcode-link"])
            signature += nodes.reference("", "", words, internal=True, refuri=uri)


def place_of(signature: addnodes.desc_signature) -> tuple[Path, int] | None:
    """Return the file and line of what a signature describes, if it is minicnn's."""
    module, fullname = signature.get("module"), signature.get("fullname")
    if not module or not fullname or module not in public_names.modules():
        return None
    value: Any = public_names.modules()[module]
    for name in fullname.split("."):
        value = getattr(value, name, None)
    place = public_names.source_of(value)
    return place if place and place[0].is_relative_to(ROOT / "minicnn") else None


def write_pages(app: Sphinx, problem: Exception | None) -> None:
    """Write the pages of all files that are linked, and of the files in linked folders."""
    if problem is not None or app.builder.format != "html":
        return
    wanted = {Path(path) for paths in shown_by(app.env).values() for path in paths}
    folders = {path for path in wanted if path.is_dir()}
    files = {path for path in wanted if path.is_file()} | {
        path for folder in folders for path in entries(folder) if path.is_file()
    }
    for path in sorted(file for file in files if file.relative_to(ROOT).as_posix() not in PAGES):
        write_page(app, path, file_body)
    for folder in sorted(folders):
        write_page(app, folder, lambda one: folder_body(one, folders))


def write_page(app: Sphinx, path: Path, body: Callable[[Path], str]) -> None:
    """Write the page of a file or folder, unless it is newer than the file."""
    page = page_of(path)
    written = Path(app.outdir) / f"{page}.html"
    if path.is_file() and written.exists() and written.stat().st_mtime > path.stat().st_mtime:
        return
    name = path.relative_to(ROOT).as_posix()
    written.parent.mkdir(parents=True, exist_ok=True)
    top = os.path.relpath(app.outdir, written.parent)
    text = TEMPLATE.substitute(name=html.escape(name), top=top, body=body(path))
    written.write_text(text, encoding="utf-8")


def entries(folder: Path) -> list[Path]:
    """Return the files of a folder that are shown, and the folders in it."""
    found = [path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "__pyc"))]
    return [path for path in found if path.is_dir() or is_shown(path)]


def file_body(path: Path) -> str:
    """Return a file's text in color, with an anchor `L7` at its seventh line."""
    try:
        lexer = get_lexer_for_filename(path.name)
    except ClassNotFound:
        lexer = TextLexer()
    code = highlight(path.read_text(encoding="utf-8"), lexer, FORMATTER)
    return code.replace('id="L-', 'id="L')


def folder_body(folder: Path, folders: Iterable[Path]) -> str:
    """Return the list of a folder's files, each with the first line of its docstring."""
    rows = []
    for path in entries(folder):
        name = html.escape(path.name) + "/" * path.is_dir()
        if path.is_file() or path in folders:
            name = f'<a href="{address(page_of(path), page_of(folder))}">{name}</a>'
        rows.append(f"<tr><td><code>{name}</code></td><td>{html.escape(summary(path))}</td></tr>")
    return f'<table class="docutils files">{"".join(rows)}</table>'


def summary(path: Path) -> str:
    """Return the first line of a module's or package's docstring."""
    source = path / "__init__.py" if path.is_dir() else path
    if source.suffix != ".py" or not source.exists():
        return ""
    return (ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or "").split("\n")[0]


def purge(_app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget what a page needed that is read again."""
    shown_by(env).pop(docname, None)


def merge(_app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
    """Take over what pages need that another process has read."""
    shown_by(env).update({name: shown_by(other).get(name, set()) for name in docnames})


def setup(app: Sphinx) -> dict[str, Any]:
    """Handle links when a page is read, and make the pages of files at the end."""
    # Before Sphinx copies such files, so that they can be downloaded.
    app.connect("doctree-read", link_to_sources, priority=100)
    app.connect("doctree-read", link_objects)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("build-finished", write_pages)
    return {"env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
