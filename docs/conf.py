"""How Sphinx makes the site of these pages: `python -m sphinx -W docs build/docs`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent

# Pages and chapters import the package of this checkout, also in the processes of the chapters.
sys.path[:0] = [str(ROOT), str(DOCS / "extensions")]
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
)
# Threads of OpenBLAS wait for each other, which is slow for a chapter's small matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

project = "minicnn"
author = "the authors of minicnn"
html_title = "minicnn"

extensions = ["myst_nb", "api_pages", "command_pages", "mathml", "source_pages"]
exclude_patterns = ["drawings", "extensions"]
html_favicon = "../minicnn/apps/web/static/web/icon.svg"
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False

smartquotes = False  # quotes are part of what one types: padding="same"
highlight_language = "text"  # of blocks that name no language: lines to type, and what is printed

myst_enable_extensions = ["colon_fence", "dollarmath", "deflist"]
myst_heading_anchors = 4

# Chapters of the course are executed, and built again only if their code has changed. A page is
# such a chapter if it begins with `file_format: mystnb` and the kernel's name.
nb_execution_mode = "cache"
nb_execution_cache_path = str(ROOT / "build" / "chapters")
nb_execution_timeout = 300  # seconds for a cell, on a busy machine; a chapter takes about ten
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True
nb_ipywidgets_js = {}  # its default loads scripts from other hosts

html_math_renderer = "mathml"

# Signatures are those that one types; docstrings say what an argument may be.
add_module_names = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
toc_object_entries_show_parents = "hide"

# Every reference must lead somewhere; types of properties may be classes without a public name.
nitpicky = True
nitpick_ignore_regex = [("py:class", r"minicnn\..*")]
