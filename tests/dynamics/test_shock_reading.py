"""Responses pass through the object as they are computed, and equal those of statsmodels."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from tests.builders.dynamics import dynamic
from tests.builders.members import average_var


def test_responses_of_a_linear_network_equal_statsmodels_and_pass_through_the_object(
    linear: DynamicVAR,
) -> None:
    process = linear.to_statsmodels()
    periods = 8
    assert np.allclose(
        linear.irf(periods, method="iterated").estimate, process.ma_rep(periods), atol=1e-8
    )
    orth = linear.irf(periods, orth=True, origin="2006-01", method="iterated")
    assert np.allclose(orth.estimate, process.orth_ma_rep(periods), atol=1e-7)
    sigma = linear.sigma_u
    general = process.ma_rep(periods) @ sigma / np.sqrt(np.diag(sigma))
    got = linear.girf(periods, n_histories=3, n_draws=4)
    assert np.allclose(got.estimate, general, atol=1e-6)
    assert np.allclose(linear.fevd(5, method="iterated").estimate.sum(axis=-1), 1)
    assert np.allclose(linear.generalized_fevd(5, n_draws=4).estimate.sum(axis=-1), 1)
    spillovers = linear.connectedness(5, origins=linear.origins[-4:], method="iterated", n_draws=4)
    assert np.allclose(spillovers.values, spillovers.values[0], atol=1e-8)


@pytest.mark.parametrize("method", ["direct", pytest.param("iterated", marks=pytest.mark.slow)])
def test_connectedness_carries_bands_of_both_methods(method) -> None:
    average = average_var(n_rows=30)
    origins = list(average.origins[-2:])
    found = average.connectedness(
        2, origins=origins, method=method, bands="bootstrap", n_draws=4, level=0.5
    )
    assert found.draws.shape == (4, 2, 3, 3)
    assert found.draws.min() >= 0
    assert found.draws.max() <= 1
    assert {"lower", "upper"} == set(found.total_band())


def test_with_covariates_every_origin_has_its_own() -> None:
    model = dynamic(covariates=True)
    some = list(model.origins[-3:])
    alone = [model.irf(2, origin=origin, method="iterated").values for origin in some]
    found = model.irf(2, origin=some, method="iterated")
    assert np.allclose(found.values, np.concatenate(alone))
    assert found.origins == tuple(some)
    shares = model.connectedness(2, origins=some, method="iterated", n_draws=2)
    assert shares.values.shape == (3, model.neqs, model.neqs)
    assert model.girf(1, origins=some, n_histories=2, n_draws=2).values.shape[0] == 2
    assert model.fevd(2, origin=some, method="iterated").values.shape[0] == 3
    assert model.generalized_fevd(2, origin=some, n_draws=2).values.shape[0] == 3
    table = model.reliance(some)
    step = model.one_step(model.windows_at([some[0]]), some[0])
    assert np.allclose(step, model.forecast(some[0]).iloc[:1], rtol=1e-5)
    assert np.isfinite(table["mse"]).all()


def test_reliance_reads_gaps_and_short_histories() -> None:
    average = average_var(n_rows=30)
    assert np.isfinite(average.reliance(average.origins[-4:])["loss_increase"]).all()
