"""Random numbers of the simulated world: seeded, and of the law asked for."""

import numpy as np
import pytest
import torch

from samovar_forecast.pretraining.draws import Draws, filtered, smooth_curves, standardize


def test_a_filter_is_a_causal_convolution():
    series, kernel = Draws(0).normal(1, 30, 1), Draws(1).normal(1, 5)
    wanted = np.convolve(series[0, :, 0], kernel[0])[:30]
    np.testing.assert_allclose(filtered(series, kernel)[0, :, 0], wanted, atol=1e-5)


def test_smooth_curves_are_smooth_and_of_the_size_of_one():
    curves = smooth_curves(Draws(0), 400, 300, 1)
    assert 0.8 < curves.square().mean() < 1.2
    assert curves.diff(dim=1).square().mean((1, 2)).median() < 0.05


def test_the_same_seed_draws_the_same_numbers_and_another_one_does_not():
    first, same, other = (Draws(seed).normal(3, 4) for seed in (5, 5, 6))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_draws_leave_the_global_random_state_alone():
    before = torch.get_rng_state()
    draws = Draws(0)
    draws.normal(3), draws.one_of([1, 2], [0.5, 0.5], 3), draws.gamma(torch.ones(3))
    draws.poisson(torch.ones(3)), smooth_curves(draws, 2, 10, 1)
    assert torch.equal(torch.get_rng_state(), before)


def test_numbers_lie_where_they_are_asked_for_and_have_the_moments_of_their_law():
    draws, n = Draws(0), 20_000
    uniform = draws.uniform(-2.0, 4.0, n)
    assert uniform.min() >= -2
    assert uniform.max() < 4
    assert uniform.mean() == pytest.approx(1.0, abs=0.05)
    logs = draws.log_uniform(0.01, 100.0, n).log10()
    assert logs.min() >= -2.001
    assert logs.max() <= 2.001
    assert logs.mean() == pytest.approx(0.0, abs=0.05)
    assert set(draws.integers(2, 5, n).tolist()) == {2, 3, 4, 5}
    assert draws.chance(0.3, n).mean() == pytest.approx(0.3, abs=0.02)
    by_row = draws.chance(torch.tensor([[0.0], [1.0]]), 2, n)
    assert by_row.mean(1).tolist() == [0, 1]
    chosen = draws.one_of([7, 9], [0.2, 0.8], n)
    assert (chosen == 9).float().mean() == pytest.approx(0.8, abs=0.02)
    assert draws.gamma(torch.full((n,), 3.0)).mean() == pytest.approx(3.0, abs=0.05)
    assert draws.poisson(torch.full((n,), 4.0)).var() == pytest.approx(4.0, abs=0.2)


def test_standardized_series_have_mean_0_and_deviation_1_unless_they_are_constant():
    series = torch.stack([5 + 1e3 * Draws(0).normal(3, 200), torch.full((3, 200), 7.0)], -1)
    found = standardize(series)
    torch.testing.assert_close(found.mean(1), torch.zeros(3, 2), rtol=0, atol=1e-5)
    torch.testing.assert_close(found[..., 0].square().mean(1), torch.ones(3))
    assert not found[..., 1].any()


def test_each_series_may_have_a_filter_of_its_own():
    series, kernels = Draws(0).normal(2, 30, 3), Draws(1).normal(2, 5, 3)
    found = filtered(series, kernels)
    for b, c in np.ndindex(2, 3):
        wanted = np.convolve(series[b, :, c], kernels[b, :, c])[:30]
        np.testing.assert_allclose(found[b, :, c], wanted, atol=1e-5)
