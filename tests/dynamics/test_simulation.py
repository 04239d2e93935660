"""Paths are continued in batches of bounded memory, under errors whose mean is zero."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.dynamics.simulation import WINDOWS_AT_ONCE, draw_errors, simulate_paths
from samovar_forecast.exceptions import DataError
from tests.builders.steps import SIGMA, STEP


def test_paths_in_many_batches_equal_paths_one_by_one(histories):
    shocks = np.random.default_rng(0).normal(size=(WINDOWS_AT_ONCE // 3, 2, 3))
    together = simulate_paths(STEP, histories, shocks)
    alone = simulate_paths(STEP, histories[2:3], shocks[700 % len(shocks)][None])
    np.testing.assert_allclose(together[2, 700 % len(shocks)], alone[0, 0], rtol=1e-12)


def test_drawn_errors_have_mean_zero_exactly_and_come_in_pairs():
    rng = np.random.default_rng(0)
    errors = draw_errors(rng, SIGMA, None, 6, 3)
    assert errors.shape == (6, 3, 3)
    np.testing.assert_allclose(errors[:3], -errors[3:], atol=1e-12)
    drawn = draw_errors(rng, SIGMA, rng.gamma(1.0, size=(40, 3)), 10, 2)
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=1e-12)
    with pytest.raises(DataError, match="residuals do not fit"):
        draw_errors(rng, SIGMA, np.zeros((40, 2)), 10, 2)
