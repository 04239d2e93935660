"""A linear forecast: a map, the effect of covariates around it, and the share of a network."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.linear import LinearMap, estimate_anchor
from samovar_forecast.linear.covariates import CovariateEffect
from samovar_forecast.linear.forecast import (
    HeldOut,
    LinearForecast,
    estimate_anchors,
    share_of_direct,
)
from samovar_forecast.linear.gate import estimate_gate
from samovar_forecast.linear.linear_map import Rows, without_gaps
from samovar_forecast.linear.simulate import simulate_var

COEFS = [[[0.7, 0.2], [0.1, 0.6]]]


def random_forecast(n_steps: int = 3) -> LinearForecast:
    """Return a map of four lags of two series, and the effect of three covariates with two lags."""
    rng = np.random.default_rng(0)
    one = LinearMap.of(
        cross=rng.normal(size=(n_steps, 2, 4, 2)), intercept=rng.normal(size=(n_steps, 2))
    )
    effect = CovariateEffect(rng.normal(size=(2, 3, 2)), rng.normal(size=3))
    return LinearForecast(one, {"var": np.ones((n_steps, 2))}, effect)


def test_the_map_forecasts_the_series_without_the_effect_and_the_effect_is_put_back() -> None:
    linear, rng = random_forecast(), np.random.default_rng(1)
    windows, covariates = rng.normal(size=(5, 8, 2)), rng.normal(size=(5, 11, 3))
    found = linear(windows, covariates)
    weights, mean = linear.effect.weights, linear.effect.mean
    for window, known, ahead in zip(windows, covariates, found, strict=True):
        before = np.vstack([known[:1], known[:-1]]) - mean  # the first row stands for earlier rows
        effect = (known - mean) @ weights[:, :, 0].T + before @ weights[:, :, 1].T
        wanted = linear.map((window - effect[:8])[None])[0] + effect[8:]
        np.testing.assert_allclose(ahead, wanted)


def test_without_covariates_the_map_alone_forecasts() -> None:
    linear, windows = random_forecast(), np.random.default_rng(1).normal(size=(5, 8, 2))
    np.testing.assert_array_equal(linear(windows, None), linear.map(windows))


def test_without_a_share_of_the_effect_the_forecast_is_the_anchor_of_the_rows() -> None:
    y = simulate_var(COEFS, 120, random_state=0)
    known = np.random.default_rng(0).normal(size=(120, 1))
    wanted = estimate_anchor([y], 3, 12)
    for shares in (None, np.zeros(2)):
        linear = LinearForecast.estimate([Rows(y, known)], 3, 12, shares=shares)
        assert linear.effect is None
        np.testing.assert_array_equal(linear.map.own, wanted.map.own)
        np.testing.assert_array_equal(linear.map.cross, wanted.map.cross)


def test_the_steps_of_a_later_forecast_are_those_of_a_longer_one() -> None:
    y = simulate_var(COEFS, 120, random_state=0)
    later = LinearForecast.estimate([Rows(y)], 3, 12, shift=2)
    longer = LinearForecast.estimate([Rows(y)], 5, 12)
    windows = y[None, -12:]
    np.testing.assert_array_equal(later(windows, None), longer(windows, None)[:, 2:])
    for name, share in later.weights.items():
        np.testing.assert_array_equal(share, longer.weights[name][2:])


def test_the_direct_candidate_may_stand_alone() -> None:
    y = simulate_var(COEFS, 2100, random_state=0)
    linear = LinearForecast.estimate([Rows(y)], 3, 12)
    alone = linear.alone
    assert alone.map is linear.direct
    assert np.array_equal(alone.weights["direct"], np.ones((3, 2)))
    windows = y[None, -12:]
    np.testing.assert_array_equal(alone(windows, None), linear.direct(windows))


def held_out(n_windows: int, share: float) -> tuple[LinearForecast, HeldOut]:
    """Return a network such that the truth lies at a share of the way from the map to it."""
    rng = np.random.default_rng(0)
    linear = LinearForecast(random_forecast().map, {})
    windows = rng.normal(size=(n_windows, 8, 2))
    own, distance = linear(windows, None), rng.normal(size=(n_windows, 3, 2))
    actual = own + share * distance + 0.1 * rng.normal(size=distance.shape)
    instance = np.zeros(n_windows, dtype=int)
    return linear, HeldOut(windows, None, own + distance, actual, instance)


@pytest.mark.parametrize("share", [0.0, 0.6, 1.0])
def test_a_network_gets_the_share_of_the_way_that_the_truth_is_at(share: float) -> None:
    linear, network = held_out(800, share)
    gate = network.gate(linear)
    np.testing.assert_allclose(gate, share, atol=0.05)
    wanted = estimate_gate(
        linear(network.windows, None), network.network, network.actual, network.instance
    )
    np.testing.assert_array_equal(gate, wanted)


@pytest.mark.parametrize("share", [0.6, 1.0])
def test_a_series_without_values_in_the_windows_takes_no_share_from_the_others(share) -> None:
    linear, complete = held_out(800, share)
    windows = complete.windows.copy()
    windows[:, :, 1] = np.nan
    windows[::3, 5:, 0] = np.nan
    known = windows.copy()
    known[:, :, 1] = linear.map.center[1]
    known[::3, 5:, 0] = known[::3, [4], 0]
    own, distance = linear(known, None), complete.network - linear(complete.windows, None)
    noise = 0.1 * np.random.default_rng(1).normal(size=own.shape)
    network = HeldOut(
        windows, None, own + distance, own + share * distance + noise, complete.instance
    )
    np.testing.assert_array_equal(linear(windows, None), own)
    np.testing.assert_allclose(network.gate(linear), share, atol=0.05)


def test_the_effect_is_taken_off_before_a_known_value_stands_in_a_gap() -> None:
    linear, rng = random_forecast(), np.random.default_rng(1)
    windows, covariates = rng.normal(size=(5, 8, 2)), rng.normal(size=(5, 11, 3))
    added = linear.effect(covariates)
    gone, wanted = windows.copy(), windows - added[:, :8]
    gone[:, 6:, 0] = np.nan
    wanted[:, 6:, 0] = wanted[:, [5], 0]
    gone[:, :3, 1] = np.nan
    wanted[:, :3, 1] = wanted[:, [3], 1]
    np.testing.assert_allclose(linear(gone, covariates), linear.map(wanted) + added[:, 8:])


def test_steps_that_are_not_forecast_make_the_evidence_smaller_and_have_no_share() -> None:
    linear, network = held_out(20, 1.0)
    now, later = network.gate(linear), network.gate(linear, shift=9)
    assert now.shape == later.shape == (3, 2)
    assert (later < now).all()


def test_without_earlier_rows_one_forecast_stays_and_sets_the_gate() -> None:
    rows = [Rows(simulate_var(COEFS, 80, random_state=0))]
    staying, earlier = estimate_anchors(rows, rows, n_steps=3, max_lag=8)
    assert staying is earlier


def test_the_earlier_forecast_knows_no_later_row() -> None:
    y = simulate_var(COEFS, 120, random_state=0)
    changed = y.copy()
    changed[90:] += 50
    first, second = (
        estimate_anchors([Rows(values)], [Rows(values[:90])], n_steps=3, max_lag=8)
        for values in (y, changed)
    )
    windows = y[None, :8]
    np.testing.assert_array_equal(first[1](windows, None), second[1](windows, None))
    assert not np.allclose(first[0](windows, None), second[0](windows, None))


def test_an_effect_that_the_rows_do_not_confirm_is_left_out() -> None:
    y = simulate_var(COEFS, 150, random_state=0)
    noise = np.random.default_rng(1).normal(size=(150, 1))
    rows = [Rows(y, noise)]
    for linear in estimate_anchors(rows, [rows[0].until(120)], n_steps=3, max_lag=8):
        assert linear.effect is None or np.abs(linear.effect.weights).max() < 0.1
    strong = [Rows(y + 3 * noise, noise)]
    for linear in estimate_anchors(strong, [strong[0].until(120)], n_steps=3, max_lag=8):
        np.testing.assert_allclose(linear.effect.weights[:, 0, 0], 3.0, atol=0.5)


def test_a_share_of_the_direct_candidate_is_a_weighted_mean() -> None:
    y = simulate_var(COEFS, 2100, random_state=0)
    linear = LinearForecast.estimate([Rows(y)], 3, 12)
    mixed = linear.with_direct(0.25)
    windows = y[None, -12:]
    wanted = 0.75 * linear(windows, None) + 0.25 * linear.direct(windows)
    np.testing.assert_allclose(mixed(windows, None), wanted)
    total = sum(mixed.weights.values())
    np.testing.assert_allclose(total, np.ones((3, 2)))
    np.testing.assert_allclose(mixed.weights["ar"], 0.75 * linear.weights["ar"])


@pytest.mark.parametrize("shift", [0, 2])
def test_the_share_of_the_direct_candidate_is_that_of_a_plain_loop(shift: int) -> None:
    y = simulate_var(COEFS, 2060, random_state=0)
    y[2030, 0] = np.nan
    rows, before = [Rows(y)], [Rows(y[:2000])]
    linear = LinearForecast.estimate(before, 3, 12, shift=shift)
    products = squares = n_origins = 0
    for origin in range(2000, 2060 - shift - 3 + 1):
        window = without_gaps(y)[None, origin - 12 : origin]
        averaged, alone = linear(window, None)[0], linear.direct(window)[0]
        actual = y[origin + shift : origin + shift + 3]
        products += np.nansum((alone - averaged) * (actual - averaged))
        squares += np.square(alone - averaged)[np.isfinite(actual)].sum()
        n_origins += 1
    n_forecasts = n_origins / (3 + shift)
    wanted = (n_forecasts * products / squares + 3 * 0.5) / (n_forecasts + 3)
    share = share_of_direct(linear, rows, before, shift)
    clipped = min(1.0, max(0.0, wanted))
    is_close = min(clipped, 1 - clipped) <= 0.1
    assert share == pytest.approx(round(clipped) if is_close else clipped)


def test_without_evidence_the_direct_candidate_has_one_half() -> None:
    y = simulate_var(COEFS, 2100, random_state=0)
    linear = LinearForecast.estimate([Rows(y)], 3, 12)
    assert share_of_direct(linear, [Rows(y)], [Rows(y[:2099])], 0) == 0.5


@pytest.mark.parametrize(("level_later", "stands_alone"), [(0.0, False), (8.0, True)])
def test_where_levels_move_a_long_sample_is_forecast_from_its_last_value(level_later, stands_alone):
    y = simulate_var([[[0.7, 0.2], [0.1, 0.6]]], 2600, random_state=0)
    y[2100:] += level_later
    staying, earlier = estimate_anchors([Rows(y)], [Rows(y[:2100])], n_steps=6, max_lag=24)
    assert (set(earlier.weights) == set(staying.weights) == {"direct"}) == stands_alone
    far_away = np.full((1, 24, 2), 100.0)
    stays_there = np.abs(earlier(far_away, None) - 100.0).max() < 1e-6
    assert stays_there == stands_alone


@pytest.mark.parametrize("missing", [slice(2050, None), slice(None, 2110), slice(0, 0)])
def test_a_late_or_ended_series_takes_no_share_of_the_direct_candidate_from_the_others(missing):
    y = simulate_var([[[0.7, 0.2], [0.1, 0.6]]], 2600, random_state=0)
    y[2100:] += 8.0
    linear = LinearForecast.estimate([Rows(y[:2100])], 6, 24)
    y[missing, 1] = np.nan
    assert share_of_direct(linear, [Rows(y)], [Rows(y[:2100])], 0) == 1.0
