"""VARs that change with time: what they estimate, and what they forecast where they cannot."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sktime.utils.estimator_checks import check_estimator

from samovar_forecast.comparison import (
    ForgettingVAR,
    GuardedVAR,
    RefusedVARWarning,
    RidgeVAR,
    RollingVAR,
)
from samovar_forecast.exceptions import ConfigurationError
from tests.builders.comparison import simulated_var

BEFORE = np.array([[0.8, 0.0], [0.0, 0.8]])
AFTER = np.array([[-0.4, 0.5], [-0.5, -0.4]])


def with_a_break(n_before: int, n_after: int, seed: int = 0) -> pd.DataFrame:
    """A VAR(1) of two series whose coefficients change at once, in very different units."""
    rng = np.random.default_rng(seed)
    values = np.zeros((n_before + n_after, 2))
    for row in range(1, len(values)):
        coefs = BEFORE if row < n_before else AFTER
        values[row] = coefs @ values[row - 1] + rng.normal(size=2)
    return pd.DataFrame(values * [1.0, 1000.0] + [5.0, -300.0], columns=["a", "b"])


def test_the_rolling_var_is_the_var_of_its_window():
    y = with_a_break(80, 60)
    rolling = RollingVAR(window=50).fit(y, fh=[1, 2, 3])
    alone = GuardedVAR().fit(y[-50:], fh=[1, 2, 3])
    pd.testing.assert_frame_equal(rolling.predict(), alone.predict())
    assert rolling.results_.nobs == 50 - rolling.results_.k_ar
    half = RollingVAR().fit(y, fh=[1])
    assert half.results_.nobs == 70 - half.results_.k_ar


def test_the_window_is_as_long_as_order_one_needs_and_no_nonsense_is_taken():
    y = simulated_var(16)
    assert RollingVAR().fit(y, fh=[1]).results_.nobs == 13 - 1
    for window in (0, 2.5, True):
        with pytest.raises(ConfigurationError, match="window; found"):
            RollingVAR(window=window).fit(y, fh=[1])


def test_the_var_that_forgets_finds_the_coefficients_after_a_break():
    y = with_a_break(120, 60)
    fitted = ForgettingVAR().fit(y, fh=[1])
    in_units = fitted.results_.coefs[0] * np.array([[1, 1000], [1e-3, 1]])
    whole = GuardedVAR().fit(y, fh=[1]).results_.coefs[0] * np.array([[1, 1000], [1e-3, 1]])
    assert np.abs(in_units - AFTER).max() < 0.35
    assert np.abs(in_units - AFTER).max() < 0.6 * np.abs(whole - AFTER).max()


def test_forecasts_iterate_the_last_coefficients_and_follow_the_units():
    y = with_a_break(60, 40)
    fitted = ForgettingVAR().fit(y, fh=[1, 2])
    coefs, past = fitted.results_.coefs, list(y.to_numpy())
    for _ in range(2):
        lags = past[: -len(coefs) - 1 : -1]
        parts = [lag_matrix @ lag for lag_matrix, lag in zip(coefs, lags, strict=True)]
        past.append(fitted.results_.intercept + sum(parts))
    np.testing.assert_allclose(fitted.predict(), past[-2:])
    scaled = ForgettingVAR().fit(y * [1e-3, 50.0] + 7.0, fh=[1, 2]).predict()
    np.testing.assert_allclose(scaled, fitted.predict() * [1e-3, 50.0] + 7.0, rtol=1e-6)


def test_intervals_are_as_wide_as_the_shocks():
    y = with_a_break(0, 400)
    low, high = ForgettingVAR().fit(y, fh=[1]).predict_interval(coverage=0.6827).to_numpy()[0, :2]
    assert high - low == pytest.approx(2.0, rel=0.2)


def test_a_constant_series_stays_and_moves_no_other():
    y = simulated_var(80)
    alone = ForgettingVAR().fit(y, fh=[1, 2, 3]).predict()
    beside = ForgettingVAR().fit(y.assign(flat=7.0), fh=[1, 2, 3]).predict()
    assert (beside["flat"] == 7.0).all()
    np.testing.assert_allclose(beside[["a", "b", "c"]], alone)


def test_values_too_small_to_be_squared_are_forecast_as_in_another_unit():
    y = simulated_var()[:60]
    plain, small = (ForgettingVAR().fit(rows, fh=[1, 2]).predict() for rows in (y, y * 1e-300))
    np.testing.assert_allclose(small / 1e-300, plain, rtol=0.1)


def test_with_too_many_series_a_ridge_var_forecasts_and_says_so():
    y = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 49)))
    with pytest.warns(RefusedVARWarning, match="a ridge VAR in place of the VAR that forgets: 49"):
        found = ForgettingVAR().fit(y, fh=[1]).predict()
    pd.testing.assert_frame_equal(found, RidgeVAR().fit(y, fh=[1]).predict())


@pytest.mark.slow
@pytest.mark.parametrize("forecaster", [ForgettingVAR, RollingVAR])
def test_the_rows_pass_sktimes_own_checks(forecaster):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what sktime's fixtures warn of is not our subject
        check_estimator(forecaster, raise_exceptions=True)
