"""The classical rows: statsmodels' and sktime's numbers, and a VAR that would explode."""

from __future__ import annotations

import importlib.util
import pickle

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime")
pytest.importorskip("statsmodels")

from sktime.forecasting.naive import NaiveForecaster
from statsmodels.tsa.api import VAR
from statsmodels.tsa.ar_model import ar_select_order

from samovar_forecast.comparison import (
    GuardedAR,
    GuardedVAR,
    RefusedVARWarning,
    RepeatSeason,
    RidgeVAR,
    classical_forecasters,
)
from samovar_forecast.comparison.classical import AREquation, most_growth
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.linear.orders import largest_order
from samovar_forecast.linear.simulate import largest_root
from tests.builders.comparison import compare, simulated_var


def twice_integrated(n_rows: int, n_series: int, seed: int) -> pd.DataFrame:
    """Series whose slopes are random walks: least squares finds roots beyond 1 in them."""
    shocks = np.random.default_rng(seed).normal(size=(n_rows, n_series))
    columns = [f"series {number}" for number in range(n_series)]
    return pd.DataFrame(shocks.cumsum(axis=0).cumsum(axis=0), columns=columns)


def by_aic(y: pd.DataFrame):
    return VAR(y.to_numpy()).fit(largest_order(*y.shape), ic="aic")


def test_an_explosive_order_gives_way_to_the_highest_stable_one_below_and_says_so():
    y = twice_integrated(60, 3, seed=1)
    asked = by_aic(y)
    assert largest_root(asked.coefs) > most_growth(60)
    with pytest.warns(RefusedVARWarning, match=r"order 4, for that of order 5 by AIC explodes"):
        fitted = GuardedVAR().fit(y, fh=[1, 2])
    assert (asked.k_ar, fitted.results_.k_ar) == (5, 4)
    assert largest_root(fitted.results_.coefs) <= most_growth(60)
    expected = VAR(y.to_numpy()).fit(4).forecast(y.to_numpy()[-4:], 2)
    np.testing.assert_allclose(fitted.predict(), expected)


def test_where_every_order_explodes_a_ridge_var_forecasts_and_the_leaderboard_says_so():
    y = twice_integrated(60, 5, seed=2)
    with pytest.raises(DataError, match=r"explodes at every order up to 3; found: largest root 1"):
        GuardedVAR().fit(y, fh=[1])
    with pytest.warns(RefusedVARWarning, match="a ridge VAR in place of the VAR: the VAR explodes"):
        fitted = GuardedVAR(when_refused="ridge").fit(y, fh=[1, 2, 3])
    pd.testing.assert_frame_equal(fitted.predict(), RidgeVAR().fit(y, fh=[1, 2, 3]).predict())
    models = {"VAR": GuardedVAR(when_refused="ridge")}
    found = compare(y, 3, models, n_origins=1, progress=False)
    assert "the VAR explodes" in found.effort().loc["VAR", "note"]


def follow_one_factor(n_rows: int, n_series: int, persistence: float) -> pd.DataFrame:
    """Many series that follow one autoregression closely: too few rows for AIC to admit a lag."""
    random = np.random.default_rng(0)
    common, shocks = np.zeros((n_rows, 1)), random.normal(size=(n_rows, n_series))
    for row in range(1, n_rows):
        common[row] = persistence * common[row - 1] + random.normal()
    return pd.DataFrame(common * random.normal(size=n_series) + 1e-3 * shocks)


def test_a_var_without_lags_is_refused_where_the_last_value_forecasts_better_than_the_mean():
    persistent = follow_one_factor(71, 22, persistence=0.95)
    assert by_aic(persistent).k_ar == 0
    with pytest.raises(DataError, match=r"AIC admits no lag of the VAR up to order 1, though"):
        GuardedVAR().fit(persistent, fh=[1])
    with pytest.warns(RefusedVARWarning, match="a ridge VAR in place of the VAR: AIC admits no"):
        fitted = GuardedVAR(when_refused="ridge").fit(persistent, fh=[1])
    pd.testing.assert_frame_equal(fitted.predict(), RidgeVAR().fit(persistent, fh=[1]).predict())
    noise = follow_one_factor(71, 22, persistence=0.0)
    mean = GuardedVAR().fit(noise, fh=[1]).predict()  # without a warning
    np.testing.assert_allclose(mean.iloc[0], noise.mean())


def test_a_unit_root_of_a_random_walk_is_no_explosion():
    for seed in range(10):
        walks = np.random.default_rng(seed).normal(size=(80, 3)).cumsum(axis=0)
        fitted = GuardedVAR().fit(pd.DataFrame(walks), fh=[1])  # without a warning
        assert fitted.results_.k_ar == by_aic(pd.DataFrame(walks)).k_ar


def test_the_var_is_statsmodels_var_by_aic():
    y = simulated_var()
    got = GuardedVAR().fit(y, fh=[1, 3]).predict()
    fit = VAR(y.to_numpy()).fit(largest_order(len(y), 3), ic="aic")
    expected = fit.forecast(y.to_numpy()[-fit.k_ar :], 3)[[0, 2]]
    np.testing.assert_allclose(got, expected)
    assert got.index.tolist() == [y.index[-1] + 1, y.index[-1] + 3]


def test_the_ar_is_statsmodels_ar_by_aic_series_by_series():
    y = simulated_var()
    got = GuardedAR().fit(y, fh=[1, 2]).predict()
    for name in y:
        column = y[name].to_numpy()
        fit = ar_select_order(column, largest_order(len(y), 1), ic="aic").model.fit()
        np.testing.assert_allclose(got[name], fit.forecast(2))


@pytest.mark.parametrize("season", [1, 4])
def test_the_naive_forecast_is_sktimes(season):
    y = simulated_var()
    steps = [1, 2, 7]
    expected = NaiveForecaster(sp=season).fit(y, fh=steps).predict()
    pd.testing.assert_frame_equal(RepeatSeason(season).fit(y, fh=steps).predict(), expected)


def test_statsmodels_fits_an_underdetermined_var_and_the_guard_does_not():
    wide = pd.concat([simulated_var(30, seed).add_suffix(str(seed)) for seed in range(4)], axis=1)
    silent = VAR(wide.to_numpy()).fit(3)  # 37 coefficients in each equation, 27 rows
    assert np.isfinite(silent.forecast(wide.to_numpy()[-3:], 1)).all()
    with pytest.raises(DataError, match="30 observations; wanted: at least 40"):
        GuardedVAR().fit(wide, fh=[1])
    with pytest.raises(ConfigurationError, match=r"max_order.*wanted: an integer from 1 to 2"):
        GuardedVAR(max_order=3).fit(wide[["a0", "b0", "c0"]], fh=[1])


def test_where_the_var_is_refused_its_row_says_why_and_a_ridge_var_forecasts_in_it():
    wide = pd.concat([simulated_var(30, seed).add_suffix(str(seed)) for seed in range(4)], axis=1)
    found = compare(wide, 2, classical_forecasters(), season=1, n_origins=3)
    assert found.failures.empty
    var, ridge = (
        found.forecasts.query("model == @name")["y_pred"] for name in ("VAR", "Ridge VAR")
    )
    np.testing.assert_array_equal(var, ridge)
    note = found.effort().loc["VAR", "note"]
    assert "a ridge VAR in place of the VAR: an autoregression of 12 series is not" in note


def test_collinear_series_are_refused_by_the_var_and_not_by_the_ridge_var():
    y = simulated_var().assign(total=lambda y: y["a"] + y["c"])
    with pytest.raises(DataError, match=r"collinear; found: 3 independent among 4"):
        GuardedVAR().fit(y, fh=[1])
    with pytest.warns(RefusedVARWarning, match="collinear"):
        fitted = GuardedVAR(when_refused="ridge").fit(y, fh=[1])
    assert "collinear" in fitted.refusal_
    expected = RidgeVAR().fit(y, fh=[1]).predict()
    np.testing.assert_allclose(fitted.predict(), expected)
    with pytest.raises(ConfigurationError, match="when_refused"):
        GuardedVAR(when_refused="weep").fit(y, fh=[1])


def test_a_var_of_one_series_is_its_ar():
    y = simulated_var()[["a"]]
    pd.testing.assert_frame_equal(
        GuardedVAR().fit(y, fh=[1, 2]).predict(), GuardedAR().fit(y, fh=[1, 2]).predict()
    )


@pytest.mark.filterwarnings("ignore:The design matrix is rank-deficient")
def test_the_order_of_an_ar_is_statsmodels_order_also_where_lags_depend_on_each_other():
    rng = np.random.default_rng(0)
    walk, time = rng.normal(size=150).cumsum(), np.arange(150.0)
    series = [
        *(rng.normal(size=n_rows).cumsum() for n_rows in (40, 90, 200)),
        *(simulated_var(seed=seed)["b"].to_numpy() for seed in range(3)),
        1e8 + walk,
        1e-9 * walk,
        walk + 20 * np.sin(np.pi * time / 6),
        np.where(time % 2, 1.0, -1.0),
    ]
    for values in series:
        most = largest_order(len(values), 1)
        level = values.mean()  # on a level of 1e8 statsmodels' order depends on the processor
        theirs = ar_select_order(values - level, most, ic="aic")
        ours = AREquation.of(values, most)
        assert len(ours.coefs) == len(theirs.ar_lags or [])
        ahead = level + theirs.model.fit().forecast(6)
        np.testing.assert_allclose(ours.forecast(values, 6), ahead, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("name", ["VAR", "Ridge VAR", "AR", "Naive", "Seasonal naive"])
def test_quantiles_are_symmetric_around_the_forecast_in_the_order_of_the_series(name):
    y = simulated_var()
    fitted = classical_forecasters(4)[name].fit(y, fh=[1, 3, 5])
    quantiles = fitted.predict_quantiles(alpha=[0.1, 0.5, 0.9])
    for column in y:
        low, middle, high = (quantiles[column, level] for level in (0.1, 0.5, 0.9))
        np.testing.assert_allclose(middle, fitted.predict()[column])
        np.testing.assert_allclose(high - middle, middle - low)
        assert (high > low).all()


def test_the_intervals_of_var_and_ar_are_statsmodels():
    y = simulated_var()
    quantiles = GuardedVAR().fit(y, fh=[1, 2, 3]).predict_quantiles(alpha=[0.05, 0.95])
    fit = VAR(y.to_numpy()).fit(largest_order(len(y), 3), ic="aic")
    _, low, high = fit.forecast_interval(y.to_numpy()[-fit.k_ar :], 3, alpha=0.1)
    np.testing.assert_allclose(quantiles.xs(0.05, axis=1, level=1), low)
    np.testing.assert_allclose(quantiles.xs(0.95, axis=1, level=1), high)
    quantiles = GuardedAR().fit(y, fh=[1, 2, 3]).predict_quantiles(alpha=[0.05, 0.95])
    column = y["a"].to_numpy()
    fit = ar_select_order(column, largest_order(len(y), 1), ic="aic").model.fit()
    ahead = fit.get_prediction(len(column), len(column) + 2).conf_int(alpha=0.1)
    np.testing.assert_allclose(quantiles["a"], ahead, rtol=1e-6)


def test_smoothing_and_theta_stand_among_the_classical_rows_by_default():
    names = list(classical_forecasters(4))
    assert names[:5] == ["VAR", "Ridge VAR", "AR", "Naive", "Seasonal naive"]
    assert {"Theta (linear)", "Smoothing (linear)", "Mean (linear)"} <= set(names)
    is_there = importlib.util.find_spec("statsforecast") is not None
    assert ("AutoARIMA" in names) == ("Mean of the three" in names) == is_there


@pytest.mark.parametrize("name", classical_forecasters(season=4))
def test_a_fitted_row_can_be_pickled_and_forecasts_the_same(name):
    fitted = classical_forecasters(season=4)[name].fit(simulated_var(60), fh=[1, 2, 3])
    again = pickle.loads(pickle.dumps(fitted))
    pd.testing.assert_frame_equal(again.predict(), fitted.predict())
    pd.testing.assert_frame_equal(again.predict_interval(), fitted.predict_interval())
