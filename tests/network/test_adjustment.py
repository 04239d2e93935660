"""Seasonal adjustment inside a window: known seasons, and none where there is none."""

import numpy as np
import pytest
import torch

from samovar_forecast.network.adjustment import LARGEST_SHARE, N_SEASONS, adjust
from samovar_forecast.network.running import open_window
from samovar_forecast.network.trends import slope_of_halves
from tests.builders.panels import HORIZON, PATCH, changed_later, close, gappy_walks, seasonal_walks


def adjusted(y, season):
    """Return the adjustment in the units of the panel: values, season ahead, share."""
    window = open_window(y, PATCH, torch.float64)
    ends = torch.arange(PATCH - 1, window.values.shape[-1], PATCH)
    slope = slope_of_halves(window.values, window.start, ends)
    told = torch.full((len(y),), season)
    found = adjust(window, told, slope, ends, torch.arange(1, HORIZON + 1))
    values = found.values * window.scale + window.location
    return found, values, found.ahead * window.scale[..., None]


def with_season(period, n_rows=144, noise=0.0, slope=0.0):
    """Return a pattern that sums to nothing, on a line with noise; and the pattern ahead."""
    random = np.random.default_rng(period)
    pattern = random.normal(size=period)
    pattern -= pattern.mean()
    season = np.resize(pattern, n_rows + HORIZON)
    rest = noise * random.normal(size=n_rows) + slope * np.arange(n_rows)
    y = torch.tensor((season[:n_rows] + rest)[None, :, None])
    return y, torch.tensor(season[n_rows:]), torch.tensor(rest)


@pytest.mark.parametrize("period", [4, 7, 12])
@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_an_exact_season_is_taken_off_and_known_ahead(period, slope):
    y, ahead, rest = with_season(period, n_rows=24 * period, slope=slope)
    found, values, season = adjusted(y, period)
    known = found.is_reached[0, 0]
    torch.testing.assert_close(season[0, 0, -1], ahead, rtol=0, atol=1e-3)
    torch.testing.assert_close(
        values[0, 0, known][2 * period :], rest[known][2 * period :], rtol=0, atol=1e-3
    )
    assert found.share[0, 0, -1] > 0.999


def test_a_season_in_noise_is_found_as_far_as_the_noise_lets_it():
    y, ahead, _ = with_season(12, noise=0.5)
    _, _, season = adjusted(y, 12)
    error = (season[0, 0, -1] - ahead).square().mean()
    assert error < 0.3 * ahead.square().mean()


def test_a_season_that_is_told_though_there_is_none_adds_little():
    y = torch.tensor(np.random.default_rng(0).normal(size=(1, 160, 20)).cumsum(1))
    found, values, season = adjusted(y, 4)
    moves = (y - y.roll(1, 1))[:, 1:].square().mean()
    assert found.share[..., -1].mean() < 0.25
    assert (values - y.transpose(1, 2)).square().mean() < 0.1 * moves
    assert season[:, :, -1].square().mean() < 0.1 * moves


def test_a_season_that_grows_counts_more_than_its_mean_so_far():
    time = np.arange(144)
    season = np.resize(np.random.default_rng(0).normal(size=12), 144) * (1 + time / 36)
    found, *_ = adjusted(torch.tensor(season[None, :, None]), 12)
    assert 1 < found.share[0, 0, -1] <= LARGEST_SHARE


def test_without_a_season_told_nothing_is_taken_off():
    y = gappy_walks(96)
    found, _, season = adjusted(y, 1)
    window = open_window(y, PATCH, torch.float64)
    assert torch.equal(found.values, window.values)
    assert torch.equal(found.counts, window.observed)
    assert not season.any()
    assert not found.share.any()


@pytest.mark.parametrize("period", [4, 7, 12, 52])
def test_an_index_is_there_a_season_and_a_half_after_the_start(period):
    found, *_ = adjusted(seasonal_walks(96), period)
    first = found.is_reached[0, 0].to(torch.int8).argmax()
    assert first == period + period // 2


@pytest.mark.parametrize("period", [1, 4, 7, 12, 52])
def test_later_values_change_nothing_before(period):
    y = seasonal_walks(160)
    (found, *_), (other, *_) = adjusted(y, period), adjusted(changed_later(y, 120), period)
    scale, moved = (open_window(some, PATCH, torch.float64) for some in (y, changed_later(y, 120)))
    for name, until in (("values", 120), ("ahead", 15), ("share", 15), ("counts", 120)):
        mine, its = getattr(found, name)[:, :, :until], getattr(other, name)[:, :, :until]
        if name == "values":
            mine, its = mine * scale.scale + scale.location, its * moved.scale + moved.location
        elif name == "ahead":
            mine, its = mine * scale.scale[..., None], its * moved.scale[..., None]
        close(its, mine, 1e-5)


def test_the_season_ahead_is_the_mean_index_of_its_phase():
    y, *_ = with_season(5, n_rows=80, noise=0.3, slope=0.1)
    found, _, season = adjusted(y, 5)
    x = y[0, :, 0].numpy()
    index = np.full(80, np.nan)
    for s in range(2, 78):
        index[s] = x[s] - x[s - 2 : s + 3].mean()
    half = x[40:].mean() - x[:40].mean()
    slope = half / 40
    for s in (78, 79):
        index[s] = x[s] - x[75:].mean() - slope * (s - 77)
    for ahead in range(1, 12):
        phase = (79 + ahead) % 5
        wanted = index[[s for s in range(80 - 5 * N_SEASONS, 80) if s % 5 == phase]].mean()
        share = found.share[0, 0, -1].item()
        assert season[0, 0, -1, ahead - 1].item() == pytest.approx(share * wanted, abs=1e-9)
