"""Series come from a file with their time, and from statsmodels in percent."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.sources import read_csv, us_macro_data
from tests.builders.frames import months, write_csv


@pytest.fixture
def csv(tmp_path):
    return functools.partial(write_csv, tmp_path / "own.csv")


def test_the_macro_data_are_growth_rates_and_levels_in_percent():
    pytest.importorskip("statsmodels")
    data = us_macro_data()
    assert data.y.shape == (202, 6)
    assert data.y.notna().all(axis=None)
    assert str(data.y.index[0]) == "1959Q2"
    # Real GDP went from 2710.349 to 2778.801 in the second quarter of 1959.
    assert data.y["gdp"].iloc[0] == pytest.approx(400 * np.log(2778.801 / 2710.349))
    assert set(data.units) == set(data.y)


@pytest.mark.parametrize(
    ("first", "season", "last"),
    [
        (months(), 12, "2019-12-01"),
        (months("%d/%m/%Y"), 12, "2019-12-01"),
        (months("%m/%d/%Y"), 12, "2019-12-01"),
        (months("%Y%m%d"), 12, "2019-12-01"),
        (pd.period_range("1990Q1", periods=60, freq="Q").astype(str), 4, "2004Q4"),
        (pd.date_range("2024-01-01", periods=60, freq="h").astype(str), 24, "2024-01-03 11:00:00"),
        (range(1960, 2020), 1, "2019"),
    ],
)
def test_the_first_column_is_read_as_dates_or_whole_numbers(csv, first, season, last):
    data = read_csv(csv(first))
    assert data.season == season
    assert str(data.y.index[-1]).removesuffix(" 00:00:00") == last
    assert list(data.y) == ["a", "b"]


def test_series_below_one_another_are_told_apart_from_a_column_of_remarks(csv):
    path = csv(months(), change=lambda text: text.replace(",", ",A,").replace("time,A", "time,id"))
    with pytest.raises(DataError, match=r"column 'id' .* names series that stand one below"):
        read_csv(path)


def test_rows_can_be_counted_instead(csv):
    data = read_csv(csv([f"row {i}" for i in range(60)]), number_rows=True)
    assert data.y.index.tolist() == list(range(1, 61))
    assert data.season == 1
