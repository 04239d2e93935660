"""Scaling takes location and scale from a training sample, and is undone exactly."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from samovar_forecast.frames.scaler import Scaler


def test_scaling_gives_mean_zero_and_deviation_one_and_is_undone():
    values = np.random.default_rng(0).normal(1e9, 0.05, size=(500, 2))
    scaler = Scaler.of(values)
    scaled = scaler.forward(values)
    assert_allclose(scaled.mean(axis=0), 0, atol=1e-4)
    assert_allclose(scaled.std(axis=0), 1)
    assert_allclose(scaler.inverse(scaled, values[-1]), values, rtol=1e-15)


def test_a_constant_series_is_scaled_to_zero_and_forecast_by_its_last_value():
    values = np.column_stack([np.full(50, 0.3), np.arange(50.0)])
    scaler = Scaler.of(values)
    assert_array_equal(scaler.forward(values)[:, 0], 0.0)
    forecast = scaler.inverse(np.full((2, 2), 5.0), last=values[-1])
    assert_array_equal(forecast[:, 0], 0.3)
    assert (forecast[:, 1] > 49).all()


def test_missing_values_take_no_part_in_the_scaling_and_stay_missing():
    values = np.random.default_rng(0).normal(5, 2, size=(40, 4))
    gappy = values.copy()
    gappy[::3, 0] = np.nan
    gappy[:, 1] = np.nan
    gappy[:, 2] = 7.0
    gappy[-3:, 2] = np.nan
    scaler = Scaler.of(gappy)
    full = Scaler.of(np.delete(values[:, :1], np.s_[::3], axis=0))
    assert_allclose([scaler.location[0], scaler.scale[0]], [full.location[0], full.scale[0]])
    assert (scaler.location[1], scaler.scale[1]) == (0, 1)
    assert (scaler.location[2], scaler.scale[2]) == (7, 0)
    assert_array_equal(np.isnan(scaler.forward(gappy)), np.isnan(gappy))
    assert_array_equal(scaler.inverse(np.zeros((1, 4)), last=np.full(4, np.nan))[0, 2], 7.0)
