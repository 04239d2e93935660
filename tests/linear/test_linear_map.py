"""A linear map against plain loops over its lags, and what is made of maps."""

from __future__ import annotations

import numpy as np

from samovar_forecast.linear.linear_map import (
    LinearMap,
    Rows,
    blend,
    carried_forward,
    filled,
    finite_runs,
    iterate,
    iterate_each,
    windows_before,
    without_gaps,
)


def random_map(n_steps: int = 4, n_series: int = 3, seed: int = 0) -> LinearMap:
    """Return a map with three own lags, two of all series, an intercept and a center."""
    rng = np.random.default_rng(seed)
    return LinearMap(
        rng.normal(size=(n_steps, n_series, 3)),
        rng.normal(size=(n_steps, n_series, 2, n_series)),
        rng.normal(size=(n_steps, n_series)),
        rng.normal(size=n_series),
    )


def forecast_by_loops(one: LinearMap, window: np.ndarray) -> np.ndarray:
    """Return the forecast of one window, number by number."""
    deviation = window - one.center
    ahead = np.zeros(one.intercept.shape)
    for h, response in np.ndindex(*ahead.shape):
        total = one.center[response] + one.intercept[h, response]
        for lag in range(1, one.own.shape[2] + 1):
            total += one.own[h, response, lag - 1] * deviation[-lag, response]
        for lag in range(1, one.cross.shape[2] + 1):
            for impulse in range(len(one.center)):
                total += one.cross[h, response, lag - 1, impulse] * deviation[-lag, impulse]
        ahead[h, response] = total
    return ahead


def test_a_map_weighs_each_lag_of_each_series() -> None:
    one = random_map()
    windows = np.random.default_rng(1).normal(size=(5, 6, 3))
    assert one.n_steps == 4
    assert one.n_lags == 3
    wanted = [forecast_by_loops(one, window) for window in windows]
    assert np.allclose(one(windows), wanted)


def test_a_map_of_the_intercept_alone_reads_no_value() -> None:
    one = LinearMap.of(own=np.zeros((2, 3, 0)), intercept=np.arange(6.0).reshape(2, 3))
    assert one.n_lags == 0
    assert np.array_equal(one(np.full((4, 1, 3), 9.0)), np.tile(one.intercept, (4, 1, 1)))


def test_along_the_rows_a_map_forecasts_from_the_rows_known_at_each_origin() -> None:
    one, values = random_map(), np.random.default_rng(1).normal(size=(20, 3))
    origins = np.array([3, 11, 20])
    wanted = [one(values[None, :origin])[0] for origin in origins]
    assert np.allclose(one.along(values, origins), wanted)


def test_windows_are_what_is_known_at_each_origin() -> None:
    values = np.random.default_rng(0).normal(size=(30, 4))
    values[5:9, 0] = values[20:, 0] = np.nan  # a gap, and an early end
    values[:12, 1] = np.nan  # a late start
    values[::2, 2] = np.nan
    origins = np.array([1, 6, 9, 10, 12, 13, 22, 30])
    for values_of, of in ((values, slice(None)), (values, slice(3, None))):
        some = values_of[:, of]
        found = windows_before(some, origins, 7)
        for origin, window in zip(origins, found, strict=True):
            known = filled(without_gaps(some[:origin]))
            padded = np.concatenate([np.repeat(known[:1], 7, axis=0), known])
            np.testing.assert_allclose(window, padded[-7:])


def test_the_later_steps_of_a_map_are_those_of_the_whole_map() -> None:
    one, windows = random_map(), np.random.default_rng(1).normal(size=(5, 6, 3))
    assert np.allclose(one.later(3)(windows), one(windows)[:, 3:])
    assert np.allclose(one.later(0)(windows), one(windows))


def test_in_other_units_a_map_forecasts_the_same_in_the_other_units() -> None:
    one, windows = random_map(), np.random.default_rng(1).normal(size=(5, 6, 3))
    level, unit = np.array([1e3, -5.0, 0.0]), np.array([1e4, 1.0, 1e-3])
    moved = windows * unit + level
    assert np.allclose((one.in_units(level, unit)(moved) - level) / unit, one(windows))


def test_an_iterated_var_forecasts_what_step_by_step_forecasting_gives() -> None:
    rng = np.random.default_rng(0)
    coefs, intercept = 0.3 * rng.normal(size=(3, 2, 2)), rng.normal(size=2)
    lags, intercepts = iterate(coefs, intercept, 5)
    window = rng.normal(size=(7, 2))
    path = list(window)
    for _ in range(5):
        path.append(intercept + sum(a @ path[-lag - 1] for lag, a in enumerate(coefs)))
    got = LinearMap.of(cross=lags, intercept=intercepts)(window[None])[0]
    assert np.allclose(got, path[7:])


def test_autoregressions_are_iterated_together_as_each_alone() -> None:
    rng = np.random.default_rng(5)
    coefs, intercept = 0.3 * rng.normal(size=(4, 3)), rng.normal(size=4)
    lags, levels = iterate_each(coefs, intercept, 7)
    for c in range(4):
        own_lags, own_levels = iterate(coefs[c, :, None, None], intercept[[c]], 7)
        np.testing.assert_allclose(lags[:, c], own_lags[:, 0, :, 0])
        np.testing.assert_allclose(levels[:, c], own_levels[:, 0])


def test_a_blend_forecasts_the_weighted_mean_of_the_forecasts() -> None:
    rng = np.random.default_rng(1)
    maps = [
        LinearMap.of(own=rng.normal(size=(4, 3, 6)), intercept=rng.normal(size=(4, 3))),
        LinearMap.of(cross=rng.normal(size=(4, 3, 2, 3))),
        LinearMap.of(own=rng.normal(size=(4, 3, 1)), cross=rng.normal(size=(4, 3, 5, 3))),
    ]
    weights = rng.dirichlet(np.ones(3), size=4).T  # M s
    windows = rng.normal(size=(8, 9, 3))
    wanted = sum(w[:, None] * one(windows) for w, one in zip(weights, maps, strict=True))
    assert np.allclose(blend(maps, weights)(windows), wanted)
    center, unit = rng.normal(size=3), np.array([0.1, 2.0, 50.0])
    in_units = maps[2].in_units(center, unit)
    assert np.allclose(in_units(windows), maps[2]((windows - center) / unit) * unit + center)


def test_weights_of_a_blend_may_differ_between_series() -> None:
    rng = np.random.default_rng(2)
    maps = [LinearMap.of(own=rng.normal(size=(4, 3, lags))) for lags in (1, 5)]
    weights = rng.dirichlet(np.ones(2), size=(4, 3)).transpose(2, 0, 1)  # M s C
    windows = rng.normal(size=(8, 9, 3))
    wanted = weights[0] * maps[0](windows) + weights[1] * maps[1](windows)
    assert np.allclose(blend(maps, weights)(windows), wanted)


def test_a_var_of_order_0_is_iterated_to_its_intercept() -> None:
    lags, intercepts = iterate(np.zeros((0, 2, 2)), np.array([1.0, -2.0]), 3)
    assert lags.shape == (3, 2, 0, 2)
    assert np.array_equal(intercepts, [[1.0, -2.0]] * 3)


def test_runs_are_the_longest_stretches_of_complete_rows() -> None:
    values = np.arange(16.0).reshape(8, 2)
    values[[0, 3, 4], [1, 0, 1]] = np.nan
    runs = finite_runs(values)
    assert [run[:, 0].tolist() for run in runs] == [[2.0, 4.0], [10.0, 12.0, 14.0]]
    assert finite_runs(np.full((3, 1), np.nan)) == []


def test_gaps_are_closed_by_straight_lines_and_ends_stay_open() -> None:
    nan = np.nan
    values = np.array([[nan, 1.0], [2.0, nan], [nan, nan], [5.0, 4.0], [nan, nan]])
    before = values.copy()
    wanted = [[nan, 1.0], [2.0, 2.0], [3.5, 3.0], [5.0, 4.0], [nan, nan]]
    np.testing.assert_allclose(without_gaps(values), wanted)
    np.testing.assert_array_equal(values, before)  # the caller's rows stay as they were
    assert np.isnan(without_gaps(np.full((4, 1), nan))).all()


def test_the_last_known_value_stands_in_a_gap_of_a_window_and_the_center_in_an_empty_one() -> None:
    gap = np.nan
    windows = np.array([[[gap, gap], [1.0, gap], [gap, gap], [3.0, gap]]])
    found = carried_forward(windows, np.array([0.0, 7.0]))
    assert found.tolist() == [[[1.0, 7.0], [1.0, 7.0], [1.0, 7.0], [3.0, 7.0]]]
    complete = np.ones((2, 3, 1))
    assert carried_forward(complete, np.zeros(1)) is complete


def test_the_first_rows_keep_their_covariates() -> None:
    rows = Rows(np.arange(5.0)[:, None], np.arange(8.0)[:, None])
    assert rows.until(3).target[:, 0].tolist() == [0, 1, 2]
    assert rows.until(3).covariates[:, 0].tolist() == [0, 1, 2]
    assert Rows(rows.target).until(2).covariates is None
