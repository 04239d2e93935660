"""Any regular calendar can be compared on: rows see its times, or stand-ins of the same season."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pandas.tseries import offsets
from pandas.tseries.holiday import USFederalHolidayCalendar

from samovar_forecast.comparison import GuardedAR, RepeatSeason
from samovar_forecast.comparison.row_times import stand_in_times
from samovar_forecast.frames.time_grid import season_of
from tests.builders.comparison import compare

N_ROWS = 220
HARD = {
    "holidays": ("2019-12-02", offsets.CustomBusinessDay(calendar=USFederalHolidayCalendar())),
    "week mask": ("2020-01-02", offsets.CustomBusinessDay(weekmask="Mon Tue Wed Thu")),
    "business hours": ("2020-01-02 09:00", offsets.BusinessHour(start="08:00", end="20:00")),
    "custom hours": ("2020-01-02 09:00", offsets.CustomBusinessHour(holidays=["2020-01-13"])),
    "4-4-5 quarters": (
        "1990-01-02",
        offsets.FY5253Quarter(startingMonth=1, weekday=5, variation="last"),
    ),
    "4-4-5 years": ("1930-01-02", offsets.FY5253(startingMonth=1, weekday=5, variation="last")),
    "Easter": ("1930-01-02", offsets.Easter()),
    "two months": ("1990-01-31", pd.DateOffset(months=2)),
}
PLAIN = ("D", "B", "h", "15min", "W-WED", "MS", "ME", "QS-FEB", "YE", "SME", "3h")


def frame(index: pd.Index) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(len(index), 2)), index=index, columns=["a", "b"])


def compared(index: pd.Index, **arguments):
    models = {"naive": RepeatSeason(), "AR": GuardedAR(), "kept": GuardedAR()}
    found = compare(frame(index), 4, models, n_origins=4, refit={"kept": "first"}, **arguments)
    assert found.failures.empty
    assert set(found.forecasts["time"]) <= set(index)
    assert found.forecasts["time"].max() == index[-1]
    assert set(found.runs["origin"]) == set(found.origins) <= set(index)
    return found


@pytest.mark.parametrize("name", HARD)
def test_calendars_that_sktime_cannot_continue_give_the_forecasts_of_plain_rows(name):
    start, offset = HARD[name]
    index = pd.date_range(start, periods=N_ROWS, freq=offset)
    found = compared(index)
    assert found.season == season_of(offset)
    counted = compared(pd.RangeIndex(N_ROWS), season=found.season)
    np.testing.assert_array_equal(found.forecasts["y_pred"], counted.forecasts["y_pred"])


@pytest.mark.parametrize(("freq", "season"), [("h", 24), ("D", 7)])
def test_summer_time_is_no_hindrance(freq, season):
    index = pd.date_range("2020-03-01", periods=N_ROWS, freq=freq, tz="Europe/Paris")
    if freq == "h":
        index = pd.date_range("2020-03-26", periods=N_ROWS, freq=freq, tz="Europe/Paris")
    found = compared(index)
    assert found.season == season
    assert found.fitted["naive"].cutoff.tz is None  # rows saw stand-ins
    assert season_of(found.fitted["naive"].cutoff.freq) == season


@pytest.mark.parametrize("freq", PLAIN)
def test_rows_see_the_users_own_times_where_sktime_can_continue_them(freq):
    index = pd.date_range("2001-01-31", periods=N_ROWS, freq=freq)
    found = compared(index)
    assert found.fitted["naive"].cutoff[0] == index[-5]


@pytest.mark.parametrize("season", [2, 4, 5, 7, 12, 24, 52, 60, 96])
def test_stand_ins_have_the_season_that_is_asked_for(season):
    assert season_of(stand_in_times(10, season).freq) == season


@pytest.mark.parametrize("season", [1, 11, 365])
def test_without_a_plain_calendar_of_a_season_rows_are_counted(season):
    assert stand_in_times(5, season).equals(pd.RangeIndex(5))


def test_times_without_dates_are_continued_too():
    assert compared(pd.timedelta_range("0h", periods=N_ROWS, freq="h")).season == 24
