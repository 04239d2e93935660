"""Responses, decompositions, connectedness and bands against the closed forms of a linear VAR."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.api import VAR
from statsmodels.tsa.vector_ar.var_model import VARProcess

from samovar_forecast.dynamics.bands import (
    one_step_residuals,
    residual_block_bootstrap,
    seed_ensemble,
)
from samovar_forecast.dynamics.connectedness import connectedness
from samovar_forecast.dynamics.decompositions import fevd, generalized_fevd
from samovar_forecast.dynamics.responses import girf, irf
from samovar_forecast.dynamics.simulation import WINDOWS_AT_ONCE, simulate_paths
from samovar_forecast.exceptions import ConfigurationError, DataError, NotFittedError
from samovar_forecast.linear.simulate import simulate_var

COEFS = np.array(
    [
        [[0.5, 0.2, 0.0], [0.0, 0.4, 0.3], [-0.2, 0.0, 0.3]],
        [[0.1, 0.0, 0.1], [0.2, -0.2, 0.0], [0.0, 0.1, 0.1]],
    ]
)
INTERCEPT = np.array([0.3, -0.1, 2.0])
SIGMA = np.array([[1.0, 0.4, 0.1], [0.4, 2.0, -0.3], [0.1, -0.3, 0.5]])
NAMES = ("output", "prices", "rate")


def linear_step(coefs, intercept=0.0):
    """Conditional mean of a VAR that reads the last lags of longer windows."""

    def step(windows):
        lags = windows[:, ::-1][:, : len(coefs)]  # newest first
        return intercept + np.einsum("prc,bpc->br", coefs, lags)

    return step


def threshold_step(windows):
    """A response that is strong after a rise, weak after a fall, and none in a calm state."""
    x, z = windows[:, -1, 0], windows[:, -1, 1]
    return np.stack(
        [0.5 * np.where(x > 0, x, 0.2 * x), 0.8 * np.abs(windows[:, -2, 0]) * z], axis=1
    )


@pytest.fixture(scope="module")
def histories():
    return np.random.default_rng(3).normal(size=(4, 6, 3)) * [1.0, 10.0, 0.1] + [5.0, -3.0, 0.0]


@pytest.fixture(scope="module")
def fitted():
    """A VAR that statsmodels fitted, and its conditional mean as a step."""
    results = VAR(
        simulate_var(COEFS, 300, intercept=INTERCEPT, noise_covariance=SIGMA, random_state=1)
    ).fit(2)
    return results, linear_step(results.coefs, results.intercept)


STEP = linear_step(COEFS, INTERCEPT)


# ------------------------------------------------------------------------------------------- irf


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
    one, fall = irf(STEP, histories[0], 5), irf(STEP, histories[0], 5, size=-3.0)
    np.testing.assert_allclose(fall.values, -3 * one.values, atol=1e-12)


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


def test_paths_in_many_batches_equal_paths_one_by_one(histories):
    shocks = np.random.default_rng(0).normal(size=(WINDOWS_AT_ONCE // 3, 2, 3))
    together = simulate_paths(STEP, histories, shocks)
    alone = simulate_paths(STEP, histories[2:3], shocks[700 % len(shocks)][None])
    np.testing.assert_allclose(together[2, 700 % len(shocks)], alone[0, 0], rtol=1e-12)


# ------------------------------------------------------------------------------------------ girf


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


# ------------------------------------------------------------------------------- decompositions


def test_the_orthogonal_decomposition_equals_statsmodels(fitted, histories):
    results, step = fitted
    ours = fevd(step, histories, 10, sigma_u=results.sigma_u)
    np.testing.assert_allclose(ours.decomp, results.fevd(10).decomp, atol=1e-8)


def pesaran_shin_shares(coefs, sigma, horizon):
    """Closed form, each row divided by its sum."""
    ma = VARProcess(coefs, np.zeros((len(sigma), 1)), sigma).ma_rep(horizon - 1)
    squares = ((ma @ sigma) ** 2 / np.diag(sigma)).sum(axis=0)
    variances = sum(np.diag(phi @ sigma @ phi.T) for phi in ma)
    shares = squares / variances[:, None]
    return shares / shares.sum(axis=1, keepdims=True)


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


# -------------------------------------------------------------------------------- connectedness


def test_connectedness_of_a_linear_step_equals_the_closed_form_at_every_origin(histories):
    found = connectedness(STEP, histories, 10, sigma_u=SIGMA, names=NAMES, random_state=0)
    shares = 100 * pesaran_shin_shares(COEFS, SIGMA, 10)
    others = shares - np.diag(np.diag(shares))
    np.testing.assert_allclose(found.total, others.sum() / 3, atol=1e-5)
    np.testing.assert_allclose(found.from_others.loc[2], others.sum(axis=1), atol=1e-5)
    np.testing.assert_allclose(found.to_others.loc[2], others.sum(axis=0), atol=1e-5)
    pair = found.pairwise().query("origin == 0 and giver == 'output' and receiver == 'rate'")
    np.testing.assert_allclose(pair["spillover"], shares[2, 0], atol=1e-5)
    np.testing.assert_allclose(pair["net"], shares[2, 0] - shares[0, 2], atol=1e-5)


def test_what_is_given_is_received(histories):
    found = connectedness(threshold_step, histories[..., :2], 5, sigma_u=SIGMA[:2, :2])
    np.testing.assert_allclose(found.net.sum(axis=1), 0.0, atol=1e-10)
    np.testing.assert_allclose(found.from_others.mean(axis=1), found.total)
    table = found.table()
    np.testing.assert_allclose(table.loc["to others", "from others"], found.total.mean())
    assert list(found.to_frame()["net"]) == list(found.net.to_numpy().ravel())


def test_connectedness_moves_with_the_state():
    calm, wild = np.zeros((3, 2)), np.full((3, 2), 4.0)
    sigma = np.array([[1.0, 0.0], [0.0, 1.0]])

    def spreads_when_wild(windows):
        load = np.where(np.abs(windows[:, -3, 0]) > 2, 0.9, 0.0)
        return np.stack([0 * load, load * windows[:, -1, 0]], axis=1)

    total = connectedness(
        spreads_when_wild, np.stack([calm, wild]), 2, sigma_u=sigma, origins=["calm", "wild"]
    ).total
    assert total["calm"] == 0.0
    np.testing.assert_allclose(total["wild"], 50 * 0.81 / 1.81)


# ----------------------------------------------------------------------------------------- bands


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
        lambda one: irf(one, series[-1:], 3),
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


# ---------------------------------------------------------------------------------------- errors


def test_what_cannot_be_answered_is_refused_with_the_reason(histories):
    with pytest.raises(ConfigurationError, match="orthogonal shocks need the covariance"):
        irf(STEP, histories, orth=True)
    with pytest.raises(DataError, match="not positive definite"):
        girf(STEP, histories, sigma_u=np.ones((3, 3)))
    with pytest.raises(DataError, match="sigma_u does not fit"):
        girf(STEP, histories, sigma_u=np.eye(2))
    with pytest.raises(ConfigurationError, match="even number"):
        girf(STEP, histories, sigma_u=SIGMA, n_draws=7)
    with pytest.raises(ConfigurationError, match="periods must be at least 1"):
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
