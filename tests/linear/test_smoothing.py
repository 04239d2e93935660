"""Smoothing as a linear map says what statsmodels says with the same constants."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.linear import smoothing
from samovar_forecast.linear.smoothing import (
    Constants,
    Responses,
    State,
    half_of_the_trend,
    smooth,
)
from samovar_forecast.linear.smoothing_search import squared_errors


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
    states = np.array(
        [y[0], 0.1 if has_slope else 0.0, *[0.5, -0.5, 1.0, -1.0][: season - 1 and 4]]
    )
    errors = smooth(y[:, None], constants, State.of(states[:, None]))
    np.testing.assert_allclose(errors[:, 0], y - theirs.fittedvalues, rtol=1e-9, atol=1e-9)
    answers = Responses.of(constants, len(y))
    of_rows = answers.ahead(9, slice(0, len(y)), slice(0, 1))[:, ::-1, 0, 0]  # s n
    of_states = answers.ahead(9, slice(len(y) - 1, len(y)), slice(1, None))[:, 0, :, 0]  # s k
    ours = of_rows @ y + of_states @ states
    np.testing.assert_allclose(ours, theirs.forecast(9), rtol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_the_map_forecasts_what_the_recursion_from_the_best_start_forecasts(name, monkeypatch):
    monkeypatch.setattr(smoothing, "RIDGE", (1e-9, 1e-9, 1e-9))
    constants, y = CASES[name], series(30)
    distances = y[:, None] - y[0]
    moved = smooth(np.zeros((30, 1, 1)), constants, State.units(constants))[:, :, 0]
    moved[:, 1] *= constants.has_slope[0]
    at_rest = smooth(distances, constants, State.zero((1,), constants.season))
    best = np.linalg.lstsq(-moved, at_rest[:, 0], rcond=None)[0]
    ahead = [distances[:, 0]]
    for _ in range(7):  # a forecast is what the next row has to be for an error of 0
        longer = np.append(ahead[-1], 0.0)
        errors = smooth(longer[:, None], constants, State.of(best[:, None]))
        ahead.append(np.append(ahead[-1], -errors[-1, 0]))
    answers = Responses.of(constants, 40)
    weights = answers.map(30, 7)[:, 0]
    np.testing.assert_allclose(weights @ y[::-1], ahead[-1][30:] + y[0], rtol=1e-5)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    errors = smooth(distances, constants, State.of(best[:, None]))
    total = squared_errors(distances, constants, [30])[0, 0, 0]
    assert total == pytest.approx(np.square(errors).sum(), rel=1e-5)


def test_theta_is_that_of_statsmodels_with_the_same_constant():
    theta = pytest.importorskip("statsmodels.tsa.forecasting.theta")
    y = series(160, season=1)
    theirs = theta.ThetaModel(y, deseasonalize=False, method="auto").fit(use_mle=False)
    alpha = theirs.params["alpha"]
    trend = half_of_the_trend(np.array([alpha]), 160, 6, 1)[:, 0] @ y[::-1]
    ours = Responses.of(one(alpha), 160).map(160, 6)[:, 0] @ y[::-1] + trend
    np.testing.assert_allclose(ours, theirs.forecast(6, theta=2), rtol=1e-6)
