"""The movements are what they say, and a contestant that knows the truth makes no error."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.moving_coefficients import (
    CALM,
    MOVEMENTS,
    STEPS,
    TIED,
    Process,
    correlation,
    least_squares,
    of_matrices,
    simulate,
)
from samovar_forecast.linear.simulate import largest_root


@pytest.mark.parametrize("movement", list(MOVEMENTS))
def test_a_row_is_moved_by_the_matrix_of_the_row_before(movement):
    process = Process(movement)
    y, matrices = simulate(process, 0)
    errors = y[1:] - np.einsum("tij,tj->ti", matrices[:-1], y[:-1])
    size = errors.std(axis=0)
    assert (size > 0.8).all()
    assert (size < 2.5).all()
    if movement not in ("volatility",):
        assert np.abs(matrices.std(axis=0)).max() > 0.1
    assert np.array_equal(simulate(process, 0)[0], y)


def test_the_matrices_between_which_processes_move_are_stable():
    for matrix in (CALM, TIED):
        assert largest_root(matrix[None]) < 0.95


def test_responses_of_a_var_are_its_powers_and_least_squares_finds_its_matrix():
    coefs, responses = of_matrices([TIED[None]] * 4)
    assert np.array_equal(coefs[0, 0], TIED)
    for number, step in enumerate(STEPS):
        assert np.allclose(responses[0, number], np.linalg.matrix_power(TIED, step))
    y = np.zeros((40, 3))
    y[0] = [1.0, -2.0, 3.0]
    for t in range(1, 40):
        y[t] = TIED @ y[t - 1] + 0.5
    assert np.allclose(least_squares(y)[0], TIED, atol=1e-6)


def test_six_series_are_two_processes_side_by_side_and_long_ones_have_no_more_origins():
    process = Process("threshold", 60, 6)
    matrices = simulate(process, 0)[1]
    assert np.all(matrices[:, :3, 3:] == 0)
    assert (matrices[:, :3, :3] != matrices[:, 3:, 3:]).any()
    for n_rows in (200, 500, 1500):
        origins = Process("drift", n_rows).origins
        assert 15 <= len(origins) <= 18
        assert origins[-1] < n_rows - 1


def test_a_contestant_that_moves_with_the_truth_has_correlation_one():
    truth = np.random.default_rng(0).normal(size=(9, 2, 2))
    assert np.isclose(correlation(3 * truth + 1, truth), 1)
    assert np.isclose(correlation(-truth, truth), -1)
    assert np.isnan(correlation(truth, np.full((9, 2, 2), 0.4)))
