"""Seasons: periods that are found, and means of whole seasons before, against plain loops."""

import numpy as np
import pytest
import torch

from samovar_forecast.network.running import open_window
from samovar_forecast.network.seasons import find_seasons, seasonal_means
from tests.builders.panels import PATCH, changed_later, close

NONE = torch.tensor([1])


def seasonal(period, n_rows=240, noise=0.1, seed=0):
    """Return a free pattern of one period around noise; (1, n_rows, 1)."""
    random = np.random.default_rng(seed)
    pattern = np.resize(random.normal(size=period), n_rows)
    return torch.tensor((pattern + noise * random.normal(size=n_rows))[None, :, None])


def found_in(y, told=NONE):
    period, strength = find_seasons(open_window(y, PATCH, torch.float64), told, PATCH)
    return period[0, 0], strength[0, 0]


def test_a_season_that_is_not_told_is_found():
    time = torch.arange(200.0)
    y = torch.sin(2 * torch.pi * time / 24) + 0.1 * torch.randn(
        200, generator=torch.Generator().manual_seed(0)
    )
    window = open_window(y[None, :, None], 8)
    period, strength = find_seasons(window, torch.tensor([1]), 8)
    assert period[0, 0, -1] == 24
    assert strength[0, 0, -1] > 0.3
    told, _ = find_seasons(window, torch.tensor([24]), 8)
    assert told[0, 0, -1] != 24


@pytest.mark.parametrize("period", [3, 7, 12, 24, 52])
def test_the_period_itself_is_found_and_no_multiple_of_it(period):
    found, strength = found_in(seasonal(period))
    assert found[-1] == period
    assert strength[-1] > 0.8


def test_the_strength_is_the_autocorrelation_of_the_steps():
    y = seasonal(12, n_rows=240, noise=0.5)
    y[:, 50:60] = torch.nan
    period, strength = found_in(y)
    steps = np.concatenate([[np.nan], np.diff(y[0, :, 0].numpy())])
    is_there = np.isfinite(steps)
    centred = np.where(is_there, steps - np.nanmean(steps), 0.0)
    lag = int(period[-1])
    n_pairs = (is_there[lag:] & is_there[:-lag]).sum()
    wanted = (centred[lag:] @ centred[:-lag] / n_pairs) / (centred @ centred / is_there.sum())
    assert strength[-1].item() == pytest.approx(wanted, rel=1e-6)


def test_a_random_walk_has_no_clear_season():
    steps = torch.tensor(np.random.default_rng(0).normal(size=(1, 400, 60)))
    period, strength = find_seasons(open_window(steps.cumsum(1), PATCH), NONE, PATCH)
    assert (period[..., -1] == 1).float().mean() > 0.5
    assert strength[..., -1].max() < 0.3
    assert not strength[period == 1].any()


def test_a_season_is_found_beside_missing_values():
    y = seasonal(12)
    y[:, torch.rand(240, generator=torch.Generator().manual_seed(0)) < 0.15] = torch.nan
    assert found_in(y)[0][-1] % 12 == 0


def test_the_level_and_the_scale_do_not_matter():
    y = seasonal(12, noise=1.0)
    for mine, its in zip(found_in(y), found_in(y * 1e4 - 3e3), strict=True):
        close(mine, its)


def test_a_position_knows_of_no_later_value():
    y = seasonal(12)
    found, strength = found_in(y)
    other, its_strength = found_in(changed_later(y, 128))  # half a patch into the second half
    assert torch.equal(other[:15], found[:15])
    close(its_strength[:15], strength[:15])
    assert (found[14:] == 12).all()


@pytest.mark.parametrize("n_rows", [1, 7, 8])
def test_a_short_window_has_no_season(n_rows):
    period, strength = found_in(seasonal(4)[:, :n_rows])
    assert (period == 1).all()
    assert not strength.any()


@pytest.mark.parametrize("n_seasons", [1, 3])
def test_the_means_are_those_of_the_values_whole_seasons_before(n_seasons):
    series = torch.randn(2, 3, 40, generator=torch.Generator().manual_seed(0)).double()
    start = torch.tensor([[0, 5, 17], [2, 0, 30]])[..., None]
    period = torch.tensor([4, 7])[:, None, None]
    at = torch.arange(30, 40)[None, None]
    found = seasonal_means(series, start, period, at, n_seasons)
    assert found.shape == (2, 3, 10)
    for b, c, column in np.ndindex(2, 3, 10):
        steps = [30 + column - k * int(period[b]) for k in range(n_seasons)]
        values = [series[b, c, step].item() for step in steps if step >= start[b, c]]
        wanted = np.mean(values) if values else 0.0
        assert found[b, c, column].item() == pytest.approx(wanted)
