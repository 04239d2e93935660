"""Tests that train nothing, on processes whose answer is known: how often each of them rejects.

The series a, b and c are a VAR(1); what changes from process to process is what acts on b. The
linear rival is the Granger test of a VAR(1) by least squares, which knows the order.

Letters: n rows, C series.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from statsmodels.tsa.api import VAR

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.frames.scaler import Scaler
from samovar_forecast.network.pretrained import load_pretrained

N_ROWS, LEVEL = 200, 0.05

ALONE = np.array([[0.5, 0.3, 0.0], [0.0, 0.4, 0.0], [0.0, 0.3, 0.3]])
"""b acts on the others, and nothing acts on b."""

EFFECTS: dict[str, Callable[[int, np.ndarray], float]] = {
    "none": lambda _t, _y: 0.0,
    "linear": lambda _t, y: 0.3 * y[0],
    "kink": lambda _t, y: 0.5 * max(y[0], 0.0),
    "turn": lambda t, y: (0.4 if t < N_ROWS // 2 else -0.4) * y[0],
    "persistence": lambda t, y: (-0.4 if t < N_ROWS // 2 else 0.4) * y[1],
}
"""What is added to the next b, at row t after the values y."""


def simulate(effect: str, seed: int) -> pd.DataFrame:
    """Return the series of a process, (n, 3)."""
    rng = np.random.default_rng([seed, list(EFFECTS).index(effect)])
    state, rows = np.zeros(3), []
    for t in range(-100, N_ROWS):
        added = EFFECTS[effect](t, state)
        state = ALONE @ state + rng.standard_normal(3)
        state[1] += added
        rows.append(state)
    return pd.DataFrame(rows[100:], columns=list("abc"))


def pretrained_alone(frame: pd.DataFrame) -> DynamicVAR:
    """Return the pretrained network, read on a frame."""
    members = {"pretrained": (load_pretrained().network, 1)}
    shares = {"pretrained": np.ones((1, frame.shape[1]))}
    return DynamicVAR.from_members(members, shares, frame, scaler=Scaler.of(frame.to_numpy()))


def causality_tested(effect: str, seed: int) -> dict[str, float]:
    """Say which tests of a on b, and of a on c, reject."""
    frame = simulate(effect, seed)
    squares = VAR(frame).fit(1)
    outcome: dict[str, float] = {}
    for row in pretrained_alone(frame).test_causality(causing="a").table.itertuples():
        outcome[f"zero-shot, Clark-West, on {row.caused}"] = int(row.pvalue < LEVEL)
        is_better = row.mse_full < row.mse_restricted
        outcome[f"zero-shot, Diebold-Mariano, one-sided, on {row.caused}"] = int(
            is_better and row.pvalue_dm / 2 < LEVEL
        )
        granger = squares.test_causality(row.caused, "a").pvalue
        outcome[f"Granger, least squares of order 1, on {row.caused}"] = int(granger < LEVEL)
    return outcome


def constancy_tested(effect: str, seed: int) -> dict[str, float]:
    """Say which tests of constant dynamics reject, for b."""
    table = pretrained_alone(simulate(effect, seed)).test_constancy(n_draws=19).table
    row = table.set_index(table.columns[0]).loc["b"]
    is_better = row["mse_full"] < row["mse_restricted"]
    return {
        "forecasts, Clark-West": int(row["pvalue"] < LEVEL),
        "forecasts, Diebold-Mariano, one-sided": int(is_better and row["pvalue_dm"] / 2 < LEVEL),
        "movement of the sums": int(row["pvalue_movement"] <= LEVEL),
    }
