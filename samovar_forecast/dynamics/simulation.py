"""One-step forecasters as functions, continued under shocks.

Everything in this room that follows a path rests on a *step*: the conditional mean of the next
observation as a vectorised function of windows of the past, both in the units of the data. A linear
VAR is the special case in which the answers have closed forms; the simulations then equal them to
rounding.

Letters: B windows, O origins, L context length, C series, H steps simulated, S sequences of shocks.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np

from samovar_forecast.arguments import check_switch, is_whole
from samovar_forecast.exceptions import ConfigurationError, DataError

Step = Callable[[np.ndarray], np.ndarray]
"""Windows (B, L, C) to the conditional mean of what follows each, (B, C)."""

WINDOWS_AT_ONCE = 2048
"""Windows handed to a step in one call: memory stays bounded whatever is asked."""

SMALLEST_EIGENVALUE = 1e-10
"""Of correlations: rounding leaves more of series that do not repeat one another."""


class Setting(NamedTuple):
    """Where simulations start, and what they go on with."""

    step: Step
    histories: np.ndarray
    """(O, L, C): the observations before each shock, in the units of the data"""
    names: tuple[str, ...]
    """Of the series"""
    origins: tuple[Hashable, ...]
    """Labels of the histories: where each ends"""


def simulate_paths(step: Step, histories: np.ndarray, shocks: np.ndarray) -> np.ndarray:
    """Continue every history under every sequence of shocks.

    Parameters
    ----------
    step : callable, (B, L, C) -> (B, C)
    histories : ndarray of shape (O, L, C)
    shocks : ndarray of shape (S, H, C)
        Added to the conditional mean, step by step.

    Returns
    -------
    ndarray of shape (O, S, H, C)
    """
    n_origins, length, n_series = histories.shape
    n_shocks, horizon, _ = shocks.shape
    paths = np.empty((n_origins * n_shocks, horizon, n_series))
    for start in range(0, len(paths), WINDOWS_AT_ONCE):
        origin, shock = np.divmod(
            np.arange(start, min(start + WINDOWS_AT_ONCE, len(paths))), n_shocks
        )
        path = np.empty((len(origin), length + horizon, n_series))
        path[:, :length] = histories[origin]
        for h in range(horizon):
            path[:, length + h] = one_step(step, path[:, h : length + h]) + shocks[shock, h]
        paths[start : start + len(origin)] = path[:, length:]
    return paths.reshape(n_origins, n_shocks, horizon, n_series)


def one_step(step: Step, windows: np.ndarray) -> np.ndarray:
    """Return the step's answer, shape (B, C); windows may have gaps, an answer may not."""
    mean = np.asarray(step(windows), dtype=float)
    wanted = (windows.shape[0], windows.shape[2])
    if mean.shape != wanted:
        raise DataError("the one-step map gave another shape", found=mean.shape, wanted=wanted)
    if np.isnan(mean).any():
        raise DataError(
            "the one-step map gave values that are not finite",
            found=f"{int(np.isnan(windows).sum())} missing values in its windows",
            remedy="fill the gaps of the histories, if it cannot read them",
        )
    return mean


def draw_errors(
    rng: np.random.Generator,
    covariance: np.ndarray,
    residuals: np.ndarray | None,
    n_draws: int,
    horizon: int,
) -> np.ndarray:
    """Return errors of shape (n_draws, horizon, C) whose mean over the draws is zero exactly."""
    if not is_whole(n_draws) or n_draws < 2 or n_draws % 2:
        raise ConfigurationError(
            "n_draws must be an even number of at least 2: draws come in pairs",
            found=repr(n_draws),
        )
    n_series = len(covariance)
    if residuals is None:
        half = rng.standard_normal((n_draws // 2, horizon, n_series))
        errors = np.concatenate([half, -half]) @ np.linalg.cholesky(covariance).T
    else:
        rows = np.asarray(residuals, dtype=float)
        if rows.ndim != 2 or rows.shape[1] != n_series:
            raise DataError(
                "residuals do not fit the series", found=rows.shape, wanted=f"(n, {n_series})"
            )
        errors = rows[rng.integers(len(rows), size=(n_draws, horizon))]
    return errors - errors.mean(axis=0)


def check_histories(
    history: np.ndarray,
    names: Sequence[str] | None,
    origins: Sequence[Hashable] | None,
) -> tuple[np.ndarray, tuple[str, ...], tuple[Hashable, ...]]:
    """Return histories of shape (O, L, C) with the labels of series and origins."""
    histories = np.asarray(history, dtype=float)
    if histories.ndim == 2:
        histories = histories[None]
    if histories.ndim != 3 or histories.size == 0:
        raise DataError(
            "histories have the wrong shape",
            found=np.shape(history),
            wanted="(length, n_series) or (n_origins, length, n_series)",
        )
    if np.isinf(histories).any():
        raise DataError("histories hold values that are not finite", remedy="fill or drop them")
    n_origins, _, n_series = histories.shape
    series = tuple(names) if names is not None else tuple(f"y{i + 1}" for i in range(n_series))
    labels = tuple(origins) if origins is not None else tuple(range(n_origins))
    for what, found, wanted in (
        ("names", len(series), n_series),
        ("origins", len(labels), n_origins),
    ):
        if found != wanted:
            raise DataError(f"{what} do not fit the histories", found=found, wanted=wanted)
    return histories, series, labels


def unit_shocks(orth: bool, sigma_u: np.ndarray | None, n_series: int) -> np.ndarray:
    """Return shocks in columns, (C, C): a unit of each series, or those of the Cholesky factor.

    Raises
    ------
    ConfigurationError
        If orthogonal shocks are asked for without the covariance of the errors.
    """
    if not check_switch("orth", orth):
        return np.eye(n_series)
    if sigma_u is None:
        raise ConfigurationError("orthogonal shocks need the covariance sigma_u of the errors")
    return np.linalg.cholesky(check_covariance(sigma_u, n_series))


def check_covariance(sigma_u: np.ndarray, n_series: int) -> np.ndarray:
    """Return the covariance of the one-step errors, symmetric and positive definite."""
    covariance = np.asarray(sigma_u, dtype=float)
    if covariance.shape != (n_series, n_series):
        raise DataError(
            "sigma_u does not fit the series",
            found=covariance.shape,
            wanted=(n_series, n_series),
        )
    if not np.allclose(covariance, covariance.T):
        raise DataError("sigma_u is not symmetric")
    spread = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    sizes = np.where(spread > 0, spread, 1.0)
    smallest = np.linalg.eigvalsh(covariance / sizes / sizes[:, None])[0]
    if not smallest > SMALLEST_EIGENVALUE:
        raise DataError(
            "sigma_u is not positive definite",
            found=f"smallest eigenvalue of its correlations {smallest:.3g}",
            remedy="use more residuals than series, and no series that repeats another",
        )
    return covariance
