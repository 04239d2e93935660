"""A map that follows the rows is, at each origin, that of the rows up to there."""

from __future__ import annotations

import numpy as np

from samovar_forecast.linear.following import FollowingMap
from samovar_forecast.linear.linear_map import LinearMap

ENDS = np.array([3, 5, 8])
MAPS = [LinearMap.of(own=np.full((2, 1, lags), 0.1 * lags)) for lags in (1, 2, 3)]


def test_each_origin_is_forecast_by_the_newest_map_that_knows_no_later_row() -> None:
    following = FollowingMap.of_last(ENDS, MAPS.__getitem__)
    values, origins = np.arange(9.0)[:, None], np.array([3, 4, 5, 7, 8, 9])
    wanted = [
        own(values[None, :origin])[0]
        for origin, own in zip(origins, [MAPS[n] for n in (0, 0, 1, 1, 2, 2)], strict=True)
    ]
    np.testing.assert_allclose(following.along(values, origins), wanted)
    assert following.places(np.array([2, 3, 4, 100])).tolist() == [-1, 0, 0, 2]
    assert following.after(6) is MAPS[1]


def test_it_averages_as_the_last_map_and_until_some_rows_as_the_map_there() -> None:
    following = FollowingMap.of_last(ENDS, MAPS.__getitem__)
    np.testing.assert_array_equal(following.own, MAPS[2].own)
    earlier = following.until(7)
    np.testing.assert_array_equal(earlier.own, MAPS[1].own)
    assert earlier.ends.tolist() == [3, 5]
