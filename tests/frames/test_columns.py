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


def test_gaps_and_the_newest_first_are_mended_only_if_asked():
    values = pd.DataFrame({"a": [4.0, 2.0, 1.0]})
    times = pd.Index([2004, 2002, 2001], name="year")
    with pytest.raises(DataError, match="is not sorted"):
        on_grid(values, times, "the file", False, [])
    told: list[str] = []
    y, season = on_grid(values, times, "the file", True, told)
    np.testing.assert_array_equal(y["a"], [1.0, 2.0, np.nan, 4.0])
    assert (season, len(told)) == (1, 2)
    with pytest.raises(DataError, match=r"series 'a' of own.csv has gaps"):
        check_gaps(PATH, y, keep_gaps=False)
