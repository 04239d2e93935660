"""At an origin stands the linear forecast of the rows that were known there."""

from __future__ import annotations

import numpy as np

from samovar_forecast.dynamics.average_map import AverageMap
from samovar_forecast.dynamics.earlier_forecasts import EarlierForecasts
from samovar_forecast.dynamics.forecast_map import Shape
from samovar_forecast.dynamics.linear_forecast_map import LinearForecastMap
from samovar_forecast.linear.following import FollowingMap
from samovar_forecast.linear.linear_map import LinearMap
from tests.builders.members import linear_forecast, scaled_windows, units

SHAPE, EVERY_STEP = Shape(20, 6, 3), np.eye(6)


def of_maps(ends: list[int], maps: list[LinearMap]) -> FollowingMap:
    return FollowingMap.of_last(np.array(ends), maps.__getitem__)


def test_each_origin_has_its_own_forecast_and_the_last_the_newest() -> None:
    asked = []

    def estimate() -> FollowingMap:
        asked.append(1)
        return of_maps([0, 25], [linear_forecast(seed=seed).map for seed in (1, 2)])

    newest = linear_forecast()
    earlier = EarlierForecasts(newest, 40, estimate)
    reading = LinearForecastMap(newest, SHAPE, 6, earlier)
    windows = scaled_windows(4, 20)
    assert np.array_equal(reading.forecast(windows), newest(windows.target, None))
    told = windows._replace(n_known=np.array([40, 24, 25, 47]))
    reading.forecast(told.part(0, 1))
    assert not asked  # the newest needs no other
    stands = [newest, linear_forecast(seed=1), linear_forecast(seed=2), newest]
    wanted = [own(row[None], None)[0] for own, row in zip(stands, windows.target, strict=True)]
    assert np.allclose(reading.forecast(told), wanted)
    found = reading.jacobians(told, EVERY_STEP, units())
    for number, (own, jacobian) in enumerate(zip(stands, found, strict=True)):
        alone = LinearForecastMap(own, SHAPE, 6)
        (same,) = alone.jacobians(windows.part(number, number + 1), EVERY_STEP, units())
        assert np.array_equal(jacobian.dense(), same.dense())
        assert np.allclose(jacobian.value, same.value)
    assert len(asked) == 1


def test_an_average_hands_on_what_was_known_and_tells_whether_it_is_out_of_sample() -> None:
    first = of_maps([0], [linear_forecast(seed=1).map])
    earlier = EarlierForecasts(linear_forecast(), 40, lambda: first)
    fixed = AverageMap(
        {"linear": LinearForecastMap(linear_forecast(), SHAPE, 6)},
        {"linear": np.ones((6, 3))},
        SHAPE,
    )
    moving = fixed.with_linear(None, earlier)
    windows = scaled_windows(2, 20)._replace(n_known=np.array([30, 40]))
    wanted = linear_forecast(seed=1)(windows.target[:1], None)[0]
    assert np.allclose(moving.forecast(windows)[0], wanted)
    assert np.allclose(moving.forecast(windows)[1], fixed.forecast(windows)[1])
    assert moving.is_out_of_sample
    assert not fixed.is_out_of_sample
    assert moving.equals(fixed)
