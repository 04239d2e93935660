import torch

from samovar_forecast.pretraining.draws import Draws
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
