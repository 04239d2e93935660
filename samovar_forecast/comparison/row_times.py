"""The times that rows see: the user's where sktime can continue them, else stand-ins.

sktime keeps the step of an index as text, and darts drops time zones. Holidays, week masks,
business hours, 4-4-5 years and summer time are lost on the way, and every row would fail. There
rows see plain times with the same season, and the user's own times are put on in the end.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from samovar_forecast.frames.time_grid import season_of

FIRST_TIME = pd.Timestamp("2001-01-01")
"""Where stand-ins start: on a Monday."""
SECONDS_A_DAY = 86_400


def times_for_rows(
    index: pd.Index, splits: Sequence[tuple[np.ndarray, np.ndarray]], season: int
) -> pd.Index:
    """Return the index itself, or plain times in its place.

    Parameters
    ----------
    index : Index
        The user's times, of a known frequency.
    splits : sequence of (ndarray, ndarray)
        Positions of the rows known at an origin, and of the rows to forecast.
    season : int
        Steps in a season, which stand-ins have too where a day, a week or a year of steps can.
    """
    if isinstance(index, pd.PeriodIndex) or pd.api.types.is_integer_dtype(index.dtype):
        return index
    if not _changes_its_clock(index) and _is_continued(index, splits):
        return index
    return stand_in_times(len(index), season)


def stand_in_times(n_times: int, season: int) -> pd.Index:
    """Return plain times whose usual season is this; whole numbers where there are none such."""
    for freq in ("D", "W", f"{SECONDS_A_DAY // season}s"):
        if season > 1 and season_of(freq) == season:
            return pd.date_range(FIRST_TIME, periods=n_times, freq=freq)
    return pd.RangeIndex(n_times)


def _changes_its_clock(index: pd.Index) -> bool:
    """Tell whether times have a zone with summer time in it."""
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
        return False
    return len({time.utcoffset() for time in index}) > 1


def _is_continued(index: pd.Index, splits: Sequence[tuple[np.ndarray, np.ndarray]]) -> bool:
    """Tell whether a forecast of sktime, after a fit or an update, has the times that come next."""
    from samovar_forecast.comparison.classical import RepeatSeason

    rows = pd.DataFrame({"y": np.zeros(len(index))}, index=index)
    first, n_steps = splits[0][0], len(splits[0][1])
    moved = None
    try:
        for train, test in splits:
            fitted = RepeatSeason().fit(rows.iloc[train], fh=range(1, n_steps + 1))
            if moved is None:
                moved = fitted.clone().fit(rows.iloc[first], fh=range(1, n_steps + 1))
            elif train[-1] > first[-1]:
                moved.update(rows.iloc[first[-1] + 1 : train[-1] + 1], update_params=False)
            for forecaster in (fitted, moved):
                if list(forecaster.predict().index) != list(index[test]):
                    return False
    except Exception:  # noqa: BLE001 - whatever sktime or pandas cannot do with these times
        return False
    return True
