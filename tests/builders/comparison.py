"""Data, comparisons and rows that the tests of comparison, plots and report share."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from samovar_forecast.comparison import Comparison, RepeatSeason
from samovar_forecast.comparison import compare as compare_with_classical

LAG_MATRIX = np.array([[0.6, 0.3, 0.0], [0.0, 0.5, 0.3], [-0.3, 0.0, 0.6]])


compare = functools.partial(compare_with_classical, classical=False)
"""Only the models that a test names; with the classical rows, take the package's own."""


def simulated_var(n_time: int = 120, seed: int = 0) -> pd.DataFrame:
    """A stable VAR(1) of three series in very different units, quarterly."""
    rng = np.random.default_rng(seed)
    values = np.zeros((n_time + 50, 3))
    for t in range(1, len(values)):
        values[t] = LAG_MATRIX @ values[t - 1] + rng.normal(size=3)
    return pd.DataFrame(
        values[50:] * [1.0, 1000.0, 0.01] + [0.0, 5000.0, 3.0],
        columns=["a", "b", "c"],
        index=pd.period_range("1990Q1", periods=n_time, freq="Q", name="quarter"),
    )


def forecasts_of(comparison: Comparison, model: str, origin: object) -> pd.DataFrame:
    rows = comparison.forecasts
    return rows[(rows["model"] == model) & (rows["origin"] == origin)]


class Fails(RepeatSeason):
    """A forecaster that never forecasts."""

    def _learn(self, values):
        raise RuntimeError("no <i>forecast</i>")
