"""Paths are continued by the forecasts themselves, and some of them stay within bounds."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.linear.forecast import LinearForecast
from samovar_forecast.linear.linear_map import LinearMap
from tests.builders.members import seasonal_frame


def test_simulated_paths_are_the_networks_own_and_reproducible(linear: DynamicVAR) -> None:
    paths = linear.simulate(4, 30, random_state=3)
    assert paths.shape == (4, 30, 2)
    assert np.array_equal(paths, linear.simulate(4, 30, random_state=3))
    assert not np.array_equal(paths, linear.simulate(4, 30, random_state=4))
    window = linear.history.to_numpy()[-3:]
    first_error = paths[:, 0] - linear.one_step(window[None])
    centred = (linear.resid - linear.resid.mean()).to_numpy()
    distance = np.abs(first_error[:, None] - centred).max(axis=-1).min(axis=-1)
    assert np.all(distance < 1e-9)


@pytest.mark.parametrize(("factor", "share"), [(2.0, 0.0), (0.5, 1.0)])
def test_the_share_of_bounded_paths_is_that_of_the_forecast_itself(factor, share) -> None:
    y = seasonal_frame(30)
    y -= y.mean()
    member = LinearForecast(LinearMap.of(own=np.full((1, 3, 1), factor)), {})
    var = DynamicVAR.from_members({"linear": member}, {"linear": np.ones((1, 3))}, y)
    assert var.share_of_bounded_paths(4, 40) == share
    assert var.is_stable() == bool(share)
