"""A sample is in one scale, whatever the data's."""

from __future__ import annotations

import numpy as np

from samovar_forecast.linear.sample import LONG_SAMPLE, Sample


def test_levels_and_units_are_taken_off_and_remembered() -> None:
    y = np.random.default_rng(0).normal(size=(50, 3)).cumsum(axis=0)
    unit, level = np.array([1e4, 1.0, 1e-3]), np.array([1e6, 0.0, -2.0])
    one, other = Sample.of([y]), Sample.of([y * unit + level])
    np.testing.assert_allclose(one.series[0], other.series[0], rtol=1e-6, atol=1e-6)
    back = other.series[0] * other.unit + other.center
    np.testing.assert_allclose(back, y * unit + level)


def test_a_constant_series_does_not_vary_and_short_gaps_are_crossed() -> None:
    y = np.random.default_rng(0).normal(size=(40, 2))
    y[:, 1] = 7.0
    y[10:12, 0] = np.nan
    sample = Sample.of([y])
    assert sample.varies.tolist() == [True, False]
    assert np.isfinite(sample.series[0]).all()
    assert not sample.is_long


def test_parts_are_shares_of_each_instance() -> None:
    rng = np.random.default_rng(0)
    sample = Sample.of([rng.normal(size=(40, 1)), rng.normal(size=(LONG_SAMPLE, 1))])
    assert [len(one) for one in sample.part(0.5, 0.75)] == [10, LONG_SAMPLE // 4]
    assert not sample.is_long
