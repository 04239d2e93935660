"""Rows for closed-form estimates: each series of a dataset, with its covariates at its times."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("darts", reason="darts is not installed")

from darts import TimeSeries
from darts.utils.data import SequentialTorchTrainingDataset

from samovar_forecast.adapters.darts.rows import (
    find_offset,
    join_rows,
    read_instances,
    season_of_dataset,
)
from tests.builders.darts import THIRD_PARTY, daily, waves

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]

CHUNKS = {"input_chunk_length": 12, "output_chunk_length": 4}


def test_times_of_covariates_are_those_of_the_series():
    """Covariates that start earlier and end later are read at the rows of the series."""
    series = daily(np.arange(40.0)[:, None])
    dates = pd.date_range("2019-12-22", periods=80, freq="D")
    future = TimeSeries.from_times_and_values(dates, np.arange(80.0)[:, None])
    dataset = SequentialTorchTrainingDataset(series=series, future_covariates=future, **CHUNKS)
    (rows,) = read_instances(dataset, 0)
    np.testing.assert_array_equal(rows.covariates - rows.target, np.full((40, 1), 10.0))


def test_the_season_is_that_of_the_frequency():
    numbered = TimeSeries.from_values(np.arange(40.0))
    seasons = [
        season_of_dataset(SequentialTorchTrainingDataset(series=series, **CHUNKS))
        for series in (waves(40), numbered)
    ]
    assert seasons == [7, 1]


def test_a_later_series_is_joined_where_it_goes_on():
    series = waves(60, dtype="float64")
    earlier, later = series[:40], series[30:]
    offset = find_offset(earlier, later)
    assert offset == 30
    first, second = (
        read_instances(SequentialTorchTrainingDataset(series=part, **CHUNKS), 0)[0]
        for part in (earlier, later)
    )
    np.testing.assert_array_equal(join_rows(first, second, offset).target, series.values())
    assert find_offset(earlier, series[41:]) is None
    assert find_offset(later, earlier) is None


@pytest.mark.parametrize("of_component", [False, True])
def test_rows_of_sample_weight_zero_are_missing_rows(of_component):
    series = waves(60, dtype="float64")
    weights = np.ones((60, 2 if of_component else 1))
    weights[10:20, 0] = 0
    dataset = SequentialTorchTrainingDataset(
        series=series, sample_weight=daily(weights, dtype="float64"), **CHUNKS
    )
    (rows,) = read_instances(dataset, 0)
    missing = np.isnan(rows.target)
    assert missing[10:20, 0].all()
    assert missing.sum() == (10 if of_component else 20)
    np.testing.assert_array_equal(rows.target[~missing], series.values()[~missing])
