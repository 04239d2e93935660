"""Families of single series keep what they promise."""

import pytest
import torch

from samovar_forecast.pretraining import single_families
from samovar_forecast.pretraining.draws import Draws, standardize
from samovar_forecast.pretraining.single_families import counts, levels, seasonal_pattern


def test_a_season_repeats_and_there_is_none_of_period_1():
    period = torch.tensor([1, 7, 12, 24] * 50)
    found = seasonal_pattern(Draws(0), 200, 240, 1, period)
    assert torch.equal(found[0::4], torch.zeros_like(found[0::4]))
    for place, lag in ((1, 7), (2, 12), (3, 24)):
        series = found[place::4]
        change = (series[:, lag:] - series[:, :-lag]).square().mean((1, 2))
        assert change.median() < 0.2  # 2 for noise


def test_counts_are_whole_and_a_level_wanders():
    found = counts(Draws(0), 50, 100, 2)
    assert torch.equal(found, found.round())
    assert (found >= 0).all()
    assert (found == 0).float().mean() > 0.1
    wandering = levels(Draws(0), 200, 400, 1)
    half = wandering[:, 200:].mean(1) - wandering[:, :200].mean(1)
    assert half.std() > 5


def roughness(series):
    """Return the variance of the steps over that of the values; 2 for noise."""
    return standardize(series).diff(dim=1).square().mean((1, 2))


def test_trends_are_smoother_than_noise_and_a_quarter_is_nearly_without_noise():
    for family in (single_families.local_trends, single_families.deterministic_trends):
        found = roughness(family(Draws(0), 200, 200, 1))
        assert found.median() < 0.5
        assert found.quantile(0.25) < 0.02


def test_shares_keep_their_bounds_and_often_reach_them():
    found = single_families.bounded(Draws(0), 200, 100, 1)
    is_share = ((found >= 0) & (found <= 1)).all(1)[:, 0]
    is_cut = found.abs().amax(1)[:, 0] <= 1.5
    assert (is_share | is_cut).all()
    assert is_share.float().mean() == pytest.approx(0.6, abs=0.15)
    assert (found.abs() == 1.5).any(1).float().mean() > 0.1


def test_memory_that_is_long_fades_slowly():
    found = standardize(single_families.long_memory(Draws(0), 400, 400, 1))
    far = (found[:, 50:] * found[:, :-50]).mean((1, 2))
    assert far.quantile(0.8) > 0.3  # d near 1 and above
    assert far.quantile(0.1).abs() < 0.2  # d near 0 and below


def test_one_map_follows_from_its_value_and_neighbours_part():
    found = single_families.chaotic_maps(Draws(0), 300, 200, 1)
    assert torch.isfinite(found).all()
    half = standardize(found)
    assert ((half[:, 100:] - half[:, :100]).square().mean((1, 2)) > 0.1).float().mean() > 0.7


def test_events_are_rare_on_a_quiet_ground():
    steps = single_families.events(Draws(0), 300, 200, 1).diff(dim=1).abs()
    largest, middle = steps.amax((1, 2)), steps.flatten(1).median(1).values
    assert (largest > 10 * middle).float().mean() > 0.5


def test_curves_of_a_window_may_be_mixtures_of_each_other():
    found = standardize(single_families.gaussian_processes(Draws(0), 300, 200, 2))
    across = (found[..., 0] * found[..., 1]).mean(1).abs()
    alone = standardize(single_families.gaussian_processes(Draws(0), 600, 200, 1))
    by_chance = (alone[:300] * alone[300:]).mean((1, 2)).abs()
    assert across.mean() > by_chance.mean() + 0.05


def test_a_seasonal_pattern_has_deviation_1_and_half_of_the_windows_share_a_profile():
    period = torch.full((200,), 12)
    found = single_families.seasonal_pattern(Draws(0), 200, 240, 2, period)
    deviation = found.square().mean(1).sqrt()
    assert (deviation - 1).abs().median() < 1e-3
    across = (found[..., 0] * found[..., 1]).mean(1)
    assert 0.3 < (across > 0.8).float().mean() < 0.7
