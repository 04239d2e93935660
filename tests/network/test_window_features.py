"""What tokens say: pure numbers of the past, against plain loops where they mix series."""

import math

import numpy as np
import pytest
import torch

from samovar_forecast.network import window_features
from samovar_forecast.network.paths import EXOGENOUS
from samovar_forecast.network.records import BANDS
from samovar_forecast.network.window_features import (
    N_MIXED,
    N_OTHERS,
    N_OWN,
    N_VALUES,
    STEPS_SHOWN,
    features_of_others,
    mix_others,
    own_features,
    soft,
)
from tests.builders.panels import PATCH, changed_later, close, gappy_walks, opened, seasonal_walks


def own(y, season=12, **options):
    found = opened(y, season, **options)
    window, statistics, told, periods, strength, paths, _, record = found
    return own_features(window, statistics, paths, record, told, periods, strength)


def others(y, season=12):
    found = opened(y, season)
    mixes = mix_others(
        found.window, found.statistics, found.window.values.shape[-1] // found.record.shape[2]
    )
    return features_of_others(found.statistics, found.paths, found.record, mixes)


def test_small_numbers_pass_and_large_ones_are_bounded():
    x = torch.linspace(-1e4, 1e4, 20_001, dtype=torch.float64)
    found = soft(x)
    assert (found.diff() > 0).all()
    assert found.abs().max() < 4
    close(soft(-x), -found)
    close(soft(torch.tensor([1e-6])), torch.tensor([1e-6]))


def test_every_series_and_position_has_its_numbers():
    y = gappy_walks(150)
    assert own(y).shape == (1, 4, 19, N_OWN)
    assert others(y).shape == (1, 4, 19, N_OTHERS)
    y[..., 2] = torch.nan
    y[..., 3] = 5.0
    for features in (own(y), others(y)):
        assert torch.isfinite(features).all()
        assert features.abs().max() < 50


def test_features_know_no_level_and_no_scale():
    y = gappy_walks()
    scale = torch.tensor([1e-3, 1.0, 50.0, 1e4])
    moved = y * scale - 300 * scale
    close(own(moved), own(y), 1e-5)
    close(others(moved), others(y), 1e-5)


def test_later_values_change_no_earlier_feature():
    y = seasonal_walks(160)
    changed = changed_later(y, 120)
    close(own(changed)[:, :, :15], own(y)[:, :, :15])
    close(others(changed)[:, :, :15], others(y)[:, :, :15])


def test_the_own_features_know_no_other_series():
    y = seasonal_walks()
    close(own(y)[:, :1], own(y[..., :1]))


def test_the_features_of_the_others_do_not_depend_on_their_order():
    y = seasonal_walks()
    order = [2, 0, 3, 1]
    close(others(y[..., order]), others(y)[:, order], 1e-5)


def recent_by_loops(found, c, position, n_values):
    """Return the last moves, each in the unit of its distance from the last value."""
    x, unit = found.window.values[0, c], found.statistics.unit[0, c, position]
    end, moves = (position + 1) * PATCH, []
    for back in range(n_values - 1, -1, -1):
        step = end - 1 - back
        seen = step >= 0 and found.window.observed[0, c, step] > 0
        moves.append((x[step] - x[end - 1]) / unit[max(back - 1, 0)] if seen else 0.0)
    return torch.tensor(moves, dtype=torch.float64) * found.statistics.is_usable[0, c, position]


def test_a_token_sees_the_last_values_of_its_series():
    y = gappy_walks()
    found, features = opened(y), own(y)
    for c, position in np.ndindex(4, 19):
        wanted = soft(recent_by_loops(found, c, position, N_VALUES))[:-1]
        close(features[0, c, position, : N_VALUES - 1], wanted)


def test_the_last_values_of_the_others_are_mixed_by_their_moments_so_far():
    y = gappy_walks()
    found = opened(y)
    first = len(EXOGENOUS) * (len(STEPS_SHOWN) + 2 * len(BANDS))
    mixed = others(y)[0, ..., first : first + 3 * N_MIXED].unflatten(-1, (3, N_MIXED))
    x, seen = found.window.values[0].numpy(), found.window.observed[0].numpy()
    steps = np.diff(x, axis=1, prepend=x[:, :1])
    steps[:, 1:] *= seen[:, 1:] * seen[:, :-1]
    before = np.pad(steps, ((0, 0), (4, 0)))
    lead = sum(before[:, 4 - lag : before.shape[1] - lag] for lag in (1, 2, 3, 4)) / 4 * 2
    level = (x - x[:, :1]) * seen
    for c, position in np.ndindex(4, 19):
        until = slice(0, (position + 1) * PATCH)
        count = found.statistics.n_observed[0, :, position].clamp(min=1).numpy()
        step = found.statistics.step[0, :, position].numpy()
        size = np.sqrt((level[:, until] ** 2).sum(1) / count).clip(1e-6)
        wanted = np.zeros((3, N_MIXED))
        for other in set(range(4)) - {c}:
            moves = soft(recent_by_loops(found, other, position, N_MIXED)).numpy()
            for kind, (mine, its, unit) in enumerate(
                [(steps, steps, step), (steps, lead, step), (level, level, size)]
            ):
                moment = mine[c, until] @ its[other, until] / count[c]
                wanted[kind] += moment / (unit[c] * unit[other]) * moves / math.sqrt(3)
        usable = found.statistics.is_usable[0, c, position]
        close(mixed[c, position], soft(torch.tensor(wanted)) * usable, 1e-5)


@pytest.mark.parametrize("together", [1, 5, 12])
def test_the_others_of_a_long_window_are_mixed_in_parts(together, monkeypatch):
    y = gappy_walks()
    at_once = others(y)
    monkeypatch.setattr(window_features, "MIXED_AT_ONCE", together)
    close(others(y), at_once, 1e-5)
