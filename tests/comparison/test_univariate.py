"""Smoothing, Theta and statsforecast's automata as rows."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime")
pytest.importorskip("statsmodels")

from sktime.forecasting.exp_smoothing import ExponentialSmoothing
from sktime.forecasting.theta import ThetaForecaster
from sktime.utils.estimator_checks import check_estimator

from samovar_forecast.comparison import LinearSmoothing, StatsforecastModels
from samovar_forecast.exceptions import ConfigurationError, DataError

STEPS = [1, 2, 3, 4, 5, 6, 7, 8]


def walk(n_rows: int = 120, n_series: int = 2, seed: int = 0) -> pd.DataFrame:
    """Random walks seen with noise, quarterly: what smoothing is made for."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(n_rows, n_series)).cumsum(axis=0)
    values = 100 + values + random.normal(size=(n_rows, n_series))
    index = pd.period_range("1980Q1", periods=n_rows, freq="Q")
    return pd.DataFrame(values, index, [f"series {number}" for number in range(n_series)])


def test_theta_is_close_to_sktimes_whose_constant_is_found_by_likelihood():
    y = walk()
    ours = LinearSmoothing("theta").fit(y, fh=STEPS).predict()
    theirs = ThetaForecaster(deseasonalize=False).fit(y, fh=STEPS).predict()
    assert np.abs(ours - theirs).max(axis=None) < 0.15 * y.diff().std().min()


def test_the_combination_is_close_to_the_mean_of_sktimes_three_smoothings():
    y = walk()
    ours = LinearSmoothing("combination").fit(y, fh=STEPS).predict()
    theirs = [
        ExponentialSmoothing(trend=trend, damped_trend=damped).fit(y, fh=STEPS).predict()
        for trend, damped in ((None, False), ("add", False), ("add", True))
    ]
    assert np.abs(ours - sum(theirs) / 3).max(axis=None) < 0.35 * y.diff().std().min()


@pytest.mark.parametrize("method", ["theta", "combination"])
def test_smoothing_goes_with_units_repeats_seasons_and_keeps_what_is_constant(method):
    y = walk().assign(season=np.arange(120) % 4 * 5.0, constant=7.0)
    forecast = LinearSmoothing(method, season=4).fit(y, fh=STEPS).predict()
    np.testing.assert_allclose(forecast["constant"], 7.0)
    np.testing.assert_allclose(forecast["season"], np.arange(120, 128) % 4 * 5.0, atol=0.1)
    scaled = LinearSmoothing(method, season=4).fit(1e5 * y, fh=STEPS).predict()
    np.testing.assert_allclose(scaled, 1e5 * forecast, rtol=1e-9)


def test_the_intervals_hold_what_they_promise_and_grow_with_the_steps():
    inside = []
    for seed in range(20):
        y = walk(seed=seed)
        row = LinearSmoothing().fit(y.iloc[:-8], fh=STEPS)
        spread = row.predict_interval(coverage=0.8)
        for name in y:
            low, high = (spread[(name, 0.8, side)] for side in ("lower", "upper"))
            assert ((high - low).diff().dropna() >= 0).all()
            inside.append(y[name].iloc[-8:].between(low, high))
    assert 0.65 < np.mean(inside) < 0.9


def test_new_rows_move_the_forecast_with_the_constants_unchanged():
    y = walk()
    row = LinearSmoothing().fit(y.iloc[:-8], fh=STEPS)
    constants = row._smoothing._chosen
    row.update(y.iloc[-8:], update_params=False)
    moved = row.predict()
    assert row._smoothing._chosen is constants
    assert str(moved.index[0]) == "2010Q1"
    again = LinearSmoothing().fit(y, fh=STEPS).predict()
    assert np.abs(moved - again).max(axis=None) < y.diff().std().min()


def test_long_horizons_have_intervals_on_few_rows():
    row = LinearSmoothing().fit(walk(12), fh=range(1, 25))
    assert np.isfinite(row.predict_quantiles(alpha=[0.1, 0.9])).all(axis=None)


def test_what_cannot_be_smoothed_is_refused():
    with pytest.raises(DataError, match="too few rows for smoothing"):
        LinearSmoothing().fit(walk(7), fh=[1])
    with pytest.raises(ConfigurationError, match="'theta' or 'combination'"):
        LinearSmoothing("gamma").fit(walk(), fh=[1])


def test_the_mean_of_automata_is_the_mean_of_their_rows():
    pytest.importorskip("statsforecast")
    y = walk(60)
    names = ("AutoETS", "AutoTheta")
    rows = [StatsforecastModels((name,), season=4).fit(y, fh=STEPS) for name in names]
    mean = StatsforecastModels(names, season=4).fit(y, fh=STEPS)
    expected = sum(row.predict() for row in rows) / 2
    np.testing.assert_allclose(mean.predict(), expected)
    low, high = (mean.predict_quantiles(alpha=[level]) for level in (0.1, 0.9))
    assert (high.to_numpy() > low.to_numpy()).all()
    mean.update(walk(64).iloc[60:], update_params=False)
    assert str(mean.predict().index[0]) == "1996Q1"


@pytest.mark.slow
@pytest.mark.parametrize("forecaster", [LinearSmoothing, StatsforecastModels])
def test_the_univariate_rows_pass_sktimes_own_checks(forecaster):
    if forecaster is StatsforecastModels:
        pytest.importorskip("statsforecast")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what sktime's fixtures warn of is not our subject
        check_estimator(forecaster, raise_exceptions=True)
