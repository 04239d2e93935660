"""Training windows cut by slicing are darts' own windows."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("darts", reason="darts is not installed")

from darts import TimeSeries
from darts.utils.data import SequentialTorchTrainingDataset

from samovar_forecast.adapters.darts.windows import SlicedTrainingDataset
from tests.builders.darts import waves


def both(*series, **options):
    options = {"input_chunk_length": 12, "output_chunk_length": 4, **options}
    return [
        kind(*series, **options) for kind in (SequentialTorchTrainingDataset, SlicedTrainingDataset)
    ]


def assert_same_windows(plain, sliced):
    assert len(plain) == len(sliced)
    order = np.random.default_rng(0).permutation(2 * len(plain)) % len(plain)
    for index in order:
        for field in dataclasses.fields(plain[0]):
            one, other = (getattr(windows[int(index)], field.name) for windows in (plain, sliced))
            np.testing.assert_array_equal(one, other, err_msg=field.name)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stride": 3},
        {"max_samples_per_ts": 5},
        {"output_chunk_shift": 2},
        {"sample_weight": "linear"},
        {"use_static_covariates": False},
    ],
)
def test_every_window_is_the_one_that_darts_cuts(options):
    frame = pd.DataFrame({"a": [1.0, 2.0]}, dtype="float32")
    series = [
        waves(50, start="2020-01-10").with_static_covariates(frame),
        waves(70, start="2021-01-01", seed=1).with_static_covariates(2 * frame),
    ]
    past = [waves(70, 3, start="2020-01-01", seed=2), waves(90, 3, start="2020-12-20", seed=3)]
    future = [waves(75, 1, start="2020-01-05", seed=4), waves(90, 1, start="2020-12-25", seed=5)]
    assert_same_windows(*both(series, past, future, **options))


def test_weights_of_their_own_series_are_cut_with_the_windows():
    series, weight = waves(50), waves(60, start="2019-12-28", seed=1)
    assert_same_windows(*both(series, sample_weight=weight))


def test_integer_time_and_gaps_in_step_size_are_kept():
    index = pd.RangeIndex(10, 130, 2)
    series = TimeSeries.from_times_and_values(index, np.arange(60.0)[:, None])
    future = TimeSeries.from_times_and_values(pd.RangeIndex(0, 160, 2), np.arange(80.0)[:, None])
    assert_same_windows(*both(series, None, future))


def test_a_stochastic_series_is_drawn_anew_for_every_window():
    values = np.random.default_rng(0).normal(size=(40, 1, 50))
    _, sliced = both(TimeSeries.from_values(values))
    drawn = {sliced[3].past_target.tobytes() for _ in range(20)}
    assert len(drawn) > 1


def test_covariates_that_do_not_reach_are_refused_in_darts_words():
    plain, sliced = both(waves(50), waves(30, seed=1))
    for windows in (plain, sliced):
        with pytest.raises(ValueError, match="Invalid `past_covariates`"):
            windows[0]
