"""Shocks have the size, the tails and the ties that they promise."""

import torch

from samovar_forecast.pretraining.draws import Draws, standardize
from samovar_forecast.pretraining.shocks import shocks


def test_shocks_have_unit_variance_and_often_heavy_tails():
    found = shocks(Draws(0), 300, 400, 2, plain=0.0)
    assert 0.7 < found.square().mean((1, 2)).median() < 1.4
    kurtosis = standardize(found).pow(4).mean((1, 2))
    assert kurtosis.median() > 3.3
    plain = standardize(shocks(Draws(0), 300, 400, 2, plain=1.0)).pow(4).mean((1, 2))
    assert abs(plain.median() - 3) < 0.2


def test_the_same_seed_draws_the_same_shocks_of_the_shape_asked_for():
    first, same, other = (shocks(Draws(seed), 4, 30, 3) for seed in (1, 1, 2))
    assert first.shape == (4, 30, 3)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_plain_shocks_do_not_follow_from_their_past_and_many_are_correlated_across_series():
    found = standardize(shocks(Draws(0), 300, 400, 2, plain=1.0))
    in_time = (found[:, 1:] * found[:, :-1]).mean(1)
    assert in_time.abs().median() < 0.05
    across = (found[..., 0] * found[..., 1]).mean(1).abs()
    assert 0.2 < (across < 0.1).float().mean() < 0.6
    assert (across > 0.5).float().mean() > 0.15


def test_the_volatility_of_rich_shocks_moves():
    def change_of_volatility(plain):
        size = shocks(Draws(0), 300, 400, 1, plain=plain).square()
        return (size[:, 200:].mean(1) / size[:, :200].mean(1)).log().abs().median()

    assert change_of_volatility(0.0) > 2 * change_of_volatility(1.0)
