"""Variance decompositions against statsmodels and against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.dynamics.decompositions import fevd, generalized_fevd
from tests.builders.steps import COEFS, NAMES, SIGMA, STEP, pesaran_shin_shares, threshold_step


def test_the_orthogonal_decomposition_equals_statsmodels(fitted, histories):
    results, step = fitted
    ours = fevd(step, histories, 10, sigma_u=results.sigma_u)
    np.testing.assert_allclose(ours.decomp, results.fevd(10).decomp, atol=1e-8)


def test_the_generalised_decomposition_of_a_linear_step_equals_the_closed_form(histories):
    ours = generalized_fevd(STEP, histories, 10, sigma_u=SIGMA, n_draws=4, random_state=0)
    for horizon in (1, 2, 10):
        expected = pesaran_shin_shares(COEFS, SIGMA, horizon)
        found = ours.values[:, horizon - 1]
        np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), atol=1e-6)


@pytest.mark.parametrize("decompose", [fevd, generalized_fevd])
def test_shares_of_a_nonlinear_step_sum_to_one_at_every_origin(decompose, histories):
    shares = decompose(threshold_step, histories[..., :2], 6, sigma_u=SIGMA[:2, :2]).values
    np.testing.assert_allclose(shares.sum(axis=-1), 1.0, atol=1e-12)
    assert (shares >= 0).all()


def test_the_frame_of_a_decomposition_counts_horizons_from_one(histories):
    frame = fevd(STEP, histories, 3, sigma_u=SIGMA, names=NAMES).to_frame()
    assert list(frame.columns) == ["response", "horizon", "impulse", "share"]
    np.testing.assert_allclose(frame.groupby(["response", "horizon"])["share"].sum(), 1.0)
    first = frame.query("response == 'output' and horizon == 1 and impulse == 'output'")
    np.testing.assert_allclose(first["share"], 1.0)  # first in the order
