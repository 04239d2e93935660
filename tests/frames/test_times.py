"""A way of writing times is told from all cells of a column."""

from __future__ import annotations

import pandas as pd
import pytest

from samovar_forecast.frames.times import first_unread, has_points_in_dates, read_times


def column(*cells):
    return pd.Series(cells, dtype=object)


@pytest.mark.parametrize(
    "cells",
    [
        ("Monday", "Tuesday"),
        ("0.5", "1.5"),
        ("2000M13", "2000M01"),
        ("a 1", "b 2"),
        ("10-20", "20-30"),
        ("1-Jan", "2-Jan"),
        ("13/13/2000", "01/01/2000"),
        ("2000-01-01", "soon"),
        ("1", "2", str(2**63)),
        ("1", "9" * 5000),
        ("1.1990", "1.1985"),
    ],
)
def test_what_is_no_time_is_none(cells):
    assert read_times(column(*cells)) is None


def test_days_above_twelve_tell_days_from_months_whatever_is_regular():
    times = read_times(column("03/01/2000", "20/01/2000", "02/02/2000"))
    assert times.index.equals(pd.DatetimeIndex(["2000-01-03", "2000-01-20", "2000-02-02"]))
    assert times.told is None
    times = read_times(column("01/03/2000", "01/20/2000", "02/02/2000"))
    assert times.index.equals(pd.DatetimeIndex(["2000-01-03", "2000-01-20", "2000-02-02"]))


def test_the_user_decides_what_days_up_to_twelve_leave_open():
    cells = column("01.02.2016", "02.02.2016", "03.02.2016")
    assert read_times(cells).index[0] == pd.Timestamp("2016-02-01")
    assert read_times(cells, day_first=False).index[0] == pd.Timestamp("2016-01-02")
    cells = column("01/02/2016", "02/02/2016", "03/02/2016")
    told = "01/02/2016 read as 1 February 2016 (--dates month-first decides otherwise)"
    assert read_times(cells).told == told
    assert read_times(cells, day_first=False).index[2] == pd.Timestamp("2016-03-02")


def test_whole_numbers_that_are_no_dates_stay_whole_numbers():
    assert read_times(column("0", "1", "2")).index.tolist() == [0, 1, 2]
    assert read_times(column("20001301", "20001302")).index.tolist() == [20001301, 20001302]
    assert read_times(column("200013", "200014")).index.tolist() == [200013, 200014]
    assert read_times(column("200640", "200641")).index.tolist() == [200640, 200641]
    assert read_times(column("180131", "180201")).index.tolist() == [180131, 180201]
    counted = read_times(column("1000000001", "1000000002")).index
    assert counted.tolist() == [1000000001, 1000000002]


def test_whole_numbers_of_weeks_are_mondays_through_the_new_year():
    times = read_times(column("201551", "201552", "201553", "201601", "201602"))
    assert times.index.equals(pd.date_range("2015-12-14", periods=5, freq="7D"))
    assert times.told == "201551 read as the ISO week, each week by its Monday"


def test_a_week_that_its_year_lacks_is_named():
    cells = column("201651", "201652", "201653", "201701")
    assert (read_times(cells), first_unread(cells)) == (None, 2)


@pytest.mark.parametrize(
    ("cells", "years"),
    [
        (("2000/01", "2001/02", "2002/03"), [2000, 2001, 2002]),
        (("2000-01", "2001-02", "2003-04"), [2000, 2001, 2003]),
        (("1998/99", "1999/00", "2000/01"), [1998, 1999, 2000]),
        (("2011/2012", "2012/2013"), [2011, 2012]),
        (("2011\u201312", "2012\u201313"), [2011, 2012]),
        (("2013/14", "2013/14"), [2013, 2013]),
    ],
)
def test_years_of_two_years_are_the_years_in_which_they_begin(cells, years):
    times = read_times(column(*cells))
    assert times.index.tolist() == years
    assert times.told == f"{cells[0]} read as the year that begins in {years[0]}"


def test_months_that_could_be_years_stay_months():
    assert read_times(column("2000/01", "2000/02")).index[1] == pd.Timestamp("2000-02-01")
    assert read_times(column("2000-01", "2001-01")).index[1] == pd.Timestamp("2001-01-01")
    assert read_times(column("2000-01", "2000-01")).index[1] == pd.Timestamp("2000-01-01")


@pytest.mark.parametrize(
    ("cells", "months"),
    [
        (("11.1990", "12.1990", "01.1991"), ["1990-11", "1990-12", "1991-01"]),
        (("9.1990", "10.1990"), ["1990-09", "1990-10"]),
        (("01.1990", "01.1991"), ["1990-01", "1991-01"]),
    ],
)
def test_months_may_stand_before_a_point_and_the_year(cells, months):
    times = read_times(column(*cells))
    assert times.index.equals(pd.PeriodIndex(months, freq="M"))
    assert times.told == f"{cells[0]} read as the month {months[0]}"


def test_two_digits_of_a_year_never_jump_a_century():
    cells = [f"{month}-{year}" for year in ("67", "68", "69", "70") for month in ("Jan", "Jul")]
    index = read_times(column(*cells)).index
    assert index.is_monotonic_increasing
    assert (str(index[0]), str(index[-1])) == ("1967-01", "1970-07")
    assert str(read_times(column("Jan-60", "Feb-60")).index[0]) == "1960-01"
    assert str(read_times(column("Jan-00", "Feb-00")).index[0]) == "2000-01"


def test_two_digits_of_a_year_in_a_numeric_date_find_their_century_too():
    times = read_times(column("31.01.65", "28.02.65", "31.03.65"))
    assert times.index.equals(pd.DatetimeIndex(["1965-01-31", "1965-02-28", "1965-03-31"]))
    assert times.told == "31.01.65 read as 31 January 1965"
    times = read_times(column("01/02/16", "01/03/16", "01/04/16"))
    assert times.told == "01/02/16 read as 2 January 2016 (--dates day-first decides otherwise)"


def test_hours_with_offsets_go_on_in_utc_and_a_single_offset_stays_on_the_clock():
    times = read_times(column("2024-10-27T02:00+02:00", "2024-10-27T02:00+01:00"))
    assert times.index.equals(pd.DatetimeIndex(["2024-10-27 00:00", "2024-10-27 01:00"]))
    times = read_times(column("2024-01-01 05:00:00-05:00", "2024-01-01 06:00:00-05:00"))
    assert times.index[0] == pd.Timestamp("2024-01-01 05:00")
    assert times.told == "times as on the clock at -05:00"


def test_typed_times_are_taken_as_they_are():
    dates = pd.date_range("2000-01-01", periods=3)
    assert read_times(pd.Series(dates)).index.equals(dates)
    assert read_times(pd.Series(dates.to_period("M"))).index[0] == pd.Period("2000-01", "M")
    times = read_times(pd.Series(dates.tz_localize("Europe/Paris")))
    assert times.told == "times in UTC"
    assert times.index[0] == pd.Timestamp("1999-12-31 23:00")


def test_the_first_cell_that_is_written_otherwise_is_found():
    days = [f"2016-07-{day:02d}" for day in range(1, 29)]
    assert first_unread(column(*days, "Summe")) == 28
    assert first_unread(column("in EUR", *days)) == 0
    assert first_unread(column(*days[:9], "2016-07-1O", *days[10:])) == 9
    assert first_unread(column("Jan 2012", "Feb 2012", "Mrt 2012", "Apr 2012")) == 2
    days = column("04.01.2021", "13.01.2021", "14.01.2021")
    assert (read_times(days, day_first=False), first_unread(days, day_first=False)) == (None, 1)
    assert str(read_times(days, day_first=True).index[0].date()) == "2021-01-04"


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (("Jan 2012", "Feb 2012", "M\u00e4r 2012", "Apr 2012", "Mai 2012"), "2012-01"),
        (("Dezember 2015", "Januar 2016", "Februar 2016"), "2015-12"),
        (("janv. 2012", "f\u00e9vr. 2012", "mars 2012"), "2012-01"),
        (("1 de julio de 2016", "1 de agosto de 2016"), "2016-07-01"),
        (("gen-20", "feb-20", "mar-20"), "2020-01"),
        (("31. M\u00e4rz 2016", "30. April 2016"), "2016-03-31"),
        (("April 2012", "May 2012", "June 2012"), "2012-04"),
    ],
)
def test_months_have_names_in_five_languages(cells, first):
    index = read_times(column(*cells)).index
    assert str(index[0]).removesuffix(" 00:00:00") == first
    assert len(index) == len(cells)
    assert index.is_monotonic_increasing


def test_dates_with_points_are_told_from_numbers_and_other_dates():
    assert has_points_in_dates(column("04.07.2016", "1.2.16"))
    assert not has_points_in_dates(column("04.07.2016", "2016-07-04"))
    assert has_points_in_dates(column("07.2016", "08.2016"))
    assert not has_points_in_dates(column("1.234", "1.5"))
