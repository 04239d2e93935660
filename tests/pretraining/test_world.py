"""The simulated world: what is drawn has the properties that its families promise."""

import numpy as np
import pytest
import torch

from samovar_forecast.linear.simulate import largest_root
from samovar_forecast.pretraining.draws import Draws, filtered, smooth_curves, standardize
from samovar_forecast.pretraining.shocks import shocks
from samovar_forecast.pretraining.single_families import counts, levels, seasonal_pattern
from samovar_forecast.pretraining.vector_families import (
    companion_radius,
    draw_lag_matrices,
    run_var,
)
from samovar_forecast.pretraining.world import FAMILIES, SEASONS, draw_panels


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(("length", "n_series"), [(24, 1), (80, 4)])
def test_every_family_draws_finite_series_of_the_size_asked_for(name, length, n_series):
    found = FAMILIES[name](Draws(0), 6, length, n_series)
    assert found.shape == (6, length, n_series)
    assert torch.isfinite(found).all()
    assert (found.std(1) > 0).float().mean() > 0.5


def test_the_same_seed_draws_the_same_panels_and_another_one_does_not():
    first, same, other = (draw_panels(Draws(seed), 24, 60, 3) for seed in (1, 1, 2))
    for mine, its in zip(first, same, strict=True):
        assert torch.equal(mine.nan_to_num(9), its.nan_to_num(9))
    assert not torch.equal(first.values.nan_to_num(9), other.values.nan_to_num(9))


@pytest.mark.parametrize(("length", "n_series"), [(16, 1), (320, 2), (64, 8)])
def test_panels_are_finite_where_observed_and_mostly_observed(length, n_series):
    panels = draw_panels(Draws(0), 60, length, n_series)
    assert panels.values.shape == (60, length, n_series)
    assert not torch.isinf(panels.values).any()
    assert panels.values.isnan().float().mean() < 0.15
    assert (panels.season >= 1).all()


def test_every_family_and_season_is_drawn():
    panels = draw_panels(Draws(0), 600, 320, 1)
    assert set(panels.family.tolist()) == set(range(len(FAMILIES)))
    assert set(SEASONS) - {96} <= set(panels.season.tolist())


@pytest.mark.parametrize("order", [1, 3])
def test_lag_matrices_have_the_largest_root_asked_for(order):
    wanted = torch.linspace(0.3, 0.99, 20)
    matrices = draw_lag_matrices(Draws(0), 20, order, 4, wanted)
    found = np.array([largest_root(matrix) for matrix in matrices.numpy()])
    np.testing.assert_allclose(found, wanted, rtol=0.05)
    np.testing.assert_allclose(companion_radius(matrices), found, rtol=0.05)


def test_a_vector_autoregression_without_shocks_follows_its_matrices():
    matrices = draw_lag_matrices(Draws(0), 1, 2, 3, torch.tensor([0.9]))
    e = torch.zeros(1, 6, 3)
    e[0, 0] = torch.tensor([1.0, -1.0, 0.5])
    path = run_var(matrices, e)[0]
    first, second = matrices[0]
    torch.testing.assert_close(path[1], first @ path[0])
    torch.testing.assert_close(path[2], first @ path[1] + second @ path[0])


def test_a_filter_is_a_causal_convolution():
    series, kernel = Draws(0).normal(1, 30, 1), Draws(1).normal(1, 5)
    wanted = np.convolve(series[0, :, 0], kernel[0])[:30]
    np.testing.assert_allclose(filtered(series, kernel)[0, :, 0], wanted, atol=1e-5)


def test_shocks_have_unit_variance_and_often_heavy_tails():
    found = shocks(Draws(0), 300, 400, 2, plain=0.0)
    assert 0.7 < found.square().mean((1, 2)).median() < 1.4
    kurtosis = standardize(found).pow(4).mean((1, 2))
    assert kurtosis.median() > 3.3
    plain = standardize(shocks(Draws(0), 300, 400, 2, plain=1.0)).pow(4).mean((1, 2))
    assert abs(plain.median() - 3) < 0.2


def test_smooth_curves_are_smooth_and_of_the_size_of_one():
    curves = smooth_curves(Draws(0), 400, 300, 1)
    assert 0.8 < curves.square().mean() < 1.2
    assert curves.diff(dim=1).square().mean((1, 2)).median() < 0.05


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
