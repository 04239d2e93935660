"""The documentation as pages: `make docs` builds them, and any warning is an error.

The pages are the Markdown files beside this file, README and changelog, and a reference that is
written from the table of public paths in public.md and the docstrings of what it names.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pygments.lexers.special import TextLexer
from sphinx.highlighting import lexers

import samovar_forecast

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
GENERATED = HERE / "generated"
"""Pages that are written anew at each build, and are not kept."""
LINK = r"(?<!!)\[(?P<text>[^\]]+)\]\({}(?P<path>[^)#\s]+)\)"
"""A link, no picture, to a path that begins as the text in braces says."""

project = "samovar_forecast"
author = "The samovar_forecast maintainers"
version = release = samovar_forecast.__version__
extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
exclude_patterns = ["templates"]
root_doc = "index"
nitpicky = False
templates_path = ["templates"]

lexers["csv"] = TextLexer()

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4

autodoc_typehints = "none"  # numpydoc's sections say the types
autodoc_class_signature = "mixed"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

# Every check of numpydoc but those of form, which ruff makes (GL02, GL08, SS03), those that ask for
# more words where a line says all, and those against an item that several parameters or values
# share (PR03, RT02). The arguments of darts' models stand in their docstrings; darts' metaclass
# hides them behind *args and **kwargs.
numpydoc_validation_checks = {
    *("all", "GL02", "GL08", "SS03", "PR03", "RT02"),
    *("ES01", "EX01", "PR01", "PR04", "PR07", "RT01", "RT03", "SA01"),
}
numpydoc_validation_exclude = {r"\.SAMoVARModel$", r"\.SAMoVARZeroShotModel$"}

html_theme = "furo"
html_title = f"samovar_forecast {version}"
html_static_path = ["static"]
html_css_files = ["pages.css"]
html_show_sourcelink = False
html_copy_source = False
copyright = "the samovar_forecast maintainers, BSD 3-Clause"


def public_paths() -> dict[str, list[str]]:
    """Return the public names of each module, as the table of public.md lists them."""
    rows = re.findall(r"^\| `([\w.]+)` \| (.+?) \|", (HERE / "public.md").read_text(), re.MULTILINE)
    return {module: re.findall(r"`(\w+)`", names) for module, names in rows}


def write_pages() -> None:
    """Write README, changelog, and a page for each public module with links to its names."""
    modules = public_paths()
    for module, names in modules.items():
        lines = [module, "=" * len(module), "", f".. currentmodule:: {module}", ""]
        lines += [".. autosummary::", "   :toctree: names", "", *(f"   {name}" for name in names)]
        _write(f"{module}.rst", "\n".join(lines) + "\n")
    lines = ["# Reference", "", "```{toctree}", ":maxdepth: 1", "", *modules, "```", ""]
    _write("reference.md", "\n".join(lines))
    for name in ("README", "CHANGELOG"):
        text = (ROOT / f"{name}.md").read_text()
        text = re.sub(r"\]\(docs/", "](../", text)
        _write(f"{name.lower()}.md", re.sub(LINK.format(r"(?![.#]|https?:)"), _file_named, text))


def _write(name: str, text: str) -> None:
    """Write a page where it has changed: a page that has not is not built again."""
    path = GENERATED / name
    path.parent.mkdir(exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def say_where_files_are(_app: Any, name: str, source: list[str]) -> None:
    """Turn links to files of the repository, which no page shows, into their paths."""
    if name.startswith("generated/"):
        return
    for page in ("README", "CHANGELOG"):
        source[0] = source[0].replace(f"](../{page}.md)", f"](generated/{page.lower()}.md)")
    source[0] = re.sub(LINK.format(r"\.\./"), _file_named, source[0])


def _file_named(link: re.Match[str]) -> str:
    """Return the text of a link with the path of its file, where the text does not say it."""
    text, path = link["text"], link["path"]
    return text if path.rsplit("/", 1)[-1] in text else f"{text} (`{path}`)"


def skip_what_the_host_says(
    _app: Any, _kind: str, _name: str, member: Any, skip: bool, _options: Any
) -> bool | None:
    """Leave out what a class has from sktime, darts or torch: their pages say it."""
    function = getattr(member, "fget", None) or getattr(member, "func", None) or member
    module = getattr(function, "__module__", None)
    is_ours = module is None or module.split(".")[0] == samovar_forecast.__name__
    return None if is_ours else True


def setup(app: Any) -> None:
    """Write the pages that are generated before any page is read."""
    app.connect("autodoc-skip-member", skip_what_the_host_says)
    app.connect("source-read", say_where_files_are)
    write_pages()
