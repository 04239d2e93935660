"""Responses against the closed forms of a linear VAR, and of maps that are not linear."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.vector_ar.var_model import VARProcess

from samovar_forecast.dynamics.bands import one_step_residuals
from samovar_forecast.dynamics.decompositions import fevd
from samovar_forecast.dynamics.responses import girf, irf
from samovar_forecast.exceptions import ConfigurationError, DataError, NotFittedError
from tests.builders.steps import COEFS, INTERCEPT, NAMES, SIGMA, STEP, linear_step, threshold_step


@pytest.mark.parametrize("orth", [False, True])
def test_responses_of_a_linear_step_equal_statsmodels(fitted, histories, orth):
    results, step = fitted
    ours = irf(step, histories, 12, sigma_u=results.sigma_u, orth=orth)
    theirs = results.irf(12)
    expected = theirs.orth_irfs if orth else theirs.irfs
    np.testing.assert_allclose(ours.values, np.broadcast_to(expected, (4, 13, 3, 3)), atol=1e-8)
    cumulative = theirs.orth_cum_effects if orth else theirs.cum_effects
    np.testing.assert_allclose(ours.cumulative().estimate, cumulative, atol=1e-8)


def test_a_linear_response_scales_with_the_shock_and_turns_with_its_sign(histories):
    rise, fall = irf(STEP, histories[0], 5), irf(STEP, histories[0], 5, size=-3.0)
    np.testing.assert_allclose(fall.values, -3 * rise.values, atol=1e-12)


def test_a_response_in_period_zero_is_the_shock_itself(histories):
    responses = irf(threshold_step, histories[..., :2], 3, size=0.7)
    np.testing.assert_allclose(responses.values[:, 0], np.tile(0.7 * np.eye(2), (4, 1, 1)))


def test_the_frame_names_who_moves_whom_and_when():
    history = np.zeros((2, 3))
    frame = irf(STEP, history, 2, names=NAMES).to_frame()
    assert list(frame.columns) == ["impulse", "response", "period", "value"]
    row = frame.query("impulse == 'prices' and response == 'output' and period == 1")
    np.testing.assert_allclose(row["value"], COEFS[0, 0, 1])
    assert list(frame["period"][:3]) == [0, 1, 2]
    assert len(frame) == 3 * 3 * 3


def test_responses_by_origin_carry_the_dates_of_the_origins(histories):
    dates = pd.period_range("2001Q1", periods=4, freq="Q")
    frame = irf(STEP, histories, 1, origins=dates, names=NAMES).by_origin()
    assert list(frame["origin"].unique()) == list(dates)
    means = frame.groupby(["period", "response", "impulse"])["value"].mean()
    np.testing.assert_allclose(means[1, "rate", "output"], COEFS[0, 2, 0])


@pytest.mark.parametrize("n_draws", [2, 20])
@pytest.mark.parametrize("size", [1.0, -2.5])
def test_generalised_responses_of_a_linear_step_equal_pesaran_and_shin(histories, n_draws, size):
    ours = girf(STEP, histories, 8, sigma_u=SIGMA, n_draws=n_draws, size=size, random_state=0)
    ma = VARProcess(COEFS, INTERCEPT[:, None], SIGMA).ma_rep(8)
    expected = size * ma @ SIGMA / np.sqrt(np.diag(SIGMA))
    np.testing.assert_allclose(ours.values, np.broadcast_to(expected, (4, 9, 3, 3)), atol=1e-6)


def test_generalised_responses_stay_exact_when_skewed_residuals_are_drawn(histories):
    residuals = np.random.default_rng(5).gamma(1.0, size=(80, 3))
    ours = girf(STEP, histories, 4, sigma_u=SIGMA, residuals=residuals, n_draws=10, random_state=0)
    expected = VARProcess(COEFS, INTERCEPT[:, None], SIGMA).ma_rep(4) @ SIGMA
    np.testing.assert_allclose(ours.values[1], expected / np.sqrt(np.diag(SIGMA)), atol=1e-6)


def test_generalised_responses_do_not_depend_on_the_order_of_the_series(histories):
    turn = [2, 0, 1]
    turned = linear_step(COEFS[:, turn][:, :, turn], INTERCEPT[turn])
    ours = girf(turned, histories[..., turn], 3, sigma_u=SIGMA[turn][:, turn], n_draws=4)
    same = girf(STEP, histories, 3, sigma_u=SIGMA, n_draws=4).values[:, :, turn][..., turn]
    np.testing.assert_allclose(ours.values, same, atol=1e-10)


def test_a_rise_and_a_fall_of_an_asymmetric_step_do_not_mirror_each_other():
    history = np.zeros((1, 3, 2))
    rise, fall = (
        girf(threshold_step, history, 2, sigma_u=np.eye(2), size=size, n_draws=2000, random_state=1)
        for size in (2.0, -2.0)
    )
    # E[f(2)] - E[f(u)] and E[f(-2)] - E[f(u)], with E[f(u)] = 0.4 E[max(u, 0)] = 0.4 * 0.3989
    mean = 0.4 * np.sqrt(0.5 / np.pi)
    np.testing.assert_allclose(rise.values[0, 1, 0, 0], 1.0 - mean, atol=0.02)
    np.testing.assert_allclose(fall.values[0, 1, 0, 0], -0.2 - mean, atol=0.02)


def test_the_response_of_a_state_dependent_step_depends_on_the_history():
    calm, wild = np.zeros((3, 2)), np.array([[0.0, 0.0], [0.0, 0.0], [3.0, 0.0]])
    responses = girf(threshold_step, np.stack([calm, wild]), 1, sigma_u=np.eye(2), n_draws=2)
    np.testing.assert_allclose(responses.values[:, 1, 1, 1], [0.0, 0.8 * 3.0], atol=1e-12)


def test_histories_are_drawn_at_random_when_asked_and_keep_their_labels(histories):
    responses = girf(
        STEP, histories, 1, sigma_u=SIGMA, n_histories=50, n_draws=2, random_state=0, origins="abcd"
    )
    assert responses.values.shape[0] == len(responses.origins) == 50
    assert set(responses.origins) == set("abcd")


def test_what_cannot_be_answered_is_refused_with_the_reason(histories):
    with pytest.raises(ConfigurationError, match="orthogonal shocks need the covariance"):
        irf(STEP, histories, orth=True)
    with pytest.raises(DataError, match="not positive definite"):
        girf(STEP, histories, sigma_u=np.ones((3, 3)))
    repeated = np.diag([1e-4, 1.0, 0.0])
    repeated[:, 2] = repeated[2] = 0.1 * repeated[0]
    repeated[2, 2] = 0.01 * repeated[0, 0] * (1 + 1e-15)  # rounding makes it positive, or not
    with pytest.raises(DataError, match=r"of its correlations.*no series that repeats another"):
        irf(STEP, histories, orth=True, sigma_u=repeated)
    with pytest.raises(DataError, match="sigma_u does not fit"):
        girf(STEP, histories, sigma_u=np.eye(2))
    with pytest.raises(ConfigurationError, match="even number"):
        girf(STEP, histories, sigma_u=SIGMA, n_draws=7)
    with pytest.raises(ConfigurationError, match="an integer of at least 1"):
        fevd(STEP, histories, 0, sigma_u=SIGMA)
    with pytest.raises(DataError, match=r"another shape; found: \(16, 2\); wanted: \(16, 3\)"):
        irf(lambda windows: windows[:, -1, :2], histories, 1)
    with pytest.raises(DataError, match="names do not fit"):
        irf(STEP, histories, names=["a", "b"])
    with pytest.raises(DataError, match="not finite"):
        irf(STEP, np.full((4, 3), np.nan))
    with pytest.raises(NotFittedError, match="no draws"):
        irf(STEP, histories).band()
    with pytest.raises(DataError, match="shorter than one window"):
        one_step_residuals(STEP, histories[0], 6)
