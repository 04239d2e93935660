"""The rows in closed form: deterministic, fitted on the training rows, chosen on validation.

Letters: s horizon, C series, L look-back, p order, B windows.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from benchmarks.long_horizon.data import Forecast, Task
from samovar_forecast.linear import LinearMap
from samovar_forecast.linear.direct import RELATIVE_PENALTIES, RidgePath, sum_of_products
from samovar_forecast.linear.forecast import LinearForecast, estimate_anchors
from samovar_forecast.linear.linear_map import Rows, iterate
from samovar_forecast.linear.ridge import RidgeRegressions

REFITTED = "refitted"
"""What is estimated on training and validation rows, beside what saw training rows alone."""

LONGEST_LOOKBACK = 1024
"""Rows that the linear members read at most: 2,048 cost three times as much, and have the same
validation error on ETTm1."""

VAR_ORDERS = (1, 2, 3, 6, 12, 24, 48)
VAR_PENALTIES = np.geomspace(1e-6, 1.0, 7)
VAR_REGRESSORS_AT_MOST = 600
VALIDATION_WINDOWS_OF_VAR = 600
"""Order and penalty of the VAR are chosen on so many validation windows, evenly spread."""


def fit_nlinear(task: Task, lookback: int) -> tuple[Forecast, dict[str, Any]]:
    """Fit a ridge from the window to the horizon, both as distances from the last value.

    The series share the weights; all steps share a penalty, by validation MSE; the products of
    all training windows are summed without building any. Beside it, the same penalty with the
    validation rows learned from too: that is how much more rows are worth.
    """
    train, (first, last) = task.rows("train"), task.borders[:2]
    steps = task.horizon

    def products(rows: np.ndarray) -> np.ndarray:
        return sum_of_products([rows[:, c] for c in range(task.n_series)], lookback, steps)

    path = RidgePath(products(train), lookback)
    held_out = path.errors(products(task.values[first - lookback : last])).sum(axis=1)
    penalty = float(RELATIVE_PENALTIES[int(np.argmin(held_out))])
    found = {
        "": path.solve(penalty),  # L s
        REFITTED: RidgePath(products(task.known()), lookback).solve(penalty),
    }

    def forecast(windows: np.ndarray) -> dict[str, np.ndarray]:
        newest = windows[:, -1:]
        by_series = (windows - newest).swapaxes(1, 2)  # B C L
        return {
            name: newest + (by_series @ weights).swapaxes(1, 2) for name, weights in found.items()
        }

    return forecast, {"relative_penalty": penalty}


def fit_var(task: Task) -> tuple[Forecast, dict[str, Any]]:
    """Fit a VAR by ridge, iterated over the horizon; order, prior and penalty by validation MSE."""
    train, n_series = task.rows("train"), task.n_series
    origins = task.origins("validation")
    stride = max(1, len(origins) // VALIDATION_WINDOWS_OF_VAR)
    some = origins[::stride]
    ahead = some[:, None] + np.arange(task.horizon)
    actual = task.values[ahead]  # B s C
    best, chosen = np.inf, None
    about: dict[str, Any] = {}
    for order in VAR_ORDERS:
        if order * n_series > VAR_REGRESSORS_AT_MOST or order >= task.borders[0] // 4:
            continue
        x = np.hstack([train[order - lag : len(train) - lag] for lag in range(1, order + 1)])
        y = train[order:]
        mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
        x, y = x - mean_x, y - mean_y
        gram = x.T @ x
        unit = np.trace(gram) / len(gram)
        # Shrunk toward the mean, or toward the last value.
        priors = {
            "mean": np.zeros((len(gram), n_series)),
            "last value": np.eye(len(gram), n_series),
        }
        regressions = {
            prior: RidgeRegressions(x, y - x @ start, gram) for prior, start in priors.items()
        }
        for (prior, start), penalty in product(priors.items(), VAR_PENALTIES):
            flat = start + regressions[prior].solve(penalty * unit)  # p C, C
            coefs = flat.reshape(order, n_series, n_series).swapaxes(1, 2)
            cross, intercept = iterate(coefs, mean_y - mean_x @ flat, task.horizon)
            candidate = LinearMap.of(cross=cross, intercept=intercept)
            with np.errstate(over="ignore", invalid="ignore"):
                error = float(np.square(candidate.along(task.values, some) - actual).mean())
            if error < best:
                best, chosen = error, candidate
                about = {"order": order, "prior": prior, "relative_penalty": float(penalty)}
    assert chosen is not None  # order 1 is always tried
    about |= {"rows_read": chosen.n_lags, "chosen on every nth validation window": stride}
    return as_forecast(chosen), about


def fit_seasonal_naive(task: Task) -> tuple[Forecast, dict[str, Any]]:
    """Repeat the last season."""
    back = task.season - np.arange(task.horizon) % task.season
    return lambda windows: {"": windows[:, windows.shape[1] - back]}, {
        "season": task.season,
        "rows_read": task.season,
    }


def fit_anchor(task: Task, lookback: int) -> tuple[Forecast, dict[str, Any]]:
    """Estimate the anchor alone: on the training rows, and on validation rows too.

    Both read as many rows as the networks.
    """
    from samovar_forecast.frames.panel import Panel

    season = Panel.from_frame(task.frame()).grid.season
    refitted, strict = anchors_of(task, lookback, season)

    def forecast(windows: np.ndarray) -> dict[str, np.ndarray]:
        return {"": strict.map(windows), REFITTED: refitted.map(windows)}

    shares = {name: round(float(share.mean()), 4) for name, share in strict.weights.items()}
    return forecast, {"mean shares": shares, "season": season}


def fit_members(task: Task) -> tuple[Forecast, dict[str, Any]]:
    """Estimate the linear members alone, without a choice of look-back.

    They read as many rows as the task allows, at most `LONGEST_LOOKBACK`; shorter look-backs are
    averaged inside.
    """
    lookback = LONGEST_LOOKBACK
    while lookback > 1 and not task.allows(lookback):
        lookback //= 2
    forecast, about = fit_anchor(task, lookback)
    return forecast, {**about, "rows_read": lookback}


def anchors_of(task: Task, lookback: int, season: int) -> tuple[LinearForecast, LinearForecast]:
    """Return the anchors of all known rows and of the training rows."""
    return estimate_anchors(
        [Rows(task.known())],
        [Rows(task.rows("train"))],
        n_steps=task.horizon,
        max_lag=lookback,
        season=season,
    )


def as_forecast(chosen: LinearMap) -> Forecast:
    """Return a linear map as a row of the table."""
    return lambda windows: {"": chosen(windows)}
