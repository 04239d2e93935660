"""Processes that are known: their rows, and the forecast of who knows them.

No forecast is better on average than the mean of what may come, given the rows and the process.
What this mean leaves is the floor of every forecaster, by whatever means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from benchmarks.econometric import random_process
from samovar_forecast import simulate_var
from samovar_forecast.pretraining.draws import Draws, seed_of
from samovar_forecast.pretraining.shocks import shocks
from samovar_forecast.pretraining.vector_families import (
    BURN_IN,
    draw_regimes,
    moving_matrices,
    run_var,
)

ROWS, STEPS, N_SERIES = 400, 8, 3
N_FUTURES = 2000
"""Futures of a nonlinear process whose mean is taken; half of them mirror the others."""
PURPOSE = "known processes"
"""What the random numbers are for: no training draws the same."""


class Known(NamedTuple):
    """Rows of a process, and what is known of the last of them."""

    rows: np.ndarray
    """(ROWS + STEPS, C)"""
    expected: np.ndarray
    """(STEPS, C): mean of the last rows, given those before and the process."""


def draw_var(number: int) -> Known:
    """Draw a VAR(2)."""
    random = np.random.default_rng([2, number])
    coefs = random_process(2, N_SERIES, random)
    rows = simulate_var(coefs, ROWS + STEPS, random_state=random)
    past = list(rows[:ROWS])
    for _ in range(STEPS):
        past.append(coefs[0] @ past[-1] + coefs[1] @ past[-2])
    return Known(rows, np.array(past[ROWS:]))


def draw_moving_var(number: int) -> Known:
    """Draw a VAR of the simulated world whose matrices move; how they move on is known as well."""
    draws, total = Draws(seed_of(PURPOSE, number)), BURN_IN + ROWS + STEPS
    first, second, mix = moving_matrices(draws, 1, total, N_SERIES)
    e = shocks(draws, 1, total, N_SERIES, plain=0.7)
    rows, expected = (run_var(first, some, second, mix)[0] for some in (e, _without_future(e)))
    return Known(_numbers(rows[BURN_IN:]), _numbers(expected[-STEPS:]))


def draw_threshold_var(number: int) -> Known:
    """Draw a threshold VAR of the simulated world."""
    draws, total = Draws(seed_of(PURPOSE, number)), BURN_IN + ROWS + STEPS
    regimes = draw_regimes(draws, 1, N_SERIES)
    e = shocks(draws, 1, total, N_SERIES, plain=0.7)
    row = draws.integers(0, total - STEPS - 1, N_FUTURES // 2, STEPS)
    futures = _without_future(e).repeat(N_FUTURES, 1, 1)
    futures[:, -STEPS:] = torch.cat([e[0, row], -e[0, row]])
    expected = regimes.run(futures)[:, -STEPS:].double().mean(0)
    return Known(_numbers(regimes.run(e)[0, BURN_IN:]), _numbers(expected))


DRAWS: dict[str, Callable[[int], Known]] = {
    "VAR(2)": draw_var,
    "threshold VAR": draw_threshold_var,
    "moving VAR": draw_moving_var,
}
"""How a process of each kind is drawn, by its number."""


def _without_future(e: Tensor) -> Tensor:
    """Return the shocks (1, T, C) without those of the steps to forecast: their mean is 0."""
    known = e.clone()
    known[:, -STEPS:] = 0
    return known


def _numbers(rows: Tensor) -> np.ndarray:
    return rows.double().numpy()
