"""What cannot be read says which column and line, and what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.columns import check_gaps, on_grid, times_of, values_of
from samovar_forecast.frames.text_table import Reading, Table

PATH = Path("own.csv")


def table(**columns):
    cells = [(name, pd.Series(column, dtype=object)) for name, column in columns.items()]
    return Table(cells, np.arange(2, 2 + len(cells[0][1])), ";")


def test_all_columns_share_the_decimal_mark():
    told: list[str] = []
    rows = table(t=["1", "2"], a=["1,5", "2"], b=["1.234", ""])
    values = values_of(PATH, rows, {"t"}, True, Reading(), told)
    np.testing.assert_array_equal(values, [[1.5, 1234.0], [2.0, np.nan]])
    assert told == ["decimal commas"]


@pytest.mark.parametrize(
    ("cells", "keep_gaps", "expected"),
    [
        (["1", "ill"], True, r"column 'a' of own.csv .* found: 'ill' in line 3"),
        (["1", "NA"], False, r"column 'a' of own.csv .* found: 'NA' in line 3"),
        (["1", ""], False, r"column 'a' of own.csv .* found: an empty cell in line 3"),
        (["", ""], True, r"series 'a' of own.csv .* 2 of 2 values are missing"),
    ],
)
def test_a_cell_that_is_no_number_is_named(cells, keep_gaps, expected):
    with pytest.raises(DataError, match=expected):
        values_of(PATH, table(t=["1", "2"], a=cells), {"t"}, keep_gaps, Reading(), [])


def test_a_column_that_holds_no_time_is_named():
    with pytest.raises(DataError, match=r"'t' of own.csv does not parse .* 'Monday' in line 2"):
        times_of(PATH, table(t=["Monday", "Friday"]), "t", Reading(), [])
    with pytest.raises(DataError, match=r"'t' of own.csv holds no time; found: 0.5 in line 2"):
        times_of(PATH, table(t=["0.5", "1.5"]), "t", Reading(), [])


def test_a_bad_cell_among_times_is_named_and_a_total_below_them_is_known():
    days = ["2012-01-01", "2012-02-01", "2012-03-01"]
    found = r"found: 'Summe' in line 5, beside '2012-01-01' in line 2; .* line 5 looks like a total"
    with pytest.raises(DataError, match=found):
        times_of(PATH, table(t=[*days, "Summe"]), "t", Reading(), [])
    with pytest.raises(DataError, match=r"an empty cell in line 5, .* line 5 looks like a total"):
        times_of(PATH, table(t=[*days, ""]), "t", Reading(), [])
    with pytest.raises(DataError, match=r"found: '2012-O3-01' in line 4, .* write the cell like"):
        times_of(PATH, table(t=[*days[:2], "2012-O3-01", "2012-04-01"]), "t", Reading(), [])


def test_an_order_of_day_and_month_that_the_dates_contradict_is_refused():
    days = table(t=["04.01.2021", "13.01.2021", "14.01.2021"])
    expected = r"dates that are month-first; found: '13.01.2021' in line 3; leave --dates month-fir"
    with pytest.raises(DataError, match=expected):
        times_of(PATH, days, "t", Reading(day_first=False), [])
    told: list[str] = []
    times_of(PATH, days, "t", Reading(day_first=True), told)
    assert told == []
    times_of(PATH, table(t=["2021-01-04", "2021-01-05"]), "t", Reading(day_first=False), told)
    assert told == ["--dates changes nothing, for the dates leave no choice"]


@pytest.mark.parametrize(
    ("cells", "reading", "keep_gaps", "remedy"),
    [
        (["1.5", "2.5"], Reading(decimal=","), True, "leave --decimal , out"),
        (["a", "2.5"], Reading(header=False), True, "leave --header no out"),
        (["1.5", "-inf"], Reading(), True, "write a finite number, leave the cell empty"),
        (["1.5", "1e999"], Reading(), True, "write a finite number"),
        (["1.5", ""], Reading(), False, "fill it, .* samovar-forecast forecast takes empty cells"),
    ],
)
def test_the_remedy_fits_the_cell(cells, reading, keep_gaps, remedy):
    with pytest.raises(DataError, match=remedy):
        values_of(PATH, table(t=["1", "2"], a=cells), {"t"}, keep_gaps, reading, [])


def test_gaps_and_the_newest_first_are_mended_only_if_asked():
    values = pd.DataFrame({"a": [4.0, 2.0, 1.0]})
    times = pd.Index([2004, 2002, 2001], name="year")
    with pytest.raises(DataError, match="is not sorted"):
        on_grid(values, times, "the file", False, [])
    with pytest.raises(DataError, match=r"is not sorted.* sort the rows of the file by time"):
        on_grid(values, times[[1, 0, 2]], "the file", True, [])
    told: list[str] = []
    y, season = on_grid(values, times, "the file", True, told)
    np.testing.assert_array_equal(y["a"], [1.0, 2.0, np.nan, 4.0])
    assert (season, len(told)) == (1, 2)
    with pytest.raises(DataError, match=r"series 'a' of own.csv has gaps"):
        check_gaps(PATH, y, keep_gaps=False)
