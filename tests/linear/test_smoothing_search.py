"""The constants of smoothing are those of least squared one-step errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from samovar_forecast.linear import smoothing, smoothing_search
from samovar_forecast.linear.smoothing import RIDGE, Constants
from samovar_forecast.linear.smoothing_candidates import Smoothing
from samovar_forecast.linear.smoothing_search import ConstantsSearch, squared_errors

FORMS = [("simple", 1), ("holt", 1), ("damped", 1), ("simple", 4), ("holt", 4), ("damped", 4)]


def series(n_rows: int = 120, season: int = 4, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pattern = np.tile(rng.normal(size=season), n_rows // season + 1)[:n_rows]
    level = rng.normal(size=n_rows).cumsum() * 0.5 + rng.normal(size=n_rows)
    return 10 + 0.1 * np.arange(n_rows) + 2 * pattern + level


def error_of(numbers: np.ndarray, y: np.ndarray, season: int, has_slope: bool) -> float:
    """Return the least penalised squared error of alpha, beta, phi and gamma, by a plain loop."""
    alpha, beta, phi, gamma = numbers
    k = 1 + has_slope + (season if season > 1 else 0)
    columns = []
    for state in [np.zeros(k), *np.eye(k)]:
        level, slope, effects = (
            state[0],
            state[1] if has_slope else 0.0,
            list(state[1 + has_slope :]),
        )
        values, errors = (y - y[0] if not state.any() else np.zeros(len(y))), []
        for t, value in enumerate(values):
            error = value - level - phi * slope - (effects[t % season] if effects else 0.0)
            level, slope = level + phi * slope + alpha * error, phi * slope + alpha * beta * error
            if effects:
                effects[t % season] += gamma * error
            errors.append(error)
        columns.append(errors)
    at_rest, *moved = map(np.array, columns)
    weights = np.sqrt(np.repeat(RIDGE, (1, int(has_slope), k - 1 - has_slope)))
    design = np.vstack([np.stack(moved, axis=1), np.diag(weights)])
    target = np.append(at_rest, np.zeros(k))
    start = np.linalg.lstsq(design, -target, rcond=None)[0]
    return float(np.square(target + design @ start).sum())


def found_for(y: np.ndarray, name: str, season: int) -> tuple[Constants, float]:
    smoothing = Smoothing([y[:, None]], [[len(y)]], len(y), season, is_searched=True)
    constants = smoothing._chosen[0][name]
    return constants, float(squared_errors(y[:, None] - y[0], constants, [len(y)])[0, 0, 0])


@pytest.mark.parametrize(("name", "season"), FORMS)
def test_the_search_ends_within_a_per_mille_of_an_independent_minimum(name, season):
    y = series(80, season)
    constants, ours = found_for(y, name, season)
    numbers = np.array([column[0] for column in constants.columns[:4]])
    assert ours == pytest.approx(error_of(numbers, y, season, name != "simple"), rel=1e-8)
    is_free = np.array([True, name != "simple", name == "damped", season > 1])
    bounds = np.array([smoothing_search.LOWEST, smoothing_search.HIGHEST]).T[is_free]

    def error(some: np.ndarray) -> float:
        tried = numbers.copy()
        tried[is_free] = np.clip(some, *bounds.T)
        return error_of(tried, y, season, name != "simple")

    least = min(
        minimize(error, start, method="Nelder-Mead", bounds=bounds, options={"maxfev": 150}).fun
        for start in (numbers[is_free], bounds.mean(axis=1))
    )
    assert ours <= 1.001 * least


@pytest.mark.parametrize(("name", "season"), FORMS)
def test_the_error_is_within_a_per_mille_of_the_likelihood_search_of_statsmodels(
    name, season, monkeypatch
):
    ets = pytest.importorskip("statsmodels.tsa.exponential_smoothing.ets")
    monkeypatch.setattr(smoothing, "RIDGE", (1e-9, 1e-9, 1e-9))  # as free a start as theirs
    y = series(120, season)
    theirs = ets.ETSModel(
        y,
        error="add",
        trend=None if name == "simple" else "add",
        damped_trend=name == "damped",
        seasonal="add" if season > 1 else None,
        seasonal_periods=season if season > 1 else None,
    ).fit(disp=False)
    assert found_for(y, name, season)[1] <= 1.001 * theirs.sse


def test_series_are_searched_side_by_side_as_each_alone():
    y = np.stack([series(60, seed=seed) for seed in range(4)], axis=1)
    start = Constants.grid([0.4], [0.1], [0.9], [0.1], 4)
    together = ConstantsSearch([y - y[:1]], start[[0, 0, 0, 0]]).run()
    for number in range(4):
        alone = ConstantsSearch([y[:, [number]] - y[0, number]], start).run()
        for ours, own in zip(together.columns, alone.columns, strict=True):
            np.testing.assert_allclose(ours[number], own[0], rtol=1e-6)


def test_the_sums_of_first_parts_are_those_of_the_parts_alone():
    y = np.stack([series(50, seed=seed) for seed in range(3)], axis=1)
    distances, grid = y - y[:1], Constants.grid((0.2, 0.7), (0.0, 0.1), (0.9,), (0.1,), 4)
    together = squared_errors(distances, grid, [20, 35, 50])
    for number, end in enumerate([20, 35, 50]):
        alone = squared_errors(distances[:end], grid, [end])[0]
        np.testing.assert_allclose(together[number], alone, rtol=1e-8)
