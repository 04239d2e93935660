"""Smoothing as a linear map says what statsmodels says with the same constants."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.linear import smoothing
from samovar_forecast.linear.smoothing import (
    Constants,
    Smoothing,
    State,
    half_of_the_trend,
    map_of,
    smooth,
    squared_errors,
)


def series(n_rows: int = 80, season: int = 4, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pattern = np.tile(rng.normal(size=season), n_rows // season + 1)[:n_rows]
    return 10 + 0.1 * np.arange(n_rows) + 2 * pattern + rng.normal(size=n_rows).cumsum()


def one(alpha, beta=None, phi=1.0, gamma=0.0, season=1) -> Constants:
    betas = None if beta is None else [beta]
    return Constants.grid([alpha], betas, [phi], [gamma], season)


CASES = {
    "simple": one(0.4),
    "holt": one(0.5, 0.2),
    "damped": one(0.5, 0.2, 0.9),
    "seasonal": one(0.3, None, 1.0, 0.2, 4),
    "damped seasonal": one(0.3, 0.1, 0.9, 0.2, 4),
}


@pytest.mark.parametrize("name", CASES)
def test_with_the_same_constants_and_start_the_errors_are_those_of_statsmodels(name):
    ets = pytest.importorskip("statsmodels.tsa.exponential_smoothing.ets")
    constants, y = CASES[name], series()
    has_slope, season = constants.has_slope, constants.season
    model = ets.ETSModel(
        y,
        error="add",
        trend="add" if has_slope else None,
        damped_trend=has_slope and constants.phi[0] < 1,
        seasonal="add" if season > 1 else None,
        seasonal_periods=season if season > 1 else None,
        initialization_method="known",
        initial_level=y[0],
        initial_trend=0.1 if has_slope else None,
        initial_seasonal=[0.5, -0.5, 1.0, -1.0] if season > 1 else None,
    )
    given = {
        "smoothing_level": constants.alpha[0],
        "smoothing_trend": constants.alpha[0] * constants.beta[0],
        "damping_trend": constants.phi[0],
        "smoothing_seasonal": constants.gamma[0],
    }
    theirs = model.smooth([given[key] for key in model.param_names if key in given])
    start = State(
        np.array([y[0]]),
        np.array([0.1 if has_slope else 0.0]),
        np.array([[0.5], [-0.5], [1.0], [-1.0]]) if season > 1 else np.zeros((1, 1)),
    )
    errors, last = smooth(y[:, None], constants, start)
    np.testing.assert_allclose(errors[:, 0], y - theirs.fittedvalues, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(last.ahead(constants, 9)[:, 0], theirs.forecast(9), rtol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_the_map_forecasts_what_the_recursion_from_the_best_start_forecasts(name, monkeypatch):
    monkeypatch.setattr(smoothing, "RIDGE", (1e-9, 1e-9, 1e-9))
    constants, y = CASES[name], series(30)
    distances = y[:, None] - y[0]
    moved, _ = smooth(np.zeros((30, 1, 1)), constants, State.units(constants))
    at_rest, _ = smooth(distances, constants, State.zero((1,), constants.season))
    best = np.linalg.lstsq(-moved[:, :, 0], at_rest[:, 0], rcond=None)[0]
    k, season = constants.n_states, constants.season
    start = State(
        best[:1],
        best[1:2] if constants.has_slope else np.zeros(1),
        best[k - season :, None] if season > 1 else np.zeros((1, 1)),
    )
    errors, last = smooth(distances, constants, start)
    wanted = last.ahead(constants, 7)[:, 0] + y[0]
    weights = map_of(constants, 30, 7)[:, 0]
    np.testing.assert_allclose(weights @ y[::-1], wanted, rtol=1e-5)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    total = squared_errors(distances, constants, [30])[0, 0, 0]
    assert total == pytest.approx(np.square(errors).sum(), rel=1e-5)


def test_the_sums_of_first_parts_are_those_of_the_parts_alone():
    y = np.stack([series(50, seed=seed) for seed in range(3)], axis=1)
    distances, grid = y - y[:1], Constants.grid((0.2, 0.7), (0.0, 0.1), (0.9,), (0.1,), 4)
    together = squared_errors(distances, grid, [20, 35, 50])
    for number, end in enumerate([20, 35, 50]):
        alone = squared_errors(distances[:end], grid, [end])[0]
        np.testing.assert_allclose(together[number], alone, rtol=1e-8)


def test_theta_is_that_of_statsmodels_with_the_same_constant():
    theta = pytest.importorskip("statsmodels.tsa.forecasting.theta")
    y = series(160, season=1)
    theirs = theta.ThetaModel(y, deseasonalize=False, method="auto").fit(use_mle=False)
    alpha = theirs.params["alpha"]
    trend = half_of_the_trend(np.array([alpha]), 160, 6, 1)[:, 0] @ y[::-1]
    ours = map_of(one(alpha), 160, 6)[:, 0] @ y[::-1] + trend
    np.testing.assert_allclose(ours, theirs.forecast(6, theta=2), rtol=1e-6)


@pytest.mark.parametrize(("name", "season"), [("simple", 1), ("damped", 1), ("damped", 4)])
def test_the_grid_is_within_five_percent_of_a_search_on_squared_error(name, season):
    ets = pytest.importorskip("statsmodels.tsa.exponential_smoothing.ets")
    y = series(120, season)
    found = Smoothing([y[:, None]], [[120]], 120, season)._chosen[0][name]
    ours = squared_errors(y[:, None] - y[0], found, [120])[0, 0, 0]
    theirs = ets.ETSModel(
        y,
        error="add",
        trend="add" if name == "damped" else None,
        damped_trend=name == "damped",
        seasonal="add" if season > 1 else None,
        seasonal_periods=season if season > 1 else None,
    ).fit(disp=False)
    assert ours <= 1.05 * theirs.sse


def test_each_series_has_constants_of_its_own_and_a_series_moves_no_other():
    walk = np.random.default_rng(0).normal(size=(150, 1)).cumsum(axis=0)
    noise = np.random.default_rng(1).normal(size=(150, 1))
    both = Smoothing([np.hstack([walk, noise])], [[150]], 40).candidates(0, 3)["simple"]
    alone = Smoothing([walk], [[150]], 40).candidates(0, 3)["simple"]
    np.testing.assert_allclose(both.own[:, :1], alone.own)
    assert both.own[0, 0, 0] > 0.6
    assert both.own[0, 1, 0] < 0.2
