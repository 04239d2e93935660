"""Times with gaps lie on the smallest regular grid that holds them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.gaps import complete_times


@pytest.mark.parametrize(
    "grid",
    [
        pd.date_range("2000-01-01", periods=12, freq="D"),
        pd.date_range("2000-01-31", periods=12, freq="ME"),
        pd.date_range("2000-01-01", periods=12, freq="QS"),
        pd.date_range("2000-01-01", periods=12, freq="YS"),
        pd.date_range("2000-01-05", periods=12, freq="W-WED"),
        pd.date_range("2000-01-01 05:00", periods=40, freq="15min"),
        pd.period_range("2000Q1", periods=12, freq="Q"),
        pd.bdate_range("2000-01-03", periods=30),
        pd.RangeIndex(1990, 2010),
    ],
)
def test_rows_left_out_come_back(grid):
    kept = grid.delete([4, 5, 7])
    done = complete_times(kept, "the file")
    assert done.grid.equals(grid)
    assert done.rows.equals(kept)
    assert "3 missing times" in done.told
    assert complete_times(grid, "the file").told is None


def test_a_date_in_every_week_is_the_week():
    dates = pd.date_range("2000-01-05", periods=8, freq="7D") + pd.to_timedelta(
        [0, 1, 0, -1, 0, 1, 1, 0], unit="D"
    )
    done = complete_times(dates, "the file")
    assert done.rows.equals(dates.to_period("W"))
    assert done.told == "a date in each of the weeks, read as weeks"


@pytest.mark.parametrize(
    "index",
    [
        pd.DatetimeIndex(["2000-01-01", "2000-01-02", "2000-03-09", "2001-01-01"]),
        pd.DatetimeIndex(["2000-01-01", "2000-01-03", "2000-01-02"]),
        pd.Index(np.arange(0, 40, 2)),
    ],
)
def test_times_without_a_grid_are_refused(index):
    with pytest.raises(DataError, match="the file"):
        complete_times(index, "the file")
