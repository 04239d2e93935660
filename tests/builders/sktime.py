"""What the tests of the sktime forecaster share: small parameters, small frames."""

from __future__ import annotations

import numpy as np
import pandas as pd

PAPER = {"linear": False, "pretrained": False, "train": True}
"""The model of the paper: a trained network alone."""

TINY = {**PAPER, "d_model": 8, "n_layers": 1, "max_epochs": 2, "random_state": 0}


def wave(index: pd.Index | None = None, n_time: int = 60, n_series: int = 2) -> pd.DataFrame:
    """Noisy waves with the columns "a", "b", ..., the same for every index."""
    time = np.arange(n_time if index is None else len(index))[:, None]
    noise = np.random.default_rng(1).normal(0, 0.1, size=(len(time), n_series))
    values = np.sin(time / 3 + np.arange(n_series)) + noise
    if index is None:
        index = pd.date_range("2024-01-01", periods=len(time), freq="D", name="day")
    return pd.DataFrame(values, index=index, columns=list("abcdef")[:n_series])


def walks(n_time: int = 150, sizes: tuple[float, ...] = (1.0, 1000.0)) -> pd.DataFrame:
    """Two series that move together, one of them in much larger steps."""
    rng = np.random.default_rng(4)
    common = rng.normal(size=(n_time, 1))
    steps = (common + 0.2 * rng.normal(size=(n_time, len(sizes)))) * sizes
    index = pd.period_range("2000-01", periods=n_time, freq="M", name="month")
    return pd.DataFrame(steps.cumsum(axis=0), index, ["small", "large"][: len(sizes)])


def waves(n_time: int = 90, seed: int = 0, n_series: int = 2) -> pd.DataFrame:
    """Noisy daily waves, each of its own level and size."""
    rng = np.random.default_rng(seed)
    phase, level = rng.uniform(0, 6, n_series), rng.normal(0, 20, n_series)
    values = np.sin(np.arange(n_time)[:, None] / 2 + phase) * rng.uniform(1, 9, n_series) + level
    index = pd.date_range("2024-01-01", periods=n_time, freq="D", name="day")
    return pd.DataFrame(values + rng.normal(0, 0.1, values.shape), index, list("ab")[:n_series])


def panel(n_instances: int = 3, n_time: int = 60, n_series: int = 2) -> pd.DataFrame:
    """A panel of waves; its instances are of unequal length."""
    parts = {f"i{k}": waves(n_time - 7 * k, seed=k, n_series=n_series) for k in range(n_instances)}
    return pd.concat(parts, names=["id"])
