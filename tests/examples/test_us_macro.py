"""examples/us_macro.py runs, and its VAR column is statsmodels' own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from examples import us_macro


@pytest.mark.slow
def test_the_study_answers_every_question_of_both_models_and_draws_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    us_macro.main(["--folder", str(tmp_path), "--seeds", "2", "--epochs", "4"])
    told = capsys.readouterr().out
    for heading in (
        "Root",
        "root mean squared error",
        "p-values",
        "percent due to",
        "What differs",
    ):
        assert heading.lower() in told.lower()
    assert "nan" not in told.lower().split()
    drawn = sorted(path.name for path in tmp_path.iterdir())
    assert drawn == ["coefficient_paths.pdf", "responses.pdf", "variance_shares.pdf"]


@pytest.mark.slow
def test_the_var_column_equals_statsmodels() -> None:
    study = us_macro.fit(n_seeds=2, max_epochs=1)
    found = us_macro.impulse_responses(study)["VAR"]
    assert np.allclose(found.estimate, study.var.irf(us_macro.PERIODS).orth_irfs, atol=1e-10)
    shares = us_macro.variance_shares(study)["VAR"]
    assert np.allclose(shares.decomp, study.var.fevd(us_macro.PERIODS).decomp)
    errors = us_macro.accuracy(study)
    assert list(errors.index) == ["no change", "VAR", "DynamicVAR"]
    assert errors.notna().all(axis=None)
