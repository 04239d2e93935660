"""The simulated world: what is drawn has the properties that its families promise."""

import pytest
import torch

from samovar_forecast.pretraining.draws import Draws
from samovar_forecast.pretraining.world import FAMILIES, SEASONS, draw_panels


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(("length", "n_series"), [(24, 1), (80, 4)])
def test_every_family_draws_finite_series_of_the_size_asked_for(name, length, n_series):
    found = FAMILIES[name](Draws(0), 6, length, n_series)
    assert found.shape == (6, length, n_series)
    assert torch.isfinite(found).all()
    assert (found.std(1) > 0).float().mean() > 0.5


@pytest.mark.parametrize("name", FAMILIES)
def test_a_seed_names_the_series_of_every_family(name):
    first, same, other = (FAMILIES[name](Draws(seed), 4, 40, 2) for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


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
