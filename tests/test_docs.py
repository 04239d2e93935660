"""The pages: every block of Python runs as printed, in order; every import is a public path."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from samovar_forecast.cli import main
from tests.builders.hosts import names_that_cannot_be_had

ROOT = Path(__file__).parent.parent
PUBLIC = ROOT / "docs" / "public.md"


def python_blocks(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


PAGES = [page for page in (ROOT / "README.md", *ROOT.glob("docs/*.md")) if python_blocks(page)]
WORDS = {
    "README": ["infl", "2011Q3"],
    "dynamic_var": ["unit root per series by construction", "passing of time"],
}
"""What a page is to print."""


def check_parts(names: dict) -> None:
    """The parts that the page of the dynamic VAR shows add up to its forecast."""
    assert np.allclose(names["parts"].total(), names["parts"].forecast)


CHECKS = {"dynamic_var": check_parts}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore:.*pin_memory.*accelerator")  # the rest: Lightning's advice
@pytest.mark.filterwarnings("ignore:The '.*_dataloader' does not have many workers")
@pytest.mark.filterwarnings("ignore:The number of training batches")
@pytest.mark.filterwarnings("ignore:The copy keyword is deprecated")  # of sktime's transformers
@pytest.mark.filterwarnings("ignore:Maximum Likelihood optimization failed")  # of VARIMA
@pytest.mark.filterwarnings("ignore:Total length of `list` across ranks is zero")  # of TSMixer
@pytest.mark.filterwarnings("ignore:Found .* module\\(s\\) in eval mode")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_the_page_runs_in_order(page, capsys, tmp_path, monkeypatch):
    pytest.importorskip("sktime", reason="sktime is not installed")
    if "import SAMoVARModel" in page.read_text(encoding="utf-8"):
        pytest.importorskip("darts", reason="darts is not installed")
    if "import SAMoVARZeroShotModel" in page.read_text(encoding="utf-8"):
        pytest.importorskip("huggingface_hub", reason="darts' foundation models import it")
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "__main__"}
    for block in python_blocks(page):
        exec(compile(block, str(page), "exec"), names)
    if "plots" in page.read_text(encoding="utf-8"):
        import matplotlib.pyplot as plt

        plt.close("all")
    printed = capsys.readouterr().out
    assert "nan" not in printed.lower()
    assert [word for word in WORDS.get(page.stem, []) if word not in printed] == []
    CHECKS.get(page.stem, lambda names: None)(names)


def blocks_of(page: Path) -> Iterator[tuple[str, str, str]]:
    """Yield language, note and content of each fenced block, in order."""
    text = page.read_text(encoding="utf-8")
    yield from re.findall(r"^```(\w+) ?(.*?)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


TERMINAL = {"terminal": 5, "quick_start_terminal": 4}
"""Pages of the terminal, and how many commands they show."""
READ_WITH = {
    "terminal": "semicolons between the columns; decimal commas; 1 cell without a value",
    "quick_start_terminal": "semicolons between the columns; decimal commas",
}


def provide_files(page: Path, folder: Path) -> None:
    """Put the files of a page where its reader would save them: blocks of CSV, and files linked."""
    for language, note, content in blocks_of(page):
        if language == "csv":
            (folder / note).write_text(content, encoding="utf-8")
    for link in re.findall(r"\]\((static/[\w.]+)\)", page.read_text(encoding="utf-8")):
        shutil.copy(page.parent / link, folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", TERMINAL)
def test_every_command_of_the_terminal_runs_on_the_files_of_the_page(
    name, tmp_path, monkeypatch, capsys
):
    for package in ("sktime", "statsmodels", "jinja2"):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    page = ROOT / "docs" / f"{name}.md"
    provide_files(page, tmp_path)
    commands = [
        (line, note)
        for language, note, content in blocks_of(page)
        for line in content.splitlines()
        if language == "bash"
    ]
    assert len(commands) == TERMINAL[name]
    for line, note in commands:
        assert main(shlex.split(line)[1:]) == (2 if note == "fails" else 0), line
    printed = " ".join(capsys.readouterr().out.split())
    assert READ_WITH[name] in printed
    for written in re.findall(r"\bnext\.\w+", " ".join(line for line, _ in commands)):
        assert (tmp_path / written).stat().st_size > 300


# ---------------------------------------------------------------- what is public


def public_names() -> dict[str, set[str]]:
    """Return the names that docs/public.md lists, by the module that hands them on."""
    found: dict[str, set[str]] = {}
    for module, names in re.findall(
        r"^\| `(samovar_forecast[\w.]*)` \| (.*?) \|", PUBLIC.read_text(), flags=re.MULTILINE
    ):
        found[module] = set(re.findall(r"`(\w+)`", names))
    return found


def imports_from_us(source: str) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("samovar_forecast"):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (
                (alias.name, "") for alias in node.names if alias.name.startswith("samovar_")
            )


def sources_that_users_read() -> Iterator[tuple[str, str]]:
    for page in (ROOT / "README.md", *ROOT.glob("docs/*.md")):
        yield from ((page.name, block) for block in python_blocks(page))
    for script in sorted(ROOT.glob("examples/**/*.py")):
        yield script.name, script.read_text(encoding="utf-8")


def test_every_name_of_statsmodels_results_stands_on_the_page_of_those_who_come_from_there():
    irf = importlib.import_module("statsmodels.tsa.vector_ar.irf")
    var_model = importlib.import_module("statsmodels.tsa.vector_ar.var_model")
    page = (ROOT / "docs" / "from_statsmodels.md").read_text(encoding="utf-8")
    page = re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE)
    told = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", page))))
    told |= {f"{name}{end}" for name in told for end in ("_dt", "_endog_lagged") if end in told}
    names = {*dir(var_model.VARResults), *dir(irf.IRAnalysis)}
    assert sorted(name for name in names - told if not name.startswith("_")) == []


def test_every_import_that_users_read_is_of_a_public_name():
    public = public_names()
    assert len(public) > 3
    assert [
        f"{where}: from {module} import {name}"
        for where, source in sources_that_users_read()
        for module, name in imports_from_us(source)
        if module not in public or (name and name not in public[module])
    ] == []


def test_every_public_name_is_there_and_every_front_offers_just_its_public_names():
    for module, names in public_names().items():
        front = importlib.import_module(module)
        assert set(front.__all__) == names, module
        for name in names - names_that_cannot_be_had():  # a name that is missing is an ImportError
            exec(f"from {module} import {name}", {})
