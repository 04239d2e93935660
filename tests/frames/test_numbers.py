"""Text becomes numbers under a single decimal mark for the whole file."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.frames.numbers import choose_marks, is_missing, looks_numeric, to_numbers


def column(*cells):
    return pd.Series(cells, dtype=object)


@pytest.mark.parametrize(
    ("cells", "separator", "decimal"),
    [
        (("1.5", "1234"), ";", "."),
        (("1,5", "2"), ";", ","),
        (("1,5", "2"), ",", ","),
        (("1,234", "1.5"), ";", "."),
        (("1.234", "1,5"), ";", ","),
        (("1.234.567", "8"), ",", ","),
        (("1,234", "2,345"), ",", "."),
        (("1,234", "0,345"), ",", ","),
        (("1,234", "2,345"), ";", ","),
        (("1.234", "2.345"), ";", "."),
        (("1'234,5", "2"), ";", ","),
    ],
)
def test_the_decimal_mark_is_the_one_under_which_all_cells_are_numbers(cells, separator, decimal):
    assert choose_marks([column(*cells)], separator, None).decimal == decimal


def test_beside_dates_with_points_a_point_before_three_digits_stands_between_thousands():
    cells = column("1.101", "12.104", "3")
    marks = choose_marks([cells], ";", None, points_in_dates=True)
    assert marks == (",", "1.101 read as 1101 (--decimal . reads 1.101)")
    np.testing.assert_array_equal(to_numbers(cells, marks.decimal)[0], [1101.0, 12104.0, 3.0])
    assert choose_marks([cells], ";", ".", points_in_dates=True).decimal == "."
    assert choose_marks([cells], ",", None, points_in_dates=True).decimal == "."
    decimals = column("1.101", "0.104")
    assert choose_marks([decimals], ";", None, points_in_dates=True).decimal == "."
    assert choose_marks([column("1", "2")], ";", None, points_in_dates=True) == (".", None)


def test_doubt_is_told_with_the_option_that_decides_otherwise():
    told = choose_marks([column("1,234", "2")], ";", None).told
    assert told == "1,234 read as 1.234 (--decimal . reads 1234)"
    assert choose_marks([column("1,234", "2")], ";", ".").told is None
    told = choose_marks([column("-1.234", "2")], "\t", None).told
    assert told == "-1.234 read as -1.234 (--decimal , reads -1234)"


def test_numbers_are_read_to_the_last_bit_and_bad_cells_are_marked():
    cells = ["0.1", "1e-3", ".5", "5.", "\u22122.5", "1,234,567.25", "12,34", "ill", "", "1e999"]
    values, bad = to_numbers(column(*cells), ".")
    expected = [0.1, 1e-3, 0.5, 5.0, -2.5, 1234567.25, np.nan, np.nan, np.nan, np.nan]
    np.testing.assert_array_equal(values, expected)
    assert np.flatnonzero(bad).tolist() == [6, 7, 9]


def test_plain_columns_are_read_at_once_to_the_same_numbers():
    cells = ["0.1", "-2e-3", "+7", "", "12345678.125", "1e999"]
    for decimal, written in ((".", cells), (",", [cell.replace(".", ",") for cell in cells])):
        values, bad = to_numbers(column(*written), decimal)
        np.testing.assert_array_equal(values[:5], [0.1, -2e-3, 7.0, np.nan, 12345678.125])
        assert np.flatnonzero(bad).tolist() == [5]
        assert to_numbers(column("", "NA"), decimal)[1].tolist() == [False, False]
    assert to_numbers(column("1_000", "1\n2", "1"), ".")[1].tolist() == [True, True, False]


def test_a_point_is_never_taken_away_where_it_stands_before_decimals():
    _, bad = to_numbers(column("1.5", "1.2345", "0.123"), ",")
    assert bad.all()


def test_missing_cells_and_columns_of_words_are_told_apart():
    cells = column("NA", "", "n/a", "-", "..", "1", "NaN", "null")
    assert is_missing(cells).tolist() == [True] * 5 + [False] + [True] * 2
    assert looks_numeric(cells)
    assert not looks_numeric(column("a", "b", "1"))
    assert looks_numeric(pd.Series([1.0, 2.0]))
