"""Running statistics against plain loops over the values so far."""

import numpy as np
import pytest
import torch

from samovar_forecast.network.running import (
    at_positions,
    observed_steps,
    open_window,
    recent_values,
    running_extremes,
    running_statistics,
    running_sums,
)
from tests.builders.panels import (
    HORIZON,
    PATCH,
    changed_later,
    close,
    gappy_walks,
    opened,
    seasonal_walks,
)

STATISTICS = ("last", "mean", "deviation", "step")


def by_loops(values):
    """Return last, mean, deviation, step and their numbers so far at every position of (N s,)."""
    found = []
    for end in range(PATCH, len(values) + 1, PATCH):
        so_far = values[:end]
        known = so_far[np.isfinite(so_far)]
        steps = np.diff(so_far)
        steps = steps[np.isfinite(steps)]
        deviation = known.std() if len(known) else 0.0
        step = np.sqrt(np.mean(steps**2)) if len(steps) else np.sqrt(2) * deviation
        last = known[-1] if len(known) else np.nan
        mean = known.mean() if len(known) else np.nan
        found.append((last, mean, deviation, step, len(known)))
    return np.array(found)


def test_a_window_gives_its_values_back_and_is_filled_up_to_whole_patches():
    y = gappy_walks(150)
    window = open_window(y, PATCH, torch.float64)
    assert window.values.shape == (1, 4, 152)
    back = (window.values * window.scale + window.location)[..., 2:].transpose(1, 2)
    is_there = torch.isfinite(y)
    close(back[is_there], y[is_there], 1e-12)
    assert torch.equal(window.observed[..., 2:].transpose(1, 2) > 0, is_there)
    assert not window.observed[..., :2].any()
    assert window.start[0, :, 0].tolist() == [22, 3, 2, 2]
    known = np.ma.masked_invalid(y[0].numpy())
    close(window.location[0, :, 0], torch.tensor(known.mean(0).data))
    close(window.scale[0, :, 0], torch.tensor(known.std(0).data))


def test_a_gap_repeats_the_last_value_and_what_is_before_the_first_value_repeats_the_first():
    nan = torch.nan
    y = torch.tensor([nan, 1.0, nan, nan, 4.0, 2.0, nan])[None, :, None]
    window = open_window(y, 8, torch.float64)
    back = (window.values * window.scale + window.location)[0, 0]
    close(back, torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 4.0, 2.0, 2.0]))


def test_a_high_level_costs_no_accuracy_in_single_precision():
    y = seasonal_walks()
    window, moved = open_window(y, PATCH), open_window(y + 1e7, PATCH)
    assert moved.values.dtype == torch.float32
    close(moved.values, window.values, 1e-5)


@pytest.mark.parametrize("value", [0.0, 0.1, -3e9])
def test_a_constant_series_is_its_own_level(value):
    y = seasonal_walks()
    y[..., 1] = value
    y[:, :30, 1] = torch.nan
    window = open_window(y, PATCH)
    assert window.location[0, 1].item() == value
    assert window.scale[0, 1].item() == 1.0
    assert not window.values[0, 1].any()
    assert not running_statistics(window, PATCH, HORIZON).is_usable[0, 1].any()


def test_a_series_without_a_value_has_finite_statistics_and_is_not_usable():
    y = seasonal_walks()
    y[..., 1] = torch.nan
    statistics = running_statistics(open_window(y, PATCH), PATCH, HORIZON)
    assert all(torch.isfinite(one).all() for one in statistics)
    assert not statistics.is_usable[0, 1].any()
    assert not statistics.n_observed[0, 1].any()


def test_the_statistics_are_those_of_the_values_so_far():
    y = gappy_walks(152)
    found = opened(y)
    for c in range(4):
        wanted = by_loops(y[0, :, c].numpy())
        assert found.statistics.n_observed[0, c].tolist() == wanted[:, 4].tolist()
        is_known = wanted[:, 4] > 1
        for column, name in enumerate(STATISTICS):
            mine = found.in_units(name)[0, c].numpy()
            np.testing.assert_allclose(mine[is_known], wanted[is_known, column], rtol=1e-8)


def test_the_unit_grows_as_that_of_a_random_walk_up_to_that_of_noise():
    statistics = opened(seasonal_walks()).statistics
    ahead = torch.arange(1, HORIZON + 1)
    walk = ahead.sqrt() * statistics.step[..., None]
    noise = 2**0.5 * statistics.deviation[..., None].expand(walk.shape)
    close(statistics.unit, torch.minimum(walk, noise))


def test_later_values_change_no_earlier_statistic():
    y = gappy_walks(160)
    found, other = opened(y), opened(changed_later(y, 120))
    is_known = found.statistics.n_observed[..., :15] > 0
    for name in STATISTICS:
        mine, its = (one.in_units(name)[..., :15] for one in (found, other))
        close(its[is_known], mine[is_known])


def test_the_statistics_follow_the_level_and_the_scale():
    y = gappy_walks()
    found, moved = opened(y), opened(y * 1e-3 + 5e2)
    for name in ("last", "mean"):
        close(moved.in_units(name), found.in_units(name) * 1e-3 + 5e2)
    for name in ("deviation", "step"):
        close(moved.in_units(name), found.in_units(name) * 1e-3)
    close(moved.statistics.is_usable, found.statistics.is_usable)


def test_a_step_counts_where_both_its_values_are_observed():
    nan = torch.nan
    y = torch.tensor([1.0, 3.0, nan, 5.0, 9.0, 8.0, 8.0, nan])[None, :, None]
    window = open_window(y, 8, torch.float64)
    steps, weight = observed_steps(window)
    close((steps * window.scale)[0, 0], torch.tensor([0.0, 2.0, 0.0, 0.0, 4.0, -1.0, 0.0, 0.0]))
    assert weight[0, 0].tolist() == [0, 1, 0, 0, 1, 1, 1, 0]


def test_sums_entries_extremes_and_recent_values_are_those_of_the_patches_so_far():
    series = torch.randn(2, 3, 24, generator=torch.Generator().manual_seed(0)).double()
    for position, end in enumerate((8, 16, 24)):
        so_far = series[..., :end]
        close(running_sums(series, 8)[..., position], so_far.sum(-1))
        assert torch.equal(at_positions(series, 8)[..., position], so_far[..., -1])
        for n_values in (3, 8, 20):
            recent = recent_values(series, 8, n_values)[..., position, :]
            padded = torch.cat([torch.zeros(2, 3, 20, dtype=series.dtype), so_far], -1)
            assert torch.equal(recent, padded[..., -n_values:])
    window = open_window(series.transpose(1, 2), 8, torch.float64)
    low, high = running_extremes(window, 8)
    assert torch.equal(low[..., 1], window.values[..., :16].amin(-1))
    assert torch.equal(high[..., 1], window.values[..., :16].amax(-1))
