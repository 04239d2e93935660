"""Numbers of a forecast as text: the decimals of a series, wherever the series is shown."""

from __future__ import annotations

import numpy as np


def decimals_for(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> int:
    """Return the decimals that say something of a series: three digits of its interval.

    Parameters
    ----------
    values, low, high : float arrays of shape (n_steps,)
        Forecast and interval; where the interval has no width, the size of the forecast counts.
    """
    with np.errstate(invalid="ignore"):
        width = float(np.median(high - low))
    size = width if width > 0 else float(np.median(np.abs(values)))
    return int(np.clip(2 - np.floor(np.log10(size)), 0, 6)) if size > 0 else 0


def shown(value: float, decimals: int) -> str:
    """Return a number as text, with commas between thousands; zero has no minus."""
    rounded = round(value, decimals) + 0.0  # no minus before a zero
    return "-" if np.isnan(value) else f"{rounded:,.{decimals}f}"
