"""Bands hold the draws that they are made of, and are as wide as asymptotic bands."""

from __future__ import annotations

import numpy as np
from statsmodels.tsa.api import VAR

from samovar_forecast.dynamics.bands import (
    one_step_residuals,
    residual_block_bootstrap,
    seed_ensemble,
)
from samovar_forecast.dynamics.connectedness import connectedness
from samovar_forecast.dynamics.decompositions import generalized_fevd
from samovar_forecast.dynamics.responses import irf
from samovar_forecast.linear.simulate import simulate_var
from tests.builders.steps import COEFS, INTERCEPT, SIGMA, STEP, linear_step


def test_the_band_of_an_ensemble_holds_its_members_and_its_mean_is_the_estimate(histories):
    steps = [linear_step(COEFS * factor) for factor in (0.8, 0.9, 1.0, 1.1)]
    result = seed_ensemble(lambda step: irf(step, histories[0], 4), steps)
    members = np.stack([irf(step, histories[0], 4).estimate for step in steps])
    np.testing.assert_allclose(result.estimate, members.mean(axis=0))
    lower, upper = result.band(0.9999999)
    np.testing.assert_allclose(lower, members.min(axis=0), atol=1e-6)
    np.testing.assert_allclose(upper, members.max(axis=0), atol=1e-6)
    frame = result.cumulative().to_frame()
    assert (frame["lower"] <= frame["value"] + 1e-12).all()
    assert (frame["value"] <= frame["upper"] + 1e-12).all()


def least_squares(series):
    design = np.column_stack([np.ones(len(series) - 1), series[:-1]])
    solution = np.linalg.lstsq(design, series[1:], rcond=None)[0]
    return linear_step(solution[1:].T[None], solution[0])


def test_bootstrap_bands_are_as_wide_as_statsmodels_asymptotic_ones():
    series = simulate_var(
        COEFS[:1], 400, intercept=INTERCEPT, noise_covariance=SIGMA, random_state=2
    )
    step = least_squares(series)
    result = residual_block_bootstrap(
        lambda step: irf(step, series[-1:], 3),
        step,
        series,
        context_length=1,
        refit=least_squares,
        n_draws=200,
        block_length=1,
        random_state=0,
    )
    lower, upper = result.band(0.9)
    asymptotic = VAR(series).fit(1).irf(3).stderr()[1:]
    ratio = (upper - lower)[1:] / (2 * 1.645 * asymptotic)
    assert 0.85 < np.median(ratio) < 1.15
    np.testing.assert_allclose(result.estimate, irf(step, series[-1:], 3).estimate)


def test_bands_exist_for_every_kind_of_result(histories):
    steps = [linear_step(COEFS * factor, INTERCEPT) for factor in (0.9, 1.0, 1.1)]
    shares = seed_ensemble(
        lambda step: generalized_fevd(step, histories, 3, sigma_u=SIGMA, n_draws=2), steps
    )
    assert {"lower", "upper"} < set(shares.to_frame().columns)
    spill = seed_ensemble(
        lambda step: connectedness(step, histories, 3, sigma_u=SIGMA, n_draws=2), steps
    )
    bounds = spill.total_band(0.9)
    assert ((bounds["lower"] <= spill.total) & (spill.total <= bounds["upper"])).all()


def test_residuals_are_what_the_step_did_not_foresee():
    series = simulate_var(COEFS, 50, random_state=4)
    residuals = one_step_residuals(STEP, series, context_length=5)
    foreseen = INTERCEPT + COEFS[0] @ series[9] + COEFS[1] @ series[8]
    np.testing.assert_allclose(residuals[5], series[10] - foreseen)
    assert residuals.shape == (45, 3)
