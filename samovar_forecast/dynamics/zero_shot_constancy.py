"""Constancy of the dynamics without training: forecasts against constant ones, and a sup test.

Two questions. Does the mean of the pretrained network and of a VAR that forgets know what a VAR
with constant coefficients does not? All are out of sample at every origin: the network has learned
from no row, and the VARs are estimated on the rows up to the origin. And do the sums of the
network's coefficients move more over the origins than they would if nothing moved? The network is
asked of histories that a VAR with constant coefficients draws.

Letters: n rows, C series, p lags, D draws, O origins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from samovar_forecast.accuracy_tests import KNOWN_LAGS, diebold_mariano, holm
from samovar_forecast.arguments import check_level, is_whole
from samovar_forecast.dynamics.constancy import ConstancyTest, constancy
from samovar_forecast.dynamics.history import History
from samovar_forecast.dynamics.windows import joined
from samovar_forecast.dynamics.zero_shot_causality import FIRST_ORIGIN, ZeroShotForecasts
from samovar_forecast.dynamics.zero_shot_map import ZeroShotMap
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.linear.forgetting import FACTORS
from samovar_forecast.linear.regressions import ols_var
from samovar_forecast.linear.threads import one_blas_thread

FORGETTING = tuple(factor for factor in FACTORS if factor < 0.98)
"""Of the VAR whose coefficients may move: it forgets in any case."""

N_ORIGINS = 12
"""Origins at which the sums are read."""

LONGEST_ORDER = 4
"""Of the VAR that draws histories without movement."""

FEWEST_ROWS = 60
"""Rows with which there is something to compare."""

NUMBERS_AT_ONCE = 100_000
"""Numbers in the windows of the histories that are read together."""


@one_blas_thread()
def zero_shot_constancy(
    forecasts: ZeroShotForecasts,
    *,
    level: float = 0.05,
    n_draws: int = 39,
    random_state: int | None = 0,
) -> ConstancyTest:
    """Test whether the dynamics move, by forecasts and by the sums of the coefficients.

    Parameters
    ----------
    forecasts : ZeroShotForecasts
    level : float, default=0.05
    n_draws : int, default=39
        Histories of the sup test; its p-values are no smaller than ``1 / (n_draws + 1)``.
    random_state : int, optional

    Returns
    -------
    ConstancyTest
        Beside the columns of :func:`constancy.constancy`, ``pvalue_dm`` of Diebold and Mariano's
        two-sided test of equal accuracy; ``movement``, the largest distance of a series' sum of
        own coefficients from its mean over the origins; ``pvalue_movement`` by simulation, and
        ``pvalue_movement_holm``.

    Raises
    ------
    DataError
        If the history is too short.
    """
    if not is_whole(n_draws) or n_draws < 1:
        raise ConfigurationError("a sup test wants draws", found=repr(n_draws), wanted="1 or more")
    check_level(level)
    history = forecasts.data
    if len(history.index) < FEWEST_ROWS:
        raise DataError(
            "too few rows to tell whether dynamics move",
            found=len(history.index),
            wanted=f"at least {FEWEST_ROWS}",
        )
    actual = forecasts.actual
    plain, added = forecasts.without_effect
    names = forecasts.names
    fixed = forecasts.of_moving_var(names, (1.0,))
    moving = forecasts(names, FORGETTING)
    found = constancy(actual, fixed, moving, level=level)
    truth = actual.to_numpy()
    losses = [np.square(truth - made)[KNOWN_LAGS:] for made in (moving, fixed)]
    pvalues = [
        diebold_mariano(*own).pvalue for own in zip(*(loss.T for loss in losses), strict=True)
    ]
    movement, pvalue_movement = sup_test(
        forecasts.forecaster, history, plain, added, n_draws, random_state
    )
    table = found.table.assign(
        pvalue_dm=pvalues,
        movement=movement,
        pvalue_movement=pvalue_movement,
        pvalue_movement_holm=holm(pd.Series(pvalue_movement)),
    )
    return replace(found, table=table, n_trainings=0)


def sup_test(
    forecaster: ZeroShotMap,
    history: History,
    plain: np.ndarray,
    added: np.ndarray,
    n_draws: int,
    seed: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the movement of each series' sum of own coefficients, (C,), and its p-value, (C,).

    The p-value is the share of movements as large on histories without movement, see
    :func:`constant_paths`. They have the gaps and the covariates of the history.

    Parameters
    ----------
    forecaster : ZeroShotMap
    history : History
    plain : array of shape (n, C)
        The scaled series without gaps and without the effect of covariates.
    added : array of shape (n, C)
        This effect.
    n_draws : int
    seed : int or None
    """
    patch = forecaster.network.config.patch_length
    apart = max(1, (len(plain) - FIRST_ORIGIN) // (N_ORIGINS * patch)) * patch
    positions = np.arange(history.last_position, FIRST_ORIGIN, -apart)[::-1]
    target = history.target
    is_missing = np.isnan(target.values)
    paths = constant_paths(plain, n_draws, np.random.default_rng(seed))
    drawn = np.where(is_missing, np.nan, target.unscaled(paths + added))
    every = [target.values, *drawn]
    n_together = max(1, NUMBERS_AT_ONCE // (len(positions) * target.values.size))
    movement, *of_draws = np.concatenate(
        [
            _movements(forecaster, history, every[start : start + n_together], positions)
            for start in range(0, len(every), n_together)
        ]
    )
    larger = (np.array(of_draws) >= movement).sum(axis=0)
    return movement, (1 + larger) / (1 + n_draws)


def constant_paths(plain: np.ndarray, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Return histories drawn from a VAR by least squares and its errors, (D, n, C).

    They begin with the first rows of the history.
    """
    coefs, intercept = ols_var([plain], LONGEST_ORDER)
    order = len(coefs)
    paths = np.empty((n_draws, *plain.shape))
    paths[:, :order] = plain[:order]
    lags = [plain[order - lag : len(plain) - lag] for lag in range(1, order + 1)]
    fitted = sum((own @ coef.T for own, coef in zip(lags, coefs, strict=True)), intercept)
    errors = plain[order:] - fitted
    errors = errors - errors.mean(axis=0)
    drawn = errors[rng.integers(len(errors), size=(n_draws, len(errors)))]
    for t in range(order, len(plain)):
        recent = paths[:, t - order : t][:, ::-1]  # D p C
        paths[:, t] = intercept + np.einsum("dpk,pck->dc", recent, coefs) + drawn[:, t - order]
    return paths


def _movements(
    forecaster: ZeroShotMap, history: History, every: Sequence[np.ndarray], positions: np.ndarray
) -> np.ndarray:
    """Return the largest distance of each sum of own coefficients from its mean, (D, C).

    ``every`` holds D series (n, C), which stand in the place of those of the history.
    """
    first, n_series = np.eye(1, forecaster.n_steps), len(history.target.names)
    windows = joined(
        [
            replace(history, target=history.target._replace(values=values)).windows(positions)
            for values in every
        ]
    )
    jacobians = forecaster.jacobians(windows, first, history.units(), "dynamics")
    sums = np.stack([np.diagonal(own.dense()[0, ..., -n_series:].sum(axis=1)) for own in jacobians])
    sums = sums.reshape(len(every), len(positions), n_series)
    return np.asarray(np.abs(sums - sums.mean(axis=1, keepdims=True)).max(axis=1))
