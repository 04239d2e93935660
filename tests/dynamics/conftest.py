"""What the tests of the dynamics share."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.api import VAR

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.linear.simulate import simulate_var
from tests.builders.linear_network import linear_dynamic
from tests.builders.steps import COEFS, INTERCEPT, SIGMA, linear_step


@pytest.fixture(scope="module")
def linear() -> DynamicVAR:
    """Return a network that is a known linear VAR, on monthly data."""
    return linear_dynamic()


@pytest.fixture(scope="module")
def histories():
    """Return windows that responses start from."""
    return np.random.default_rng(3).normal(size=(4, 6, 3)) * [1.0, 10.0, 0.1] + [5.0, -3.0, 0.0]


@pytest.fixture(scope="module")
def fitted():
    """Return a VAR that statsmodels fitted, and its conditional mean as a step."""
    results = VAR(
        simulate_var(COEFS, 300, intercept=INTERCEPT, noise_covariance=SIGMA, random_state=1)
    ).fit(2)
    return results, linear_step(results.coefs, results.intercept)
