"""Constancy without training: rivals known to be constant, and movements that are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.dynamics import zero_shot_constancy as module
from samovar_forecast.dynamics.zero_shot_constancy import constant_forecasts, constant_paths
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.linear.simulate import simulate_var
from tests.builders.members import average_var

COEFS = np.array([[[0.5, 0.2], [-0.2, 0.4]]])


def test_constant_forecasts_know_no_later_row_and_come_near_the_conditional_mean() -> None:
    y = simulate_var(COEFS, 400, random_state=0)
    found = constant_forecasts(y)
    changed = y.copy()
    changed[300:] += 5.0
    assert np.allclose(constant_forecasts(changed)[:301], found[:301], rtol=0, atol=1e-12)
    mean = y[:-1] @ COEFS[0].T
    assert np.sqrt(np.square(found[201:] - mean[200:]).mean()) < 0.25


def test_histories_without_movement_follow_the_least_squares_fit() -> None:
    y = simulate_var(COEFS, 300, random_state=1)
    paths = constant_paths(y, 20, np.random.default_rng(0))
    assert paths.shape == (20, 300, 2)
    assert np.isfinite(paths).all()
    lagged = np.concatenate([path[:-1] for path in paths])
    ahead = np.concatenate([path[1:] for path in paths])
    fit = np.linalg.lstsq(lagged - lagged.mean(0), ahead - ahead.mean(0), rcond=None)[0].T
    own = np.linalg.lstsq(y[:-1] - y.mean(0), y[1:] - y.mean(0), rcond=None)[0].T
    assert np.abs(fit - own).max() < 0.1


def test_the_table_holds_both_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "N_ORIGINS", 3)
    average = average_var(n_rows=60)
    found = average.test_constancy(n_draws=3)
    assert list(found.table["series"]) == [str(name) for name in average.names]
    assert found.n_trainings == 0
    columns = ["pvalue", "pvalue_dm", "movement", "pvalue_movement", "pvalue_movement_holm"]
    values = found.table[columns].to_numpy()
    assert np.isfinite(values).all()
    assert (found.table["movement"] > 0).all()
    assert set(4 * found.table["pvalue_movement"]) <= {1.0, 2.0, 3.0, 4.0}
    assert "Constancy" in str(found)
    assert len(repr(found)) < 120


def test_what_cannot_be_tested_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="wants draws"):
        average_var(n_rows=60).test_constancy(n_draws=0)
    with pytest.raises(DataError, match="too few rows"):
        average_var(n_rows=40).test_constancy()


def test_movement_is_of_the_sums_over_the_lags() -> None:
    average = average_var(n_rows=40)
    forecaster, rows = average._zero_shot(), np.array([30, 38])
    found = module._movement(forecaster, average.data, rows)
    first = np.eye(1, forecaster.n_steps)
    jacobians = forecaster.jacobians(
        average.data.windows(rows), first, average.data.units(), "dynamics"
    )
    sums = pd.DataFrame([np.diagonal(own.dense()[0].sum(axis=1)) for own in jacobians])
    assert np.allclose(found, (sums - sums.mean()).abs().max())
