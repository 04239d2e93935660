"""Series follow their leaders, factors and graphs as their families promise."""

import numpy as np
import pytest
import torch

from samovar_forecast.pretraining import linked_families
from samovar_forecast.pretraining.draws import Draws, standardize
from samovar_forecast.pretraining.vector_families import (
    autoregressions,
    companion_radius,
    draw_lag_matrices,
)


def test_factors_move_the_series_together():
    found = standardize(linked_families.dynamic_factors(Draws(0), 200, 300, 6))
    power = torch.linalg.eigvalsh(found.mT @ found / 300)
    alone = standardize(autoregressions(Draws(0), 200, 300, 6))
    its_power = torch.linalg.eigvalsh(alone.mT @ alone / 300)
    assert power[:, -1].mean() > 1.2 * its_power[:, -1].mean()


def test_in_a_causal_graph_some_series_hear_others():
    found = standardize(linked_families.causal_graph(Draws(0), 300, 300, 2))
    across = max_lagged_correlation(found[..., 1], found[..., 0], 13)
    assert (across > 0.7).float().mean() > 0.2


def max_lagged_correlation(series, other, n_lags):
    """Return the largest correlation of a series with another one 0, 1, ... steps before."""
    length = series.shape[1] - n_lags
    pairs = [
        (series[:, n_lags:] * other[:, n_lags - lag : n_lags - lag + length]).mean(1)
        for lag in range(n_lags)
    ]
    return torch.stack(pairs).abs().amax(0)


@pytest.mark.parametrize("n_series", [1, 3, 8])
def test_the_macro_model_gives_any_number_of_series_up_to_its_own(n_series):
    found = linked_families.small_macro_model(Draws(0), 20, 100, n_series)
    assert found.shape == (20, 100, n_series)
    torch.testing.assert_close(found.mean(1), torch.zeros(20, n_series), rtol=0, atol=1e-3)
    assert (found.square().mean(1).median() - 1).abs() < 1e-2


def test_the_first_series_foretells_those_that_follow_it():
    """Least squares on the lags of both series leaves little of what the own lags leave."""
    found = standardize(linked_families.leading_var(Draws(0), 100, 400, 2)).double().numpy()
    left = []
    for window in found:
        lags = np.concatenate([window[6 - lag : -lag] for lag in range(1, 7)], axis=1)
        follower = window[6:, 1]
        errors = [
            np.square(follower - seen @ np.linalg.lstsq(seen, follower)[0]).mean()
            for seen in (lags, lags[:, 1::2])
        ]
        left.append(errors[0] / max(errors[1], 1e-12))
    assert np.median(left) < 0.5
    assert np.quantile(left, 0.9) > 0.9  # some follow nobody


def test_no_series_hears_a_later_series():
    wanted = torch.full((20,), 0.9)
    matrices = linked_families.with_leaders(
        Draws(1), draw_lag_matrices(Draws(0), 20, 3, 4, wanted), torch.ones(1, 1, 1, 1)
    )
    assert not matrices.triu(1).any()
    assert matrices.tril(-1).any()
    assert (companion_radius(matrices) < 1).all()
