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


def test_autoregressions_remember():
    found = standardize(vector_families.autoregressions(Draws(0), 400, 400, 1))
    near = (found[:, 1:] * found[:, :-1]).mean((1, 2))
    assert near.quantile(0.9) > 0.8
    assert near.quantile(0.1) < 0.2


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
