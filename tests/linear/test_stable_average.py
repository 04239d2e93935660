"""The average of stable maps is stable itself, and only series that carry growth give it up."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.linear import LinearMap, estimate_anchor
from samovar_forecast.linear.average import estimate_each
from samovar_forecast.linear.linear_map import blend, iterate
from samovar_forecast.linear.stability import growing_series, largest_root, rolled_growth
from samovar_forecast.linear.stable_average import stable_average

STEPS = 4


def regression(*coefs: float) -> np.ndarray:
    """Return the weights of own lags, (s, p), of an autoregression."""
    return iterate(np.array(coefs)[:, None, None], np.zeros(1), STEPS)[0][:, 0, :, 0]


def growing_pair() -> list[LinearMap]:
    """Return two stable maps of two series; their mean grows in the second series.

    That is the sum of three waves: an autoregression of six lags forecasts it without an error, and
    the last value does not.
    """
    periods = np.array([7.0, 19.0, 41.0])
    angles = np.exp(2j * np.pi / np.concatenate([periods, -periods]))
    waves = -np.poly(0.999 * angles).real[1:]
    assert largest_root(waves[:, None, None]) < 1
    calm = np.array([0.5, 0, 0, 0, 0, 0])
    regressions = np.stack([regression(*calm), regression(*waves)], axis=1)
    return [LinearMap.of(own=regressions), LinearMap.of(own=np.ones((STEPS, 2, 1)))]


def halves(n_maps: int) -> np.ndarray:
    return np.full((n_maps, STEPS, 2), 1 / n_maps)


def test_the_mean_of_two_stable_maps_may_grow_and_is_told_by_series():
    average = blend(growing_pair(), halves(2))
    assert rolled_growth(average) > 1.05
    assert growing_series(average).tolist() == [False, True]


def test_only_the_series_that_grows_is_left_to_its_heaviest_candidate():
    maps = growing_pair()
    weights = np.array([0.6, 0.4])[:, None, None] * np.ones((2, STEPS, 2))
    stable, drawn = stable_average(maps, weights, fallback=1)
    assert rolled_growth(stable) <= 1.01
    assert np.array_equal(drawn[:, :, 0], weights[:, :, 0])
    assert np.allclose(drawn.sum(axis=0), 1.0)
    assert (drawn[0, :, 1] == 1).all()
    assert np.allclose(blend(maps, drawn).own, stable.own)


def test_an_average_that_does_not_grow_keeps_its_weights():
    maps = [LinearMap.of(own=np.ones((STEPS, 2, 1))), LinearMap.of(own=np.zeros((STEPS, 2, 1)))]
    weights = halves(2)
    average, drawn = stable_average(maps, weights, fallback=0)
    assert drawn is weights
    assert np.array_equal(average.own, blend(maps, weights).own)


def test_a_growing_series_all_whose_candidates_read_others_is_left_to_the_fallback():
    crosses = []
    for one in growing_pair():
        cross = np.zeros((STEPS, 2, one.n_lags, 2))
        cross[:, [0, 1], :, [0, 1]] = one.own.swapaxes(0, 1)
        cross[:, 1, 0, 0] = 1e-6
        crosses.append(LinearMap.of(cross=cross))
    weights = np.array([0.5, 0.5, 0.0])[:, None, None] * np.ones((3, STEPS, 2))
    maps = [*crosses, LinearMap.of(own=np.ones((STEPS, 2, 1)))]
    stable, drawn = stable_average(maps, weights, fallback=2)
    assert rolled_growth(stable) <= 1.01
    assert (drawn[2, :, 1] == 1).all()
    assert (drawn[2, :, 0] == 0).all()


@pytest.mark.parametrize("number", [5, 30])
def test_a_series_without_noise_changes_no_forecast_of_its_neighbours(number):
    time = np.arange(70.0)
    smooth = sum(np.sin(2 * np.pi * time / period) for period in (7.3, 19.0, 41.0))
    rng = np.random.default_rng(number)
    walk = rng.normal(size=70).cumsum()
    alone = estimate_each([walk[:, None]], STEPS)[0].map(walk[None, :, None])
    fits = estimate_each([walk[:, None], smooth[:, None]], STEPS)
    together = fits[0].map(walk[None, :, None])
    assert np.allclose(alone, together, atol=0.2 * walk.std())


def test_a_jump_in_the_last_row_is_not_taken_back_without_evidence():
    rng = np.random.default_rng(0)
    y = 0.2 * rng.normal(size=(42, 6))
    y[-1] += [5, -6, 7, 5, -8, 6]
    ahead = estimate_anchor([y], 1, 42).map(y[None])[0, 0]
    assert (np.abs(ahead - y[-1]) < 0.5 * np.abs(y[-1])).all()
