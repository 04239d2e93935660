"""Coefficients whose movement is known: how near our reading and its rivals come to them.

Each process is a VAR(1) of three series whose matrix moves, or whose errors do. Held against its
matrices are the dynamics that `read_var` finds at every origin, those of the pretrained network
alone, a VAR on rolling windows, a VAR with time-varying parameters by forgetting factors (Koop and
Korobilis 2013), and a VAR on all rows so far.

The comparison is not even in two ways. The linear member of `read_var` is estimated on the whole
sample, so `read_var` knows rows after an origin, while all others know the rows up to the origin
alone. The VARs of order 1 know the order of the process, the VAR that forgets chooses among few,
and our reading is told nothing. Our responses are those of the direct forecasts, with the
simple forecasts that they are drawn to; those of the VARs are iterated.

Letters: n rows, O origins, C series, p lags.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.dynamics.panel_reading import read_var
from samovar_forecast.frames.scaler import Scaler
from samovar_forecast.linear.forgetting import forgetting_vars
from samovar_forecast.network.pretrained import load_pretrained

N_ROWS, N_SERIES = 200, 3
ORIGINS = np.arange(60, N_ROWS - 1, 8)
"""Rows at which coefficients are compared."""
LAGS = (1, 2, 3, 4)
STEPS = (1, 4, 8)
"""Steps ahead of which responses are compared."""
WINDOW = 60
"""Rows of the rolling VAR."""

CALM = np.array([[0.2, 0.0, 0.0], [0.3, 0.3, 0.0], [0.0, -0.3, 0.4]])
TIED = np.array([[0.8, -0.3, 0.0], [0.3, 0.7, 0.0], [0.0, 0.3, 0.4]])
"""Two stable matrices, between which the processes move."""

Step = Callable[[int, np.ndarray], np.ndarray]

MOVEMENTS: dict[str, Step] = {
    "drift": lambda t, _: CALM + (TIED - CALM) * t / N_ROWS,
    "switch": lambda t, _: TIED if t >= N_ROWS // 2 else CALM,
    "sinusoid": lambda t, _: CALM + (TIED - CALM) * (1 - np.cos(2 * np.pi * t / 120)) / 2,
    "threshold": lambda _, y: TIED if y[0] > 0 else CALM,
    "volatility": lambda _t, _y: TIED,
}


def simulate(movement: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a series (n, C), and the matrix by which each row moves the next, (n, C, C)."""
    rng = np.random.default_rng([seed, list(MOVEMENTS).index(movement)])
    y, matrices = np.zeros((N_ROWS, N_SERIES)), np.zeros((N_ROWS, N_SERIES, N_SERIES))
    state = np.zeros(N_SERIES)
    for t in range(-50, N_ROWS):
        size = 3.0 if movement == "volatility" and N_ROWS // 3 <= t < 2 * N_ROWS // 3 else 1.0
        matrix = MOVEMENTS[movement](max(t - 1, 0), state)
        state = matrix @ state + size * rng.standard_normal(N_SERIES)
        if t >= 0:
            y[t], matrices[t] = state, MOVEMENTS[movement](t, state)
    return y, matrices


def of_reading(var: DynamicVAR) -> tuple[np.ndarray, np.ndarray]:
    """Return the dynamics at the origins, (O, p, C, C), and the responses, (O, steps, C, C)."""
    origins = list(var.index[ORIGINS])
    paths = var.coefficient_paths(LAGS, origins, part="dynamics").values
    coefs = paths.reshape(len(ORIGINS), N_SERIES, N_SERIES, len(LAGS)).transpose(0, 3, 1, 2)
    found = var.irf(max(STEPS), origin=origins).values
    return coefs, found[:, list(STEPS)]


def of_matrices(lags: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the same of VARs (q, C, C) whose responses are iterated."""
    coefs = np.zeros((len(lags), max(len(LAGS), *map(len, lags)), N_SERIES, N_SERIES))
    responses = np.zeros((len(lags), max(STEPS) + 1, N_SERIES, N_SERIES))
    responses[:, 0] = np.eye(N_SERIES)
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


def contestants(y: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return coefficients and responses that each contestant finds at the origins."""
    frame = pd.DataFrame(y, columns=list("abc"))
    shares = {"pretrained": np.ones((max(STEPS), N_SERIES))}
    members = {"pretrained": (load_pretrained().network, 1)}
    alone = DynamicVAR.from_members(members, shares, frame, scaler=Scaler.of(y))
    centred = (y - y.mean(axis=0)) / y.std(axis=0)
    forgetting = forgetting_vars(centred, [int(origin) + 1 for origin in ORIGINS])
    unit = y.std(axis=0)
    tvp = [fit[0] * unit[:, None] / unit for fit in forgetting if fit is not None]
    ends = [y[: origin + 1] for origin in ORIGINS]
    return {
        "read_var": of_reading(read_var(frame, horizon=max(STEPS))),
        "pretrained alone": of_reading(alone),
        "rolling VAR(1)": of_matrices([least_squares(rows[-WINDOW:]) for rows in ends]),
        "TVP-VAR": of_matrices(tvp),
        "constant VAR(1)": of_matrices([least_squares(rows) for rows in ends]),
    }


def movement_found(movement: str, seed: int) -> dict[str, float]:
    """Measure errors of coefficients, of their sums and of responses, contestant by contestant."""
    y, matrices = simulate(movement, seed)
    truth, true_responses = of_matrices([matrices[origin][None] for origin in ORIGINS])
    outcome = {}
    for name, (coefs, responses) in contestants(y).items():
        outcome[f"{name}, coefficients"] = rmse(coefs - truth)
        outcome[f"{name}, sums"] = rmse(coefs.sum(axis=1) - truth.sum(axis=1))
        for number, step in enumerate(STEPS):
            error = responses[:, number] - true_responses[:, number]
            outcome[f"{name}, response {step}"] = rmse(error)
    return outcome


def rmse(errors: np.ndarray) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(errors))))
