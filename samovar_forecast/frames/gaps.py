"""Times with gaps as rows of a regular grid: holidays, missing months, dates that drift."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.time_grid import TimeGrid, likely_freqs, smallest_grid

MOST_MISSING = 0.5
"""Missing times for each time that is there, at most; with more there is no grid."""
CALENDAR = ("B", "MS", "ME", "QS", "QE", "YS", "YE")
"""Frequencies that are tried on dates with gaps, beside those of stretches without a gap."""
DRIFTING = {"Y": "years", "Q": "quarters", "M": "months", "W": "weeks", "D": "days"}
"""Periods that may hold a date each, wherever in the period the date lies."""


class Completed(NamedTuple):
    """The times of the rows on a regular grid, the whole grid, and what was done."""

    rows: pd.Index
    grid: pd.Index
    told: str | None = None


def complete_times(index: pd.Index, where: str) -> Completed:
    """Return the regular grid on which sorted times lie.

    Business days with holidays lie on the grid of business days; a date in every month, wherever
    in the month, is the month.

    Parameters
    ----------
    index : DatetimeIndex, PeriodIndex or Index of integers
        Times in order.
    where : str
        The source of the times in messages.

    Raises
    ------
    DataError
        If the times are not sorted or repeat, or if there is no grid.
    """
    try:
        TimeGrid.of(index, where)
    except DataError:
        if not (index.is_monotonic_increasing and index.is_unique and len(index) > 2):
            raise
        grid = _grid_of(index)
        if grid is not None and len(grid) <= (1 + MOST_MISSING) * len(index):
            missing = grid[~grid.isin(index)]
            kind = "business days, " if getattr(grid, "freqstr", None) == "B" else ""
            first = str(missing[0]).removesuffix(" 00:00:00")
            rows = "a row" if len(missing) == 1 else "rows"
            told = f"{kind}{counted(len(missing), 'missing time')} added as {rows} without values"
            told = f"{told}, the first {first}" if len(missing) > 1 else f"{told}, {first}"
            return Completed(index, grid, told)
        for freq, word in DRIFTING.items() if isinstance(index, pd.DatetimeIndex) else ():
            periods = index.to_period(freq)
            if (np.diff(periods.asi8) == 1).all():
                return Completed(periods, periods, f"a date in each of the {word}, read as {word}")
        raise
    return Completed(index, index)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _grid_of(index: pd.Index) -> pd.Index | None:
    """Return the smallest grid that holds all times, or None."""
    if isinstance(index, pd.PeriodIndex):
        return pd.period_range(index[0], index[-1], freq=index.freq, name=index.name)
    if not isinstance(index, pd.DatetimeIndex):
        return pd.RangeIndex(int(index[0]), int(index[-1]) + 1, name=index.name)
    candidates = likely_freqs(index)
    if (index == index.normalize()).all():
        candidates += [
            to_offset(freq) for freq in CALENDAR if freq != "B" or max(index.dayofweek) < 5
        ]
    found = smallest_grid(index, candidates)
    return None if found is None else found[0].rename(index.name)
