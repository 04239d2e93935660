"""The zero-shot example runs as its reader would run it, and beats what it stands beside."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("darts", reason="darts is not installed")
pytest.importorskip("huggingface_hub", reason="darts' foundation models import huggingface_hub")

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "darts_zero_shot.py"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of VARIMA's optimiser and of Lightning, on their own
def test_the_pretrained_network_is_backtested_beside_varima(capsys):
    spec = importlib.util.spec_from_file_location("darts_zero_shot", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    table = example.main()
    assert np.isfinite(table.to_numpy()).all()
    mean = table.mean(axis=1)
    assert mean["SAMoVAR, zero-shot"] < 1.1 * mean["VARIMA(2, 0, 0)"]
    assert "80 %" in capsys.readouterr().out
