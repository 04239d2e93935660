from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from statsmodels.tsa.vector_ar.util import comp_matrix
from statsmodels.tsa.vector_ar.var_model import VARProcess

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.linear.simulate import largest_root, simulate_var

COEFS = np.array(
    [
        [[0.5, 0.1, 0.0], [-0.3, 0.4, 0.2], [0.0, 0.0, 0.6]],
        [[-0.2, 0.0, 0.1], [0.0, 0.1, 0.0], [0.2, 0.0, -0.1]],
    ]
)
INTERCEPT = np.array([1.0, -2.0, 0.5])
COVARIANCE = np.array([[1.0, 0.3, 0.0], [0.3, 2.0, -0.4], [0.0, -0.4, 0.5]])


def test_mean_and_autocovariances_are_those_of_the_process_in_statsmodels():
    process = VARProcess(COEFS, None, COVARIANCE)
    mean = np.linalg.solve(np.eye(3) - COEFS.sum(axis=0), INTERCEPT)
    series = simulate_var(
        COEFS, 40_000, intercept=INTERCEPT, noise_covariance=COVARIANCE, random_state=0
    )
    assert_allclose(series.mean(axis=0), mean, atol=0.05)
    expected = process.acf(3)
    centred = series - series.mean(axis=0)
    for lag in range(4):
        found = centred[lag:].T @ centred[: len(series) - lag] / len(series)
        assert_allclose(found, expected[lag], atol=0.08)


def test_the_noise_is_what_the_lag_matrices_leave_over():
    series = simulate_var(COEFS, 20_000, noise_covariance=COVARIANCE, random_state=1)
    noise = series[2:] - series[1:-1] @ COEFS[0].T - series[:-2] @ COEFS[1].T
    assert_allclose(np.cov(noise.T), COVARIANCE, atol=0.06)
    assert_allclose(noise[1:].T @ noise[:-1] / len(noise), 0.0, atol=0.05)


def test_the_same_seed_gives_the_same_series_and_leaves_numpy_s_global_state_alone():
    before = np.random.get_state()[1].copy()
    first, second = (simulate_var(COEFS, 50, random_state=7) for _ in range(2))
    assert_array_equal(first, second)
    assert_array_equal(before, np.random.get_state()[1])
    assert not np.array_equal(first, simulate_var(COEFS, 50, random_state=8))


def test_the_largest_root_is_that_of_statsmodels_companion_matrix():
    roots = np.linalg.eigvals(comp_matrix(COEFS))
    assert largest_root(COEFS) == pytest.approx(np.abs(roots).max())
    assert largest_root([[[1.0]]]) == 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"coefs": [[0.5, 0.1], [0.0, 0.5]]}, r"shape \(2, 2\).*order, n_series"),
        ({"coefs": [[[1.2]]]}, r"explodes.*1\.2000"),
        ({"coefs": COEFS, "intercept": [1.0]}, r"intercept does not fit.*\(1,\).*\(3,\)"),
        ({"coefs": [[[0.5]]], "noise_covariance": [[-1.0]]}, r"noise_covariance is no covariance"),
        (
            {"coefs": np.zeros((1, 2, 2)), "noise_covariance": [[1.0, 0.5], [0.0, 1.0]]},
            r"noise_covariance is no covariance",
        ),
    ],
)
def test_matrices_that_make_no_process_are_refused(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        simulate_var(n_obs=10, **arguments)
