"""examples/us_macro.py runs, and its VAR column is statsmodels' own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from statsmodels.tsa.api import VAR

from examples import us_macro
from samovar_forecast import read_var


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_study_answers_every_question_of_both_models_and_draws_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    us_macro.main(tmp_path, n_draws=19)
    told = capsys.readouterr().out
    for heading in ("Largest root", "squared errors", "p-values", "Percent of the errors"):
        assert heading in told
    assert "nan" not in told.lower().split()
    drawn = sorted(path.name for path in tmp_path.iterdir())
    assert drawn == ["coefficient_paths.pdf", "responses.pdf", "variance_shares.pdf"]


@pytest.mark.slow
def test_the_var_column_equals_statsmodels() -> None:
    past = us_macro.load()[: us_macro.LAST_SEEN]
    fitted = VAR(past.to_timestamp()).fit(us_macro.LAGS)
    table = us_macro.responses_of_unemployment(read_var(past, horizon=us_macro.PERIODS), fitted)
    assert np.allclose(table["VAR"], fitted.irf(us_macro.PERIODS).orth_irfs[:, 1, 2], atol=1e-10)
    assert len(table) == us_macro.PERIODS + 1
    assert table.notna().all(axis=None)
