"""Series below one another are found by their times, and set side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.long_layout import find_layout, series_names, side_by_side
from samovar_forecast.frames.text_table import Table


def table(**columns):
    cells = [(name, pd.Series(column, dtype=object)) for name, column in columns.items()]
    return Table(cells, np.arange(2, 2 + len(cells[0][1])))


TIMES = ["2000-01-01", "2000-01-02"] * 2


def test_words_name_series_if_the_times_repeat():
    found = find_layout(table(shop=list("AABB"), day=TIMES, sold=list("1234")), None)
    assert found == ("day", ["shop"], [])
    found = find_layout(
        table(day=TIMES, shop=list("AABB"), kind=list("xxxx"), y=list("1234")), None
    )
    assert found == ("day", ["shop", "kind"], [])


@pytest.mark.parametrize(
    ("columns", "keys", "others"),
    [
        ({"shop": "ABABABAB", "promo": "yynnnyyn"}, ["shop"], ["promo"]),
        ({"promo": "yynnnyyn", "shop": "ABABABAB"}, ["shop"], ["promo"]),
        ({"price": "klmnopqr", "shop": "ABABABAB"}, ["shop"], ["price"]),
        (
            {"word": "MMTTWWFF", "shop": "ABABABAB", "short": "mmttwwff"},
            ["shop"],
            ["word", "short"],
        ),
        ({"area": "NNNNNNNN", "town": "ABABABAB"}, ["area", "town"], []),
        (
            {"area": "NNNNNNNN", "town": "ABABABAB", "promo": "ynynnyny"},
            ["area", "town"],
            ["promo"],
        ),
        ({"shop": "AABBAABB", "kind": "xyxyxyxy"}, ["shop", "kind"], []),
    ],
)
def test_words_that_change_within_the_series_do_not_name_them(columns, keys, others):
    n_series = 4 if "kind" in columns else 2
    days = [f"2000-01-0{row // n_series + 1}" for row in range(8)]
    words = {name: list(cells) for name, cells in columns.items()}
    found = find_layout(table(**words, day=days, sold=list("12345678")), None)
    assert found == ("day", keys, others)


def test_years_written_with_a_slash_are_found_as_the_time_under_any_name():
    seasons = ["2013/14", "2013/14", "2014/15", "2014/15"]
    found = find_layout(table(team=list("ABAB"), season=seasons, goals=list("1234")), None)
    assert found == ("season", ["team"], [])


def test_words_beside_times_that_do_not_repeat_name_nothing_unless_their_name_says_so():
    days = ["2000-01-01", "2000-01-02"]
    assert find_layout(table(day=days, note=["a", "b"], y=["1", "2"]), None) == ("day", [], [])
    found = find_layout(table(unique_id=["a", "a"], ds=days, y=["1", "2"]), None)
    assert found == ("ds", ["unique_id"], [])


def test_series_stand_in_the_order_of_the_file_and_values_keep_their_names():
    names = series_names(table(shop=list("BBAA"), kind=list("xxxx")), ["shop", "kind"])
    values = pd.DataFrame({"sold": [1.0, 2.0, 3.0, 4.0], "price": [5.0, 6.0, 7.0, 8.0]})
    wide = side_by_side(values, pd.DatetimeIndex(TIMES), names, np.arange(2, 6), "own.csv")
    assert list(wide) == ["B/x sold", "A/x sold", "B/x price", "A/x price"]
    assert wide["A/x price"].tolist() == [7.0, 8.0]
    alone = side_by_side(values[["sold"]], pd.DatetimeIndex(TIMES), names, np.arange(4), "own.csv")
    assert list(alone) == ["B/x", "A/x"]


def test_a_row_too_many_or_without_a_name_is_named_by_its_line():
    names = pd.Series(list("AAAA"))
    values = pd.DataFrame({"sold": [1.0, 2.0, 3.0, 4.0]})
    with pytest.raises(DataError, match=r"'A' at 2000-01-01 .* in line 4"):
        side_by_side(values, pd.DatetimeIndex(TIMES), names, np.arange(2, 6), "own.csv")
    with pytest.raises(DataError, match="an empty cell in line 3"):
        series_names(table(shop=["A", "", "A", "A"]), ["shop"])
