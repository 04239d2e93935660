"""A process of statsmodels with our coefficients: its own answers, where it has any."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.vector_ar.var_model import VAR, VARProcess

from samovar_forecast.dynamics.origin_process import OriginProcess
from samovar_forecast.exceptions import DataError

COEFS = np.array([[[0.5, 0.1], [-0.2, 0.4]], [[0.2, 0.0], [0.1, -0.3]]])
SIGMA, INTERCEPT = np.array([[1.0, 0.3], [0.3, 2.0]]), np.array([1.0, -1.0])


def process(coefs: np.ndarray = COEFS) -> OriginProcess:
    return OriginProcess(coefs, INTERCEPT, SIGMA, ["a", "b"])


@pytest.mark.parametrize("nlags", [None, 2, 5])
def test_autocovariances_are_those_of_statsmodels(nlags: int | None) -> None:
    plain = VARProcess(COEFS, INTERCEPT[:, None], SIGMA, names=["a", "b"])
    np.testing.assert_allclose(process().acf(nlags), plain.acf(nlags), atol=1e-12)
    np.testing.assert_allclose(process().acf(0), plain.acf(2)[:1], atol=1e-12)


def test_many_lags_need_no_large_matrix() -> None:
    coefs = np.zeros((64, 2, 2))
    coefs[0], coefs[63] = 0.4 * np.eye(2), 0.1 * np.eye(2)
    found = process(coefs).acf(70)
    assert found.shape == (71, 2, 2)
    np.testing.assert_allclose(found[66], coefs[0] @ found[65] + coefs[63] @ found[2])


def test_roots_are_those_of_a_result_of_statsmodels() -> None:
    fitted = VAR(np.random.default_rng(0).normal(size=(80, 2)).cumsum(axis=0)).fit(2)
    own = OriginProcess(fitted.coefs, fitted.intercept, fitted.sigma_u, fitted.names)
    np.testing.assert_allclose(
        np.sort(np.abs(own.roots)), np.sort(np.abs(fitted.roots)), rtol=1e-10
    )
    last = fitted.endog[-2:]
    np.testing.assert_allclose(own.forecast(last, 3), fitted.forecast(last, 3))
    for one, other in zip(
        own.forecast_interval(last, 3), fitted.forecast_interval(last, 3), strict=True
    ):
        assert one.shape == other.shape


def test_what_the_pages_promise_works() -> None:
    own = process()
    assert own.simulate_var(20, rng=np.random.default_rng(0)).shape == (20, 2)
    assert own.ma_rep(3).shape == own.mse(4)[:4].shape == (4, 2, 2)
    assert own.is_stable()
    np.testing.assert_allclose(own.long_run_effects() @ INTERCEPT, own.mean())


def test_a_process_that_is_not_stable_has_no_autocovariances() -> None:
    with pytest.raises(DataError, match="not stable has no autocovariances"):
        process(np.eye(2)[None]).acf(3)
