"""Intervals are judged rightly, and the record holds what the page claims."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sktime", reason="sktime is not installed")

from benchmarks import coverage
from benchmarks.records import Records
from benchmarks.series_sets import SETS, SeriesSet

WAVES = SeriesSet("waves", lambda _: np.zeros((1, 1)), 20, 4, 8)


def test_intervals_from_the_true_noise_hold_their_share_and_others_do_not():
    noise = np.random.default_rng(0).normal(0, 2.0, size=(20_000 + 100, 2))
    chosen = SeriesSet("noise", lambda _: noise, 20_000, 4, 8)
    half = 2.0 * np.array([0.6745, 1.2816, 1.6449, 1.96])
    bounds = np.empty((2, 4, 5_000, 4, 2))
    bounds[0], bounds[1] = -half[:, None, None, None], half[:, None, None, None]
    judged = coverage.judge(chosen, noise, bounds)
    np.testing.assert_allclose(judged["covered"], coverage.COVERAGES, atol=0.01)
    unit = noise[:100].std(axis=0).mean()
    np.testing.assert_allclose(judged["width"], 2 * half / unit, rtol=0.02)
    narrow = coverage.judge(chosen, noise, bounds / 2)
    assert max(narrow["covered"]) < 0.7
    assert narrow["score"][2] > judged["score"][2]


@pytest.mark.parametrize("source", ["default", "linear member"])
def test_our_intervals_are_sorted_and_widen_with_coverage(source):
    time = np.arange(120)[:, None]
    values = np.sin(time / 3 + np.arange(2)) + np.random.default_rng(1).normal(0, 0.2, (120, 2))
    parameters = coverage.SOURCES[source]
    assert parameters is not None
    low, high = coverage.bounds_of(WAVES, values, parameters)
    assert low.shape == (4, 5, 4, 2)
    assert (low < high).all()
    assert (np.diff(low, axis=0) <= 0).all()
    assert (np.diff(high, axis=0) >= 0).all()


def test_the_last_value_is_repeated_from_the_season_before_the_origin():
    values = np.arange(60.0)[:, None] % 6
    chosen = SeriesSet("seasonal", lambda _: values, 20, 8, 8, season=6)
    low, high = coverage.last_value_bounds(chosen, values)
    np.testing.assert_array_equal(low, high)  # it makes no errors
    np.testing.assert_array_equal(low[0, 1, :, 0], values[48:56, 0])


def test_on_simulated_series_the_90_percent_interval_was_measured_to_hold_87_to_93_percent():
    found = coverage.rows(Records(coverage.BENCHMARK.path))
    simulated = found[[SETS[name].is_simulated for name in found["set"]]]
    ninety = coverage.COVERAGES.index(0.9)
    ours = [row.covered[ninety] for row in simulated.itertuples() if row.source != "last value"]
    assert len(ours) == 4
    assert all(0.87 <= share <= 0.93 for share in ours)
    assert sum(not SETS[name].is_simulated for name in found["set"].unique()) >= 6
