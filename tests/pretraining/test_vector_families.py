import numpy as np
import pytest
import torch

from samovar_forecast.linear.simulate import largest_root
from samovar_forecast.pretraining.draws import Draws
from samovar_forecast.pretraining.vector_families import (
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
