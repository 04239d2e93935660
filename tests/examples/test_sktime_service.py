"""The service fits, saves, loads in a fresh process, updates and forecasts, as its reader would."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("sktime", reason="sktime is not installed")

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "sktime_service.py"


def load_example():
    spec = importlib.util.spec_from_file_location("sktime_service", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    return example


def test_a_step_moves_the_artifact_on(tmp_path):
    example = load_example()
    example.fit(tmp_path / "service.zip", until="2008Q3")
    first = example.step(tmp_path / "service.zip", "2008Q4", "2008Q4")
    second = example.step(tmp_path / "service.zip", "2009Q1", "2009Q1")
    assert list(map(str, first.index)) == ["2009Q1", "2009Q2", "2009Q3", "2009Q4"]
    assert list(map(str, second.index)) == ["2009Q2", "2009Q3", "2009Q4", "2010Q1"]


@pytest.mark.slow  # processes of its own, each with all its imports
def test_the_service_runs_and_refuses_a_damaged_file(tmp_path, capsys):
    load_example().main(["--artifact", str(tmp_path / "service.zip"), "--steps", "1"])
    told = capsys.readouterr().out
    assert "2009Q4" in told
    assert "a damaged file is refused" in told
