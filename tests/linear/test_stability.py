"""Whatever the sample, a map that is iterated or rolled out does not explode."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.linear import LinearMap, estimate_anchor
from samovar_forecast.linear.orders import candidate_orders
from samovar_forecast.linear.regressions import ols_var
from samovar_forecast.linear.ridge_var import fit_ridge_var
from samovar_forecast.linear.simulate import largest_root as exact_root
from samovar_forecast.linear.stability import (
    _growth,
    is_stable,
    largest_root,
    rolled_growth,
    rolled_safely,
    with_roots_held,
)


def factors(n_rows: int, n_series: int, seed: int = 0, noise: float = 0.05) -> np.ndarray:
    """Four AR(1) factors of coefficient 0.8 behind all series."""
    rng = np.random.default_rng(seed)
    common = np.zeros((n_rows, 4))
    shocks = rng.normal(size=common.shape)
    for t in range(1, n_rows):
        common[t] = 0.8 * common[t - 1] + shocks[t]
    loadings = rng.normal(size=(4, n_series))
    return common @ loadings + noise * rng.normal(size=(n_rows, n_series))


def rolled_out(one: LinearMap, values: np.ndarray, length: int, n_steps: int) -> np.ndarray:
    path = values[None, -length:]
    while path.shape[1] < length + n_steps:
        path = np.concatenate([path, one(path[:, -length:])], axis=1)
    return path[0, length : length + n_steps]


def smooth_series(n_rows: int) -> np.ndarray:
    """Three sines and a trend without noise, from -0.7 to 10.9."""
    t = np.arange(n_rows)
    waves = [a * np.sin(2 * np.pi * t / p) for a, p in [(1.0, 25), (0.5, 13), (0.3, 40)]]
    return (sum(waves) + 0.025 * t)[:, None]


@pytest.mark.parametrize(("n_steps", "max_lag"), [(4, 19), (9, 18), (28, 30)])
def test_few_rows_of_many_series_with_common_factors_do_not_explode(n_steps, max_lag):
    y = factors(58, 21)
    one = estimate_anchor([y], n_steps, max_lag, season=7).map
    ahead = rolled_out(one, y, max_lag, 28)
    assert np.abs(ahead - y.mean(axis=0)).max() < np.abs(y - y.mean(axis=0)).max()


@pytest.mark.parametrize("n_rows", [20, 30, 45, 58, 80])
def test_no_regression_of_a_short_sample_has_a_root_outside_the_unit_circle(n_rows):
    for seed, n_series in enumerate([2, 8, 21]):
        y = factors(n_rows, n_series, seed)
        orders = candidate_orders(n_rows, n_series)
        for run in (y, y.cumsum(axis=0)):
            fit = fit_ridge_var([run], orders)
            assert exact_root(fit.coefs) <= 1 + 1e-6
            coefs, _ = ols_var([run[:, :2]], 4)
            assert len(coefs) == 0 or exact_root(coefs) <= 1 + 1e-6


@pytest.mark.parametrize("n_rows", [200, 400])
def test_a_smooth_series_without_noise_is_rolled_out_within_what_its_trend_supports(n_rows):
    y = smooth_series(n_rows)
    one = estimate_anchor([y], 5, 50).map
    ahead = rolled_out(one, y, 50, 160)
    width = np.ptp(y)
    assert ahead.min() > y.min() - 1.5 * width
    assert ahead.max() < y.max() + 1.5 * width


def test_a_growing_series_keeps_its_drift_where_its_root_is_held():
    rng = np.random.default_rng(0)
    y = np.exp(0.02 * np.arange(80) + 0.05 * rng.normal(size=80).cumsum())[:, None]
    fit = fit_ridge_var([y], [1, 2])
    assert is_stable(fit.coefs)
    assert fit.forecast(y, 8)[-1, 0] > y[-1, 0]


def test_held_roots_are_all_divided_by_the_largest():
    rng = np.random.default_rng(0)
    coefs = rng.normal(size=(3, 4, 4))
    assert largest_root(coefs) > 1.5
    assert largest_root(with_roots_held(coefs)) == pytest.approx(1.0)
    stable = 0.1 * coefs
    assert with_roots_held(stable) is stable


def test_the_root_that_iteration_finds_is_that_of_the_companion_matrix():
    coefs = 0.4 * np.random.default_rng(1).normal(size=(2, 5, 5))
    assert _growth(coefs) == pytest.approx(largest_root(coefs), rel=0.01)


def test_a_map_that_grows_when_rolled_out_is_damped_and_another_is_left_alone():
    own = np.zeros((3, 1, 2))
    own[:, 0, 0] = [1.2, 1.44, 1.728]
    growing = LinearMap.of(own=own)
    assert rolled_growth(growing) == pytest.approx(1.2, rel=1e-3)
    assert rolled_growth(rolled_safely(growing)) == pytest.approx(1.0, abs=2e-3)
    still = LinearMap.of(own=np.ones((3, 1, 1)))
    assert rolled_safely(still) is still
