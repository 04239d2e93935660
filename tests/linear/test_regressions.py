"""The closed forms of the anchor equal what others, or plain loops, compute."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.linear.regressions import (
    in_levels,
    lag_design,
    ols_ars,
    ols_var,
)
from samovar_forecast.linear.ridge_var import fit_ridge_var
from samovar_forecast.linear.simulate import simulate_var

COEFS = np.array([[[0.5, 0.3], [0.0, 0.4]], [[0.2, 0.0], [-0.3, 0.1]]])


@pytest.mark.parametrize("n_rows", [60, 300])
def test_the_var_by_aic_is_that_of_statsmodels(n_rows: int) -> None:
    var_model = pytest.importorskip("statsmodels.tsa.api")
    y = simulate_var(COEFS, n_rows, intercept=[1.0, -2.0], random_state=3)
    theirs = var_model.VAR(y).fit(6, ic="aic")
    coefs, intercept = ols_var([y], 6)
    assert np.allclose(coefs, theirs.coefs, rtol=1e-8, atol=1e-10)
    assert np.allclose(intercept, theirs.intercept, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("decimals", [None, 3])
def test_the_var_of_series_and_their_total_is_that_of_the_series(decimals: int | None) -> None:
    """Whatever the order of the series and their units."""
    y = 2.0 + simulate_var(COEFS, 150, random_state=3)
    wanted, intercept = ols_var([y], 3)
    total = y.sum(axis=1) if decimals is None else y.sum(axis=1).round(decimals)
    ahead = intercept + sum(coef @ y[-1 - lag] for lag, coef in enumerate(wanted))
    for order in ([0, 1, 2], [2, 0, 1]):
        units = np.array([1.0, 1e3, 1e-2])[order]
        rows = np.column_stack([y, total])[:, order] * units
        coefs, constant = ols_var([rows], 3)
        assert len(coefs) == len(wanted) > 0
        found = constant + sum(coef @ rows[-1 - lag] for lag, coef in enumerate(coefs))
        found = (found / units)[np.argsort(order)]
        tolerance = 1e-9 if decimals is None else 1e-3
        np.testing.assert_allclose(found, [*ahead, ahead.sum()], rtol=0, atol=tolerance)


def test_noise_gets_order_zero_and_its_mean() -> None:
    y = np.random.default_rng(0).normal(5.0, 1.0, size=(400, 1))
    coefs, intercept = ols_var([y], 4)
    assert coefs.shape == (0, 1, 1)
    assert np.allclose(intercept, y.mean(axis=0))


def test_the_shrunken_var_finds_a_var_in_many_rows_and_a_random_walk_in_few() -> None:
    y = simulate_var(COEFS, 20_000, random_state=0)
    coefs = fit_ridge_var([y], [3], decays=[2.0]).coefs
    assert np.abs(coefs[:2] - COEFS).max() < 0.05
    assert np.abs(coefs[2]).max() < 0.05
    walk = np.random.default_rng(1).normal(size=(40, 3)).cumsum(axis=0)
    shrunken = fit_ridge_var([walk], [4], decays=[2.0]).coefs
    x, y = lag_design([walk], 4)
    free = np.linalg.lstsq(np.hstack([np.ones((36, 1)), x]), y, rcond=None)[0][1:]
    toward = np.zeros((12, 3))
    toward[:3] = np.eye(3)
    distance = np.square(shrunken.swapaxes(1, 2).reshape(12, 3) - toward).sum()
    assert distance < 0.5 * np.square(free - toward).sum()


def test_no_row_of_a_regression_reaches_over_the_end_of_a_run() -> None:
    runs = [np.arange(5.0)[:, None], 100 + np.arange(4.0)[:, None], np.zeros((2, 1))]
    x, y = lag_design(runs, 2)
    assert y[:, 0].tolist() == [2, 3, 4, 102, 103]
    assert x.tolist() == [[1, 0], [2, 1], [3, 2], [101, 100], [102, 101]]


def test_a_var_of_the_steps_forecasts_the_same_levels() -> None:
    steps, drift = COEFS, np.array([0.1, -0.2])
    levels, intercept = in_levels(steps, drift)
    y = np.random.default_rng(0).normal(size=(4, 2)).cumsum(axis=0)
    moved = np.diff(y, axis=0)
    wanted = y[-1] + drift + steps[0] @ moved[-1] + steps[1] @ moved[-2]
    got = intercept + sum(a @ y[-lag] for lag, a in enumerate(levels, start=1))
    assert np.allclose(got, wanted)


def test_an_evenly_shrunken_var_nears_least_squares_with_many_rows_and_noise_shrinks_it() -> None:
    y = simulate_var(COEFS, 3000, intercept=[1.0, -2.0], random_state=0)
    fit = fit_ridge_var([y], [1, 2, 3], cross_weights=[])
    assert np.abs(fit.coefs[:2] - COEFS).max() < 0.06
    assert np.abs(fit.intercept - [1.0, -2.0]).max() < 0.15
    noise = np.random.default_rng(1).normal(size=(60, 3))
    small = fit_ridge_var([noise], [1, 2, 4], cross_weights=[]).coefs
    x, ahead = lag_design([noise], 4)
    least_squares = np.linalg.lstsq(x, ahead, rcond=None)[0]
    assert np.square(small).sum() < 0.3 * np.square(least_squares).sum()


def test_an_evenly_shrunken_var_does_not_depend_on_units_and_sees_a_random_walk() -> None:
    y = simulate_var(COEFS, 120, random_state=0)
    unit = np.array([1e3, 1e-3])
    one, other = (fit_ridge_var([some], [1, 2], cross_weights=[]).coefs for some in (y, y * unit))
    assert np.allclose(other, one * unit[:, None] / unit, rtol=1e-6, atol=1e-9)
    walk = np.random.default_rng(3).normal(size=(80, 2)).cumsum(axis=0)
    coefs = fit_ridge_var([walk], [1, 2], cross_weights=[]).coefs
    assert np.abs(coefs.sum(axis=0) - np.eye(2)).max() < 0.25


def test_autoregressions_found_at_once_are_those_of_each_series_alone() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(90, 6))
    y = np.column_stack(
        [
            noise,
            noise.cumsum(axis=0),  # some roots are above 1
            noise[:, :3].cumsum(axis=0).cumsum(axis=0),
            1.1 ** np.arange(90) / 1000,  # without an error, and growing
            np.tile([1.0, -1.0], 45),  # two lags say the same
        ]
    )
    for coefs, intercept, (own_coefs, own_intercept) in (
        (*fit, ols_var([y[:, [c]]], 8)) for c, fit in enumerate(ols_ars(y, 8))
    ):
        assert coefs.shape == own_coefs.shape
        np.testing.assert_allclose(coefs, own_coefs, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(intercept, own_intercept, rtol=1e-6, atol=1e-8)
