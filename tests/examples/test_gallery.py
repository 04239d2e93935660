"""Every script of the gallery runs as its reader would run it, and stands on the page."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "examples" / "gallery").glob("*.py"))
PAGE = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")


def test_every_script_is_on_the_page_with_its_picture():
    pictures = ROOT / "docs" / "static" / "gallery"
    names = [script.stem for script in SCRIPTS]
    assert sorted(re.findall(r"literalinclude} ../examples/gallery/(\w+)\.py", PAGE)) == names
    assert sorted(re.findall(r"static/gallery/(\w+)\.png", PAGE)) == names
    assert sorted(picture.stem for picture in pictures.iterdir()) == names
    assert max(picture.stat().st_size for picture in pictures.iterdir()) < 100_000


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_is_short_and_says_what_it_draws(script):
    text = script.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 80
    assert f"Run: python examples/gallery/{script.name}      # writes {script.stem}.png" in text


@pytest.mark.parametrize(
    "script", sorted((ROOT / "examples").glob("*.py")), ids=lambda script: script.stem
)
def test_a_study_is_short_too(script):
    assert len(script.read_text(encoding="utf-8").splitlines()) < 80


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of VARIMA's optimiser, Lightning and sktime, on their own
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_draws_its_picture(script, tmp_path, monkeypatch, capsys):
    if "darts" in script.stem:
        pytest.importorskip("darts", reason="darts is not installed")
        pytest.importorskip("huggingface_hub", reason="darts' foundation models import it")
    pytest.importorskip("sktime", reason="sktime is not installed")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(script), run_name="__main__")
    assert (tmp_path / f"{script.stem}.png").stat().st_size > 8_000
    assert f"figure: {script.stem}.png" in capsys.readouterr().out
