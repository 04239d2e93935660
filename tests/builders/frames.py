"""Files of series, as users have them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd


def write_csv(
    path: Path,
    first: Iterable[object],
    *,
    name: str = "time",
    change: Callable[[str], str] = lambda text: text,
    n_time: int = 60,
) -> Path:
    """Write a frame of two series under the given first column, and return the path."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(n_time, 2)).cumsum(axis=0), columns=["a", "b"])
    table.insert(0, name, list(first)[:n_time])
    path.write_text(change(table.to_csv(index=False)), encoding="utf-8")
    return path


def months(date_format: str = "%Y-%m-%d", n_time: int = 60) -> pd.Index:
    """Return the first days of months as text."""
    return pd.date_range("2015-01-01", periods=n_time, freq="MS").strftime(date_format)
