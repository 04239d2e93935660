"""What contestants are given and what they give: samples of a panel, and forecasts of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Quantiles that every contestant gives, where it gives any."""


class Sample(NamedTuple):
    """What is known of one member of a panel: series, and their covariates so far and ahead."""

    y: pd.DataFrame
    X: pd.DataFrame | None = None
    ahead: pd.DataFrame | None = None


class Forecast(NamedTuple):
    """The steps after a sample: points (h, C) and, where they are given, quantiles (h, C, Q)."""

    points: np.ndarray
    quantiles: np.ndarray | None = None


def without_gaps(frame: pd.DataFrame) -> pd.DataFrame:
    """Fill gaps by a line, ends by the nearest value, and what has no value at all by zero."""
    if not frame.isna().any(axis=None):
        return frame
    return frame.interpolate(limit_direction="both").ffill().bfill().fillna(0.0)
