"""Coefficients whose movement is known: how near our reading and its rivals come to them.

Each process is a VAR(1) of three series whose matrix moves, or whose errors do; six series are two
such processes side by side. Held against its matrices are the dynamics that `read_var` finds at
every origin, those of the pretrained network alone, a VAR on rolling windows, a VAR with
time-varying parameters by forgetting factors (Koop and Korobilis 2013), and a VAR on all rows so
far.

All of them know the rows up to the origin alone; of `read_var` the shares of its members know all
rows. The comparison is not even in another way. The VARs of order 1 know the order of the process,
the VAR that forgets chooses among few, and our reading is told nothing. Our responses are those of
the direct forecasts, with the simple forecasts that they are drawn to; those of the VARs are
iterated.

Letters: n rows, O origins, C series, p lags.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.dynamics.panel_reading import read_var
from samovar_forecast.frames.scaler import Scaler
from samovar_forecast.linear.forgetting import forgetting_vars
from samovar_forecast.network.pretrained import load_pretrained

FIRST_ORIGIN, N_ORIGINS = 60, 18
"""First row at which coefficients are compared, and how many there are at most."""
LAGS = (1, 2, 3, 4)
STEPS = (1, 4, 8)
"""Steps ahead of which responses are compared."""
WINDOW = 60
"""Rows of the rolling VAR."""

CALM = np.array([[0.2, 0.0, 0.0], [0.3, 0.3, 0.0], [0.0, -0.3, 0.4]])
TIED = np.array([[0.8, -0.3, 0.0], [0.3, 0.7, 0.0], [0.0, 0.3, 0.4]])
"""Two stable matrices, between which the processes move."""

Step = Callable[[float, int, np.ndarray], float]

MOVEMENTS: dict[str, Step] = {
    "drift": lambda share, _t, _y: share,
    "switch": lambda share, _t, _y: float(share >= 1 / 2),
    "sinusoid": lambda _share, t, _y: (1 - np.cos(2 * np.pi * t / 120)) / 2,
    "threshold": lambda _share, _t, y: float(y[0] > 0),
    "volatility": lambda _share, _t, _y: 1.0,
}
"""How far from the first matrix to the second, by the share of the rows, the row, the values."""


class Process(NamedTuple):
    """A movement, and how much of it is seen."""

    movement: str
    n_rows: int = 200
    n_series: int = 3

    @property
    def origins(self) -> np.ndarray:
        """Rows at which coefficients are compared."""
        apart = -(-(self.n_rows - 1 - FIRST_ORIGIN) // N_ORIGINS)
        return np.arange(FIRST_ORIGIN, self.n_rows - 1, apart)

    def matrix(self, t: int, state: np.ndarray) -> np.ndarray:
        """Return the matrix by which a row moves the next, (C, C)."""
        triples = state.reshape(-1, 3)
        moved = [MOVEMENTS[self.movement](t / self.n_rows, t, own) for own in triples]
        whole = np.zeros((self.n_series, self.n_series))
        for place, share in enumerate(moved):
            own = slice(3 * place, 3 * place + 3)
            whole[own, own] = CALM + (TIED - CALM) * share
        return whole


def simulate(process: Process, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a series (n, C), and the matrix by which each row moves the next, (n, C, C)."""
    n_rows, n_series = process.n_rows, process.n_series
    rng = np.random.default_rng([seed, list(MOVEMENTS).index(process.movement)])
    y, matrices = np.zeros((n_rows, n_series)), np.zeros((n_rows, n_series, n_series))
    state, is_loud = np.zeros(n_series), process.movement == "volatility"
    for t in range(-50, n_rows):
        size = 3.0 if is_loud and n_rows // 3 <= t < 2 * n_rows // 3 else 1.0
        state = process.matrix(max(t - 1, 0), state) @ state + size * rng.standard_normal(n_series)
        if t >= 0:
            y[t], matrices[t] = state, process.matrix(t, state)
    return y, matrices


def of_reading(var: DynamicVAR, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the dynamics at the origins, (O, p, C, C), and the responses, (O, steps, C, C)."""
    origins = list(var.index[rows])
    paths = var.coefficient_paths(LAGS, origins, part="dynamics").values
    coefs = paths.reshape(len(rows), var.neqs, var.neqs, len(LAGS)).transpose(0, 3, 1, 2)
    found = var.irf(max(STEPS), origin=origins).values
    return coefs, found[:, list(STEPS)]


def of_matrices(lags: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the same of VARs (q, C, C) whose responses are iterated."""
    n_series = lags[0].shape[1]
    coefs = np.zeros((len(lags), max(len(LAGS), *map(len, lags)), n_series, n_series))
    responses = np.zeros((len(lags), max(STEPS) + 1, n_series, n_series))
    responses[:, 0] = np.eye(n_series)
    for number, matrices in enumerate(lags):
        coefs[number, : len(matrices)] = matrices
        for h in range(1, max(STEPS) + 1):
            for lag in range(1, min(h, len(matrices)) + 1):
                responses[number, h] += matrices[lag - 1] @ responses[number, h - lag]
    return coefs[:, : len(LAGS)], responses[:, list(STEPS)]


def least_squares(rows: np.ndarray) -> np.ndarray:
    """Return the matrix of a VAR(1) with a constant, (1, C, C)."""
    design = np.column_stack([np.ones(len(rows) - 1), rows[:-1]])
    return np.linalg.lstsq(design, rows[1:], rcond=None)[0][1:].T[None]


def contestants(y: np.ndarray, origins: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return coefficients and responses that each contestant finds at the origins."""
    frame = pd.DataFrame(y, columns=list("abcdef"[: y.shape[1]]))
    shares = {"pretrained": np.ones((max(STEPS), y.shape[1]))}
    members = {"pretrained": (load_pretrained().network, 1)}
    alone = DynamicVAR.from_members(members, shares, frame, scaler=Scaler.of(y))
    centred = (y - y.mean(axis=0)) / y.std(axis=0)
    forgetting = forgetting_vars(centred, [int(origin) + 1 for origin in origins])
    unit = y.std(axis=0)
    tvp = [fit[0] * unit[:, None] / unit for fit in forgetting if fit is not None]
    ends = [y[: origin + 1] for origin in origins]
    return {
        "read_var": of_reading(read_var(frame, horizon=max(STEPS)), origins),
        "pretrained alone": of_reading(alone, origins),
        "rolling VAR(1)": of_matrices([least_squares(rows[-WINDOW:]) for rows in ends]),
        "TVP-VAR": of_matrices(tvp),
        "constant VAR(1)": of_matrices([least_squares(rows) for rows in ends]),
    }


def movement_found(process: Process, seed: int) -> dict[str, float]:
    """Measure errors of coefficients, of their sums and of responses, contestant by contestant.

    Beside the root mean square errors of each, the correlation of the sums with their truth over
    the origins, mean over the pairs of series whose true sum moves.
    """
    y, matrices = simulate(process, seed)
    origins = process.origins
    truth, true_responses = of_matrices([matrices[origin][None] for origin in origins])
    outcome = {}
    for name, (coefs, responses) in contestants(y, origins).items():
        outcome[f"{name}, coefficients"] = rmse(coefs - truth)
        outcome[f"{name}, sums"] = rmse(coefs.sum(axis=1) - truth.sum(axis=1))
        for number, step in enumerate(STEPS):
            error = responses[:, number] - true_responses[:, number]
            outcome[f"{name}, response {step}"] = rmse(error)
        outcome[f"{name}, correlation"] = correlation(coefs.sum(axis=1), truth.sum(axis=1))
    return outcome


def correlation(found: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean correlation over origins, (O, C, C), of what moves; NaN if nothing does."""
    moves = (truth.std(axis=0) > 1e-9) & (found.std(axis=0) > 1e-9)
    if not moves.any():
        return float("nan")
    off = [values[:, moves] - values[:, moves].mean(axis=0) for values in (found, truth)]
    sizes = [np.sqrt(np.square(own).sum(axis=0)) for own in off]
    return float(((off[0] * off[1]).sum(axis=0) / (sizes[0] * sizes[1])).mean())


def rmse(errors: np.ndarray) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(errors))))
