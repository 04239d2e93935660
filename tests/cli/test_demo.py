"""The demo, as a stranger types it."""

from __future__ import annotations

import os
import subprocess
import sys

import pandas as pd
import pytest

from samovar_forecast.cli import demo as command
from samovar_forecast.comparison import classical_forecasters
from tests.builders.cli import run
from tests.builders.frames import months, write_csv

FIGURES = ("forecasts_typical", "forecasts_last", "errors_by_step", "var_lag_matrices")


def test_the_demo_prints_data_models_leaderboard_verdict_and_figures(quick, capsys, tmp_path):
    folder = tmp_path / "made" / "here"
    code, out, err = run(capsys, "demo", "--output", folder, "--figures", "svg", "--quiet")
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    for expected in (
        "US quarterly macro series from statsmodels (macrodata), 1959Q2 to 2009Q3, 202 rows",
        "400 times the difference of logs",
        "8 steps ahead from 10 origins",
        "every 4 origins",
        "Lowest MSE over all steps: ",
        "SAMoVAR averaged its members by 75% linear and 25% pretrained, the VAR chose order 3",
    ):
        assert expected in words
    for metric in ("MSE", "MAE", "MASE"):
        assert f"- {metric} -" in out
    for name in FIGURES:
        assert (folder / f"{name}.svg").stat().st_size > 10_000
        assert f"{name}.svg" in out
    n_models = 1 + len(classical_forecasters())
    assert len(pd.read_csv(folder / "forecasts.csv")) == n_models * 10 * 8 * 6
    assert max(map(len, out.replace(str(folder), "").splitlines())) <= 100


def test_refit_concerns_samovar_alone_unless_it_is_for_all(quick, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(command, "_write_results", lambda *arguments: [])
    arguments = ("demo", "--output", tmp_path, "--origins", 3, "--refit", "first", "--quiet")
    _, out, _ = run(capsys, *arguments)
    assert out.count("first origin only") == 1
    _, out, _ = run(capsys, *arguments, "--refit-all")
    assert out.count("first origin only") == 1 + len(classical_forecasters())


@pytest.mark.slow
def test_the_demo_runs_from_a_fresh_process_with_samovar_itself(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "samovar_forecast.cli",
            "demo",
            "--origins",
            "2",
            "--refit",
            "first",
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "SAMoVAR averaged its members by" in done.stdout
    assert "failed" not in done.stdout
    assert {path.stem for path in (tmp_path / "samovar_demo").glob("*.png")} == {
        *FIGURES,
        "samovar_lag_matrices",
    }


def test_the_demo_does_not_write_its_forecasts_over_the_file_that_it_reads(capsys, tmp_path):
    path = write_csv(tmp_path / "forecasts.csv", months())
    before = path.read_bytes()
    code, out, err = run(capsys, "demo", "--data", path, "--output", tmp_path)
    assert (code, out) == (2, "")
    assert "is read by this command" in " ".join(err.split())
    assert path.read_bytes() == before
