"""Constancy without training: rivals known to be constant, and movements that are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.dynamics import zero_shot_constancy as module
from samovar_forecast.dynamics.constancy import constancy
from samovar_forecast.dynamics.zero_shot_causality import ZeroShotForecasts
from samovar_forecast.dynamics.zero_shot_constancy import constant_paths
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.linear.simulate import simulate_var
from tests.builders.members import average_var

COEFS = np.array([[[0.5, 0.2], [-0.2, 0.4]]])


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
    forecasts = ZeroShotForecasts(average._zero_shot(), average.data)
    fixed, forgets = (
        forecasts.of_moving_var(forecasts.names, factors) for factors in ((1.0,), (0.94, 0.97))
    )
    moving = (forecasts.of_network(forecasts.names) + forgets) / 2
    wanted = constancy(forecasts.actual, fixed, moving, level=0.05).table["pvalue"]
    assert np.allclose(found.table["pvalue"], wanted, rtol=0, atol=1e-12)
    assert "Constancy" in str(found)
    assert len(repr(found)) < 120


def test_what_cannot_be_tested_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="wants draws"):
        average_var(n_rows=60).test_constancy(n_draws=0)
    with pytest.raises(DataError, match="too few rows"):
        average_var(n_rows=40).test_constancy()


def test_movement_is_of_the_sums_over_the_lags() -> None:
    average = average_var(n_rows=40)
    forecaster, rows, data = average._zero_shot(), np.array([30, 38]), average.data
    other = data.target.values[::-1].copy()
    found = module._movements(forecaster, data, [data.target.values, other], rows)
    first = np.eye(1, forecaster.n_steps)
    for values, movement in zip([data.target.values, other], found, strict=True):
        history = replace(data, target=data.target._replace(values=values))
        windows = history.windows(rows)
        jacobians = forecaster.jacobians(windows, first, history.units(), "dynamics")
        sums = pd.DataFrame([np.diagonal(own.dense()[0].sum(axis=1)) for own in jacobians])
        assert np.allclose(movement, (sums - sums.mean()).abs().max(), rtol=0, atol=1e-12)


def test_histories_are_read_together_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    average = average_var(n_rows=60)
    together = average.test_constancy(n_draws=5).table
    monkeypatch.setattr(module, "NUMBERS_AT_ONCE", 1)
    pd.testing.assert_frame_equal(average.test_constancy(n_draws=5).table, together, rtol=1e-10)
