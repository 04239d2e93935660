"""Histories drawn again by the dynamic VAR itself, on which its members are asked again.

A drawn history follows the one-step coefficients of every origin, and errors drawn at random:
``y*(t+1) = f(t) + sum_l A_l(t) (y* - y)(t+1-l) + e*(t+1)``, with f the forecast and A the dynamics
at the origin t of the data. With the errors that were made, it is the history itself. Nothing is
trained: a linear forecast is estimated again in closed form, and the pretrained network has learned
from no row.

Letters: D draws, n times, C series, p lags.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
import pandas as pd

from samovar_forecast.arguments import generator_of
from samovar_forecast.dynamics.bands import draw_blocks
from samovar_forecast.dynamics.drawn_together import DrawnTogether
from samovar_forecast.dynamics.forecast_reading import ForecastReading
from samovar_forecast.dynamics.roots import companion_radius
from samovar_forecast.exceptions import ConfigurationError, DataError

_R = TypeVar("_R", bound=ForecastReading)

MOST_LAGS = 24
"""Lags of the dynamics that a drawn history follows."""

FEWEST_ERRORS = 20


class OneStepDynamics(NamedTuple):
    """One-step dynamics and forecasts of a reading at its origins."""

    positions: np.ndarray
    """(n,) rows of the origins."""
    slopes: np.ndarray
    """(n, C, p, C), oldest lag first."""
    forecasts: np.ndarray
    """(n, C)"""


def resampled(
    var: _R,
    n_draws: int,
    *,
    block_length: int = 1,
    random_state: int | np.random.Generator | None = None,
    added: np.ndarray | None = None,
    dynamics: OneStepDynamics | None = None,
) -> list[_R]:
    """Return the readings of drawn histories, estimated again.

    Parameters
    ----------
    var : ForecastReading
        Of members that learn in closed form or not at all.
    n_draws : int
    block_length : int, default=1
        Of the errors that are drawn together. Longer blocks carry on what the forecast left of
        correlation over time; then the histories follow other dynamics than those that are read.
    random_state : int or numpy Generator, optional
    added : array of shape (C, p, C), optional
        What the histories follow beside the dynamics of every origin, oldest lag first.
    dynamics : OneStepDynamics, optional
        :func:`one_step_dynamics` of ``var``, where they are known already.

    Returns
    -------
    list of ForecastReading
        Of the kind of ``var``. The errors that were drawn stand for its one-step errors, at times
        at which every series was observed.

    Raises
    ------
    ConfigurationError
        If a trained network has a part in the forecast.
    DataError
        If there are too few errors.
    """
    rng = generator_of(random_state)
    positions, slopes, forecasts = one_step_dynamics(var) if dynamics is None else dynamics
    if added is not None:
        slopes = slopes + added
    values = var.data.target.values
    errors = values[positions + 1] - forecasts
    is_complete = np.isfinite(errors).all(axis=1)
    if is_complete.sum() < FEWEST_ERRORS:
        raise DataError(
            "too few one-step errors to draw from",
            found=f"{is_complete.sum()} times at which every series was observed",
            wanted=f"at least {FEWEST_ERRORS}",
        )
    drawn = draw_blocks(errors, n_draws, block_length, rng)  # D n C
    moved = np.zeros((n_draws, len(values) + MOST_LAGS, values.shape[1]))  # y* - y
    n_lags = slopes.shape[2]
    for number, t in enumerate(positions):
        recent = moved[:, MOST_LAGS + t - n_lags + 1 : MOST_LAGS + t + 1]  # D p C, oldest first
        change = np.einsum("cpk,dpk->dc", slopes[number], recent)
        moved[:, MOST_LAGS + t + 1] = change + drawn[:, number] - np.nan_to_num(errors[number])
    readings = []
    for errors_made, change in zip(drawn, moved[:, MOST_LAGS:], strict=True):
        times = var.index[positions[is_complete] + 1]
        made = pd.DataFrame(errors_made[is_complete], times, list(var.names))
        readings.append(var.estimated_on(values + change, errors=made))
    DrawnTogether(readings)
    return readings


def one_step_dynamics(var: ForecastReading) -> OneStepDynamics:
    """Return what a reading says at every origin whose next row was observed.

    Raises
    ------
    ConfigurationError
        If a trained network has a part in the forecast.
    """
    if var.has_trained_network:
        raise ConfigurationError(
            "a band by the bootstrap asks the forecast again, and a trained network would have to "
            "be trained again",
            remedy="bands.residual_block_bootstrap takes the trainings; or fit without train=True",
        )
    positions = var.data.positions(None)
    positions = positions[positions < len(var.index) - 1]
    return OneStepDynamics(positions, *_dynamics(var, positions))


def newest_dynamics(var: ForecastReading) -> np.ndarray:
    """Return the one-step dynamics at the newest origin, (C, p, C), oldest lag first."""
    return _dynamics(var, var.data.positions(None)[-1:])[0][0]


def stable_share(dynamics: np.ndarray, added: np.ndarray) -> float:
    """Return how much of an addition leaves the dynamics stable: all, or some tenths, or none.

    As Kilian (1998, Review of Economics and Statistics 80, p. 220) halts a correction of bias.

    Parameters
    ----------
    dynamics, added : arrays of shape (C, p, C)
        Oldest lag first.
    """
    for tenths in range(10, 0, -1):
        coefs = (dynamics + tenths / 10 * added)[:, ::-1].swapaxes(0, 1)  # p C C
        if companion_radius(coefs) < 1:
            return tenths / 10
    return 0.0


def _dynamics(var: ForecastReading, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the one-step dynamics at rows, (n, C, p, C) with the oldest lag first; forecasts."""
    first = np.eye(1, var.patch_length)
    n_lags = min(MOST_LAGS, var.order)
    rows = np.arange(var.order - n_lags, var.order)
    found = [
        (jacobian.at_rows(rows)[0, ..., -var.neqs :], jacobian.value[0])
        for jacobian in var.jacobians_at(positions, first, "dynamics")
    ]
    return np.stack([slope for slope, _ in found]), np.stack([value for _, value in found])
