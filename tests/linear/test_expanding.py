"""A forecast from an origin of the past knows no later row, neither do its weights."""

from __future__ import annotations

import numpy as np

from samovar_forecast.linear import estimate_anchor
from samovar_forecast.linear.expanding import FEWEST_ROWS, ends_of_parts, estimate_expanding
from samovar_forecast.linear.linear_map import LinearMap
from samovar_forecast.linear.simulate import simulate_var

COEFS = np.array([[[0.6, 0.2], [-0.3, 0.4]]])


def same(one: LinearMap, other: LinearMap) -> None:
    for name in ("own", "cross", "intercept", "center"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-8)


def test_estimates_are_made_after_each_part_and_sooner_at_the_beginning() -> None:
    assert ends_of_parts(200) == [12, 25, 50, 75, 100, 125, 150, 175]
    assert ends_of_parts(2000)[:5] == [15, 31, 62, 125, 250]
    assert ends_of_parts(30) == [15, 19, 22, 26]
    assert ends_of_parts(FEWEST_ROWS) == []
    assert estimate_expanding(np.zeros((FEWEST_ROWS, 2)), [], 3) == []


def test_no_estimate_knows_a_later_row() -> None:
    y = simulate_var(COEFS, 120, random_state=0)
    y[-1] = y[60]  # so that the later rows, turned round, have the same scale
    turned = np.concatenate([y[:60], y[60:][::-1]])
    ends = [20, 30, 45, 60, 90]
    found, other = (estimate_expanding(rows, ends, 4, 12) for rows in (y, turned))
    for number in range(4):
        same(found[number], other[number])
    assert not np.allclose(found[4].intercept, other[4].intercept)


def test_an_estimate_forecasts_like_the_anchor_of_the_same_rows() -> None:
    y = simulate_var(COEFS, 1200, random_state=1)
    origins = np.arange(400, 1190)
    actual = y[origins[:, None] + np.arange(4)]
    errors = [
        np.square(own.along(y, origins) - actual).mean()
        for own in (
            estimate_expanding(y[:240], [60, 90, 120, 160, 200], 4)[-1],
            estimate_anchor([y[:200]], 4, 200).map,
        )
    ]
    assert errors[0] < 1.02 * errors[1]


def test_gaps_and_series_that_stand_still_are_taken_as_they_are() -> None:
    y = simulate_var(COEFS, 100, random_state=2)
    y[30:34, 0] = np.nan
    y[:60, 1] = 5.0
    for own in estimate_expanding(y, [25, 50, 75], 3):
        assert np.isfinite(own(np.nan_to_num(y)[None])).all()
