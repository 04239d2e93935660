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
    ends = [12, 16, 19, 22, 25, 31, 38, 44, 50, 62, 75, 88, 100, 125, 150, 175]
    assert ends_of_parts(200) == ends
    assert ends_of_parts(2000)[-9:] == [438, 500, 625, 750, 875, 1000, 1250, 1500, 1750]
    assert ends_of_parts(30) == [13, 15, 19, 22, 26]
    assert ends_of_parts(FEWEST_ROWS) == []
    rows = np.arange(2.0 * FEWEST_ROWS).reshape(-1, 2)
    few = estimate_expanding(rows, [], 3)
    np.testing.assert_array_equal(few(rows[None])[0], rows[-1] * np.ones((3, 2)))


def test_no_estimate_knows_a_later_row() -> None:
    y = simulate_var(COEFS, 120, random_state=0)
    y[-1] = y[60]  # so that the later rows, turned round, have the same scale
    turned = np.concatenate([y[:60], y[60:][::-1]])
    ends = [20, 30, 45, 60, 90]
    found, other = (estimate_expanding(rows, ends, 4, 12) for rows in (y, turned))
    for n_rows in (0, 20, 30, 37, 45, 59, 60):
        same(found.after(n_rows), other.after(n_rows))
    assert not np.allclose(found.after(90).intercept, other.after(90).intercept)


def test_an_estimate_forecasts_like_the_anchor_of_the_same_rows() -> None:
    y = simulate_var(COEFS, 1200, random_state=1)
    origins = np.arange(400, 1190)
    actual = y[origins[:, None] + np.arange(4)]
    errors = [
        np.square(own.along(y, origins) - actual).mean()
        for own in (
            estimate_expanding(y[:240], [60, 90, 120, 160, 200], 4).after(200),
            estimate_anchor([y[:200]], 4, 200).map,
        )
    ]
    assert errors[0] < 1.02 * errors[1]


def test_an_early_estimate_on_a_long_sample_forecasts_like_the_anchor_of_the_same_rows() -> None:
    rng = np.random.default_rng(5)
    y = 0.3 * rng.normal(size=(3000, 2)).cumsum(axis=0) + rng.normal(size=(3000, 2))
    expanding = estimate_expanding(y, [800, 1000, 1200, 1400, 1600], 4).after(1600)
    anchor = estimate_anchor([y[:1600]], 4, 512).map
    origins = np.arange(1700, 2990)
    apart = expanding.along(y, origins) - anchor.along(y, origins)
    assert np.square(apart).mean() < 2e-4  # where the variance of the noise is 1


def test_gaps_and_series_that_stand_still_are_taken_as_they_are() -> None:
    y = simulate_var(COEFS, 100, random_state=2)
    y[30:34, 0] = np.nan
    y[:60, 1] = 5.0
    found = estimate_expanding(y, [25, 50, 75], 3)
    for n_rows in found.ends:
        assert np.isfinite(found.after(n_rows)(np.nan_to_num(y)[None])).all()


def test_between_two_estimates_the_var_that_forgets_goes_on_at_its_share() -> None:
    before, after = COEFS, np.array([[[-0.4, 0.3], [0.3, 0.2]]])
    y = np.concatenate([simulate_var(coefs, 80, random_state=3) for coefs in (before, after)])
    ends = [40, 80, 120]
    found = estimate_expanding(y, ends, 2)
    for end in ends:  # an estimate is an estimate, whatever goes on after it
        same(found.after(end), estimate_expanding(y, [*ends[: ends.index(end)], end], 2).after(end))
    lags = [
        found.after(n_rows).cross[0, :, 0] + np.diag(found.after(n_rows).own[0, :, 0])
        for n_rows in (80, 119)
    ]
    distances = [np.abs(own - after[0]).max() for own in lags]
    assert distances[1] < 0.8 * distances[0]
