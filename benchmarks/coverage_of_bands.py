"""Coverage of the bands that `read_var` draws: sums and responses whose truth is known.

Processes of two series: a VAR(1), and VAR(1)s whose matrix moves. Held against the truth at the
newest origin are the bands of the sums of the coefficients and of the responses of the direct
forecasts. True responses are those of the matrix at the origin, iterated.

Letters: C series, D draws.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from samovar_forecast.dynamics.panel_reading import read_var

N_ROWS, STEPS, LEVEL = 200, 4, 0.9
N_DRAWS = {"local": 199, "bootstrap": 39}
"""As by default."""

CALM = np.array([[0.3, 0.2], [0.0, 0.4]])
TIED = np.array([[0.7, 0.0], [-0.3, 0.6]])

PROCESSES: dict[str, Callable[[int], np.ndarray]] = {
    "linear": lambda _: np.array([[0.5, 0.25], [-0.2, 0.4]]),
    "drift": lambda t: CALM + (TIED - CALM) * t / N_ROWS,
    "switch": lambda t: TIED if t >= N_ROWS // 2 else CALM,
}
"""The matrix by which row t moves the next."""


def simulate(process: str, seed: int) -> pd.DataFrame:
    """Return a series of a process, (n, C)."""
    rng = np.random.default_rng([seed, list(PROCESSES).index(process)])
    state, rows = np.zeros(2), []
    for t in range(-50, N_ROWS):
        state = PROCESSES[process](max(t - 1, 0)) @ state + rng.standard_normal(2)
        rows.append(state)
    return pd.DataFrame(rows[50:], columns=["a", "b"])


def covered(process: str, bands: str, seed: int) -> dict[str, float]:
    """Return the shares of true sums and responses in their bands, and the widths of the bands."""
    var = read_var(simulate(process, seed), horizon=STEPS)
    matrix = PROCESSES[process](N_ROWS - 1)
    drawn = {"bands": bands, "level": LEVEL, "n_draws": N_DRAWS[bands], "random_state": seed}
    sums = var.persistence(list(var.origins[-1:]), **drawn)
    responses = var.irf(STEPS, **drawn)
    true_responses = [np.linalg.matrix_power(matrix, step) for step in range(STEPS + 1)]
    return {
        f"sums, {LEVEL:.0%}": _share(matrix.reshape(1, -1), *sums.band()),
        f"responses, {LEVEL:.0%}": _share(
            np.stack(true_responses[1:]), *(bound[1:] for bound in responses.band())
        ),
        "width of sums": _width(*sums.band()),
        "width of responses": _width(*(bound[1:] for bound in responses.band())),
    }


def _width(lower: np.ndarray, upper: np.ndarray) -> float:
    """Return the mean width."""
    return float((upper - lower).mean())


def _share(truth: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """Return the share of the truth that lies inside."""
    return float(((lower <= truth) & (truth <= upper)).mean())
