from __future__ import annotations

from datetime import timezone

import numpy as np
import pandas as pd
import pytest
from dateutil.tz import gettz, tzutc

from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.time_grid import TimeGrid, season_of, zone_name


def without_freq(index: pd.Index) -> pd.Index:
    bare = pd.Index(index.to_numpy(), name=index.name)
    assert bare.freq is None
    return bare


REGULAR = {
    "daily": pd.date_range("2024-02-20", periods=40, freq="D", name="day"),
    "daily, inferred": without_freq(pd.date_range("2024-02-20", periods=40, freq="D")),
    "month ends, inferred": without_freq(pd.date_range("2020-01-31", periods=40, freq="ME")),
    "month starts": pd.date_range("2020-01-01", periods=40, freq="MS"),
    "business days, inferred": without_freq(pd.date_range("2024-01-01", periods=40, freq="B")),
    "quarters": pd.date_range("2020-03-31", periods=40, freq="QE"),
    "every 15 minutes": pd.date_range("2024-01-01", periods=40, freq="15min"),
    "hours over a clock change": pd.date_range(
        "2024-03-30", periods=40, freq="h", tz="Europe/Berlin"
    ),
    "weeks on Wednesday": pd.date_range("2024-01-03", periods=40, freq="W-WED"),
    "monthly periods": pd.period_range("2020-01", periods=40, freq="M", name="month"),
    "periods of two months": pd.period_range("2020-01", periods=40, freq="2M"),
    "weekly periods": pd.period_range("2020-01-01", periods=40, freq="W"),
    "range": pd.RangeIndex(7, 47),
    "integers": pd.Index(np.arange(-3, 37), name="n"),
    "durations": pd.timedelta_range("0h", periods=40, freq="h"),
}


@pytest.mark.parametrize("index", REGULAR.values(), ids=REGULAR.keys())
def test_a_grid_read_from_the_first_half_of_an_index_goes_on_with_its_second_half(index):
    seen, hidden = index[:20], index[20:]
    grid = TimeGrid.of(seen, "y")
    ahead = grid.ahead(seen[-1], np.arange(1, 21))
    assert ahead.equals(hidden)
    assert ahead.name == index.name
    assert grid.ahead(seen[-1], [1, 3, 12]).equals(hidden[[0, 2, 11]])


@pytest.mark.parametrize("index", REGULAR.values(), ids=REGULAR.keys())
def test_steps_are_counted_between_two_times_in_both_directions(index):
    grid = TimeGrid.of(index, "y")
    assert grid.steps_between(index[5], index[5], "y") == 0
    assert grid.steps_between(index[5], index[23], "y") == 18
    assert grid.steps_between(index[23], index[5], "y") == -18


@pytest.mark.parametrize("index", REGULAR.values(), ids=REGULAR.keys())
def test_a_single_row_can_continue_a_known_grid(index):
    grid = TimeGrid.of(index, "y")
    assert TimeGrid.of(index[7:8], "y", known=grid).freq == grid.freq


def test_the_frequency_of_the_future_is_kept_where_pandas_can_hold_one():
    days = REGULAR["daily"]
    assert TimeGrid.of(days, "y").ahead(days[-1], [1, 2, 3]).freq == days.freq


@pytest.mark.parametrize("index", REGULAR.values(), ids=REGULAR.keys())
def test_times_of_another_kind_are_refused(index):
    grid = TimeGrid.of(index, "y")
    grid.check_kind(index[-3:], "fh")
    other = pd.RangeIndex(3) if grid.kind != "integer" else pd.date_range("2024", periods=3)
    with pytest.raises(
        DataError, match=f"fh holds times of another kind.*wanted: {grid.kind} times"
    ):
        grid.check_kind(other, "fh")


def test_a_time_between_two_steps_is_refused():
    index = pd.date_range("2024-01-01", periods=5, freq="D")
    with pytest.raises(DataError, match=r"2024-01-08 12:00:00 of fh does not lie on the grid"):
        TimeGrid.of(index, "y").steps_between(index[-1], pd.Timestamp("2024-01-08 12:00"), "fh")


BROKEN = {
    "unsorted": (
        REGULAR["daily"][[0, 1, 2, 7, 4, 5]],
        r"index of y is not sorted.*row 4 \(2024-02-24.*after 2024-02-27.*sort_index",
    ),
    "repeated": (
        REGULAR["integers"][[0, 1, 2, 2, 3, 3]],
        r"repeats times.*2 repeated rows, the first is row 3 \(-1\)",
    ),
    "integers with a gap": (
        pd.Index([0, 1, 2, 5, 6]),
        r"integer index of y has gaps.*the first from 2 to 5.*reset_index",
    ),
    "integers in twos": (pd.RangeIndex(0, 20, 2), r"the first from 0 to 2"),
    "days with a gap": (
        REGULAR["daily, inferred"].delete([10, 11, 20]),
        r"index of y has gaps.*3 missing times, the first after 2024-02-29.*asfreq",
    ),
    "business days with holidays": (
        REGULAR["business days, inferred"].delete([15]),
        r"has gaps.*1 missing times, the first after 2024-01-19.*BusinessDay",
    ),
    "months with a gap": (
        REGULAR["month ends, inferred"].delete([30]),
        r"has gaps.*1 missing times, the first after 2022-06-30.*MonthEnd",
    ),
    "hours with a gap at the end": (
        without_freq(pd.date_range("2024-01-01", periods=30, freq="h")).delete([28]),
        r"1 missing times, the first after 2024-01-02 03:00:00",
    ),
    "periods with a gap": (
        REGULAR["monthly periods"].delete([4, 5]),
        r"has gaps.*2 missing times, the first after 2020-04",
    ),
    "irregular": (
        pd.DatetimeIndex(
            [
                *pd.date_range("2024-01-01", periods=9, freq="D"),
                pd.Timestamp("2024-01-09 11:11:11.000000001"),
                pd.Timestamp("2030-01-01"),
            ]
        ),
        r"index of y is irregular.*0 days 11:11:11.* between 2024-01-09 00:00:00 and "
        r"2024-01-09 11:11:11.*mostly 1 days.*resample",
    ),
    "two dates": (
        without_freq(REGULAR["daily"][:2]),
        r"frequency of y is not known.*at least 3 dates",
    ),
    "a missing date": (pd.DatetimeIndex(["2024-01-01", None]), r"missing times.*first in row 1"),
    "names": (pd.Index(["a", "b"]), r"does not hold times.*for example \['a'\]"),
    "numbers with a fraction": (pd.Index([0.5, 1.5]), r"does not hold times"),
    "nothing": (pd.RangeIndex(0), r"y is empty"),
}


@pytest.mark.parametrize(("index", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_index_is_refused_and_its_first_offending_place_named(index, message):
    with pytest.raises(DataError, match=message):
        TimeGrid.of(index, "y")


def test_times_of_microseconds_over_years_are_irregular_and_not_a_grid_of_all_memory():
    times = pd.to_datetime("2020-01-01") + pd.to_timedelta([0, 1, 2, 3, 10**14], unit="us")
    with pytest.raises(DataError, match="irregular"):
        TimeGrid.of(pd.DatetimeIndex(times), "y")


@pytest.mark.parametrize(
    ("known", "index", "message"),
    [
        ("daily", REGULAR["monthly periods"], "another kind than in fit.*PeriodIndex"),
        ("weekly periods", REGULAR["monthly periods"], "another frequency than in fit.*Month"),
        ("daily", pd.date_range("2024-05-01", periods=3, freq="W"), "gaps.*asfreq\\('D'\\).*NaN"),
        ("month starts", pd.date_range("2030-07-01", periods=3), "leaves the grid.*2030-07-02"),
        ("month starts", pd.DatetimeIndex(["2030-07-15"]), "leaves the grid.*2030-07-15.*Month"),
        (
            "business days, inferred",
            pd.DatetimeIndex(["2030-07-27"]),
            "leaves the grid.*2030-07-27",
        ),
        (
            "every 15 minutes",
            pd.to_datetime(["2030-07-01 05:00", "2030-07-01 05:05"]),
            "grid.*05:05",
        ),
    ],
)
def test_rows_that_cannot_continue_a_grid_are_refused(known, index, message):
    with pytest.raises(DataError, match=message):
        TimeGrid.of(index, "y", known=TimeGrid.of(REGULAR[known], "y"))


@pytest.mark.parametrize(("zone", "found"), [("UTC", "found: UTC"), (None, "found: None")])
def test_times_of_another_zone_are_told(zone, found):
    grid = TimeGrid.of(pd.date_range("2024-01-01", periods=5, freq="h", tz="Europe/Berlin"), "y")
    start = pd.Timestamp("2024-01-01", tz="Europe/Berlin")
    with pytest.raises(DataError, match=f"another time zone.*{found}; wanted: Europe/Berlin"):
        grid.steps_between(start, pd.Timestamp("2024-01-01 07:00", tz=zone), "y")


def test_a_zone_is_the_same_zone_in_every_library():
    index = pd.date_range("2024-03-29", periods=5, freq="D", tz="Europe/Berlin")
    grid, later = TimeGrid.of(index, "y"), index.tz_convert(gettz("Europe/Berlin"))[-1]
    assert grid.steps_between(index[0], later, "y") == 4
    assert grid.steps_between(later, index[0], "y") == -4
    assert zone_name(tzutc()) == zone_name(timezone.utc) == "UTC"


@pytest.mark.parametrize(
    ("freq", "season"),
    [
        *[("15min", 96), ("30min", 48), ("h", 24), ("2h", 12), ("7h", 1), ("s", 3600), ("ms", 1)],
        *[("D", 7), ("2D", 1), ("B", 5), ("C", 5), ("7D", 52), ("W-TUE", 52), ("2W", 26)],
        *[("SME", 24), ("ME", 12), ("MS", 12), ("BMS", 12), ("3MS", 4), ("QE-NOV", 4), ("QS", 4)],
        *[("YE", 1), ("YS-JUL", 1), ("5YE", 1)],
    ],
)
def test_the_season_is_a_day_a_week_or_a_year(freq, season):
    assert season_of(freq) == season


def test_the_season_of_periods_is_that_of_their_frequency_and_integers_have_none():
    assert TimeGrid.of(REGULAR["monthly periods"], "y").season == 12
    assert TimeGrid.of(REGULAR["periods of two months"], "y").season == 6
    assert TimeGrid.of(REGULAR["range"], "y").season == 1
