"""The darts example runs as its reader would run it, and says what it promises."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("darts", reason="darts is not installed")

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "darts_backtest.py"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of VARIMA's optimiser and of Lightning, on their own
def test_the_backtest_compares_three_models_and_draws_them(tmp_path, capsys):
    spec = importlib.util.spec_from_file_location("darts_backtest", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    figure = tmp_path / "figure.png"
    table = example.main(30, figure)
    assert set(table.index) == {"SAMoVAR", "NLinear", "VARIMA(2, 0, 0)"}
    assert np.isfinite(table.to_numpy()).all()
    assert table.loc["SAMoVAR", "mean"] < 1.1 * table.loc["VARIMA(2, 0, 0)", "mean"]
    assert figure.stat().st_size > 20_000
    assert "SAMoVAR" in capsys.readouterr().out
