"""What it costs to read a frame: CPU seconds of the questions that people ask first."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.datasets import macrodata

from samovar_forecast.dynamics.panel_reading import read_var
from samovar_forecast.linear.simulate import simulate_var

N_ROWS = 200


def series(n_series: int, seed: int) -> pd.DataFrame:
    """Return a stable VAR(1) of so many series."""
    coefs = 0.5 * np.eye(n_series) + 0.1 * np.random.default_rng(0).normal(size=(n_series,) * 2)
    values = simulate_var(coefs[None], N_ROWS, random_state=seed)
    return pd.DataFrame(values, columns=list("abcdef"[:n_series]))


def us_macro() -> pd.DataFrame:
    """Return inflation, unemployment and the interest rate by quarter."""
    table = macrodata.load_pandas().data[["infl", "unemp", "tbilrate"]].iloc[1:]
    return table.set_axis(pd.period_range("1959Q2", periods=len(table), freq="Q"))


def cost_of_reading(seed: int) -> dict[str, float]:
    """Return the CPU seconds of each question."""
    read_var(series(3, seed).iloc[:40]).sigma_at()  # the network is loaded, and what torch needs
    seconds: dict[str, float] = {}
    clock = partial(_clock, seconds)
    wide = clock("200 x 6: fit", lambda: read_var(series(6, seed)))
    clock(
        "200 x 6: coefficients at all origins",
        lambda: wide.coefficient_paths([1], part="dynamics"),
    )
    clock("200 x 6: one-step errors of all origins", lambda: wide.resid)
    clock("200 x 6: causality, all 30 pairs", wide.test_causality)
    narrow = read_var(series(3, seed))
    clock('200 x 3: irf(10, bands="local")', lambda: narrow.irf(10, bands="local"))
    narrow = read_var(series(3, seed))
    clock('200 x 3: irf(10, bands="bootstrap")', lambda: narrow.irf(10, bands="bootstrap"))
    clock("US macro: frame to figure, LaTeX and causality", session)
    return seconds


def session() -> None:
    """Go from the frame to responses with bands, sums over time, a LaTeX table and causality."""
    macro = read_var(us_macro(), horizon=8)
    macro.persistence()
    macro.irf(8, bands="local").plot()
    macro.irf(4).to_latex()
    macro.test_causality()


def _clock(seconds: dict[str, float], name: str, call: Callable[[], Any]) -> Any:
    """Call, and write the CPU seconds down."""
    before = time.process_time()
    answer = call()
    seconds[name] = round(time.process_time() - before, 2)
    return answer
