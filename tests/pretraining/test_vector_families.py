"""Vector processes follow their matrices, and move together as they promise."""

import numpy as np
import pytest
import torch
from statsmodels.tsa.arima_process import ArmaProcess

from samovar_forecast.linear.simulate import largest_root
from samovar_forecast.pretraining import vector_families
from samovar_forecast.pretraining.draws import Draws, standardize
from samovar_forecast.pretraining.vector_families import (
    coefs_of_partial,
    companion_radius,
    draw_lag_matrices,
    run_var,
)


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


@pytest.mark.parametrize("order", [1, 3])
def test_a_path_is_that_of_the_recursion_with_matrices_that_may_move(order):
    wanted = torch.full((2,), 0.9)
    first, second = (draw_lag_matrices(Draws(seed), 2, order, 3, wanted) for seed in (0, 1))
    e, mix = Draws(2).normal(2, 25, 3), Draws(3).uniform(0.0, 1.0, 2, 25)
    found = run_var(first, e, second, mix)
    for b in range(2):
        path = [np.zeros(3)] * order
        for t in range(25):
            share = float(mix[b, t])
            matrices = (1 - share) * first[b].double() + share * second[b].double()
            now = sum(matrices[lag].numpy() @ path[-1 - lag] for lag in range(order))
            path.append(now + e[b, t].double().numpy())
        np.testing.assert_allclose(found[b], path[order:], rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(run_var(first, e, second, torch.zeros(2, 25)), run_var(first, e))


def test_an_explosive_path_stays_finite():
    matrices = 3 * torch.eye(2).expand(1, 1, 2, 2)
    assert torch.isfinite(run_var(matrices, torch.ones(1, 200, 2))).all()


def growth(series):
    """Return the log of the mean square of the second half over that of the first; medians."""
    half = series.shape[1] // 2
    first, second = series[:, :half], series[:, half:]
    return (second.square().mean((1, 2)) / first.square().mean((1, 2))).log().median()


def test_a_stable_var_keeps_its_size_and_its_sums_wander_off():
    assert vector_families.stable_var(Draws(0), 200, 400, 2).abs().max() < 1e3
    assert abs(growth(vector_families.stable_var(Draws(0), 200, 400, 2))) < 0.2
    assert growth(vector_families.integrated_var(Draws(0), 200, 400, 2)) > 0.7


def test_cointegrated_series_share_fewer_trends_than_there_are_series():
    found = standardize(vector_families.cointegrated_var(Draws(0), 200, 400, 4))
    power = torch.linalg.eigvalsh(found.mT @ found / 400)  # increasing
    shared = power[:, 2:].sum(1) / power.sum(1)
    independent = standardize(vector_families.integrated_var(Draws(0), 200, 400, 1))
    independent = independent.reshape(50, 4, 400)
    alone = torch.linalg.eigvalsh(independent @ independent.mT / 400)
    assert shared.median() > (alone[:, 2:].sum(1) / alone.sum(1)).median()


def test_factors_move_the_series_together():
    found = standardize(vector_families.dynamic_factors(Draws(0), 200, 300, 6))
    power = torch.linalg.eigvalsh(found.mT @ found / 300)
    alone = standardize(vector_families.autoregressions(Draws(0), 200, 300, 6))
    its_power = torch.linalg.eigvalsh(alone.mT @ alone / 300)
    assert power[:, -1].mean() > 1.2 * its_power[:, -1].mean()


def test_autoregressions_remember():
    found = standardize(vector_families.autoregressions(Draws(0), 400, 400, 1))
    near = (found[:, 1:] * found[:, :-1]).mean((1, 2))
    assert near.quantile(0.9) > 0.8
    assert near.quantile(0.1) < 0.2


def test_in_a_causal_graph_some_series_hear_others():
    found = standardize(vector_families.causal_graph(Draws(0), 300, 300, 2))
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
    found = vector_families.small_macro_model(Draws(0), 20, 100, n_series)
    assert found.shape == (20, 100, n_series)
    torch.testing.assert_close(found.mean(1), torch.zeros(20, n_series), rtol=0, atol=1e-3)
    assert (found.square().mean(1).median() - 1).abs() < 1e-2


def test_the_first_series_foretells_those_that_follow_it():
    """Least squares on the lags of both series leaves little of what the own lags leave."""
    found = standardize(vector_families.leading_var(Draws(0), 100, 400, 2)).double().numpy()
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
    matrices = vector_families.with_leaders(
        Draws(1), draw_lag_matrices(Draws(0), 20, 3, 4, wanted), torch.ones(1, 1, 1, 1)
    )
    assert not matrices.triu(1).any()
    assert matrices.tril(-1).any()
    assert (companion_radius(matrices) < 1).all()


@pytest.mark.parametrize("order", [1, 2, 4])
def test_coefficients_have_the_partial_autocorrelations_asked_for(order):
    partial = Draws(0).uniform(-0.9, 0.9, 3, order, 2)
    coefs = coefs_of_partial(partial).double().numpy()
    for b, c in np.ndindex(3, 2):
        expected = partial[b, :, c].numpy()
        process = ArmaProcess(np.r_[1, -coefs[b, :, c]], [1])
        assert process.isstationary
        np.testing.assert_allclose(process.pacf(order + 1)[1:], expected, atol=1e-4)


def test_the_series_of_a_panel_have_nearly_the_same_dynamics():
    """First autocorrelations of steps differ less inside of windows than between windows."""
    found = vector_families.panel_autoregressions(Draws(0), 100, 600, 4).diff(dim=1)
    found = standardize(found)
    first = (found[:, 1:] * found[:, :-1]).mean(1)  # windows, series
    assert first.std(1).median() < 0.4 * first.mean(1).std()
