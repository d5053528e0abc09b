"""Build the documentation: `make docs`, which treats every warning as an error.

The pages under `docs/api/` are written by `api_pages.py` from what the packages export.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import api_pages  # noqa: E402

import garage_like  # noqa: E402

project = "garage_like"
author = "the garage_like maintainers"
copyright = "2026, the garage_like maintainers"
release = version = garage_like.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_click",
]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3

# A name in single backquotes is code, in docstrings as in Markdown.
default_role = "literal"
smartquotes = False  # they would turn --json into a dash
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
# Constructors show options of their bases, whose defaults do not stand in the source at hand.
autodoc_preserve_defaults = False
# `Policy` is an interface and a class in torch: either is a fair place for a link to lead to.
suppress_warnings = ["ref.python"]
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = "garage_like"
html_static_path = ["_static"]
html_show_sphinx = False
html_copy_source = False


def setup(app: object) -> None:
    """Write the API pages before Sphinx reads its sources, and read docstrings as plain text."""
    app.connect("builder-inited", lambda _: api_pages.write(HERE / "api"))
    app.connect("autodoc-process-docstring", api_pages.escape, priority=400)
    app.connect("autodoc-skip-member", api_pages.skip)
