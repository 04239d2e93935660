"""Windows are cut together, and units turn the network's numbers into data."""

from __future__ import annotations

import numpy as np

from samovar_forecast.config import NetworkConfig
from samovar_forecast.dynamics.windows import Units, Windows, joined
from samovar_forecast.frames.scaler import Scaler


def test_a_part_holds_the_same_windows_of_every_table_that_is_there():
    target = np.arange(24.0).reshape(4, 3, 2)
    static = np.arange(8.0).reshape(4, 2, 1)
    part = Windows(target, static_covariates=static).part(1, 3)
    np.testing.assert_array_equal(part.target, target[1:3])
    np.testing.assert_array_equal(part.static_covariates, static[1:3])
    assert part.past_covariates is None
    assert part.future_covariates is None


def test_data_given_as_they_are_have_location_zero_and_scale_one():
    config = NetworkConfig(
        n_series=2, patch_length=1, context_length=3, n_past_covariates=1, n_future_covariates=2
    )
    units = Units.plain(config)
    np.testing.assert_array_equal(units.channels.location, np.zeros(3))
    np.testing.assert_array_equal(units.channels.scale, np.ones(3))
    np.testing.assert_array_equal(units.future.scale, np.ones(2))


def test_the_series_are_the_last_channels():
    units = Units(
        Scaler(np.array([9.0, 1.0, 2.0]), np.array([8.0, 3.0, 4.0])), Scaler.of(np.ones((2, 0)))
    )
    series = units.series(2)
    np.testing.assert_array_equal(series.location, [1.0, 2.0])
    np.testing.assert_array_equal(series.scale, [3.0, 4.0])


def test_groups_of_windows_are_joined_table_by_table() -> None:
    windows = Windows(np.arange(24.0).reshape(4, 3, 2), None, np.ones((4, 5, 1)))
    again = joined([windows.part(0, 1), windows.part(1, 4)])
    assert np.array_equal(again.target, windows.target)
    assert again.past_covariates is None
    assert again.future_covariates.shape == (4, 5, 1)
    assert joined([windows]) is windows
