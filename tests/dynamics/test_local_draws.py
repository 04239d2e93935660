"""Draws of the process at an origin: VARs on the recent rows, whatever the forecast says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.dynamics.dynamic_var import DynamicVAR
from samovar_forecast.dynamics.local_draws import (
    FADING,
    LocalDraws,
    choose_order,
    draw_vars,
    fading_of,
    fit_vars,
    held,
    steps_ahead,
)
from samovar_forecast.exceptions import DataError
from samovar_forecast.linear.linear_map import iterate
from samovar_forecast.linear.simulate import largest_root, simulate_var
from tests.builders.members import (
    average_var,
    covariate_effect,
    linear_forecast,
    linear_var,
    seasonal_frame,
)

PAIR = np.array([[[0.5, 0.25], [-0.2, 0.4]]])
TWO_LAGS = np.array([[[0.5, 0.2], [0.0, 0.4]], [[0.2, 0.0], [0.2, -0.3]]])


@pytest.fixture(scope="module")
def average() -> DynamicVAR:
    return average_var(n_rows=60)


def test_without_fading_the_fit_is_that_of_least_squares_but_for_the_penalty() -> None:
    y = simulate_var(TWO_LAGS, 2000, random_state=0)
    fit = fit_vars(np.stack([y, y]), 2, 1.0)
    design = np.column_stack([np.ones(1998), y[1:-1], y[:-2]])
    slopes = np.linalg.lstsq(design, y[2:], rcond=None)[0]
    assert np.allclose(fit.coefs[0].transpose(0, 2, 1).reshape(4, 2), slopes[1:], atol=1e-3)
    assert np.allclose(fit.intercept[1], slopes[0], atol=1e-3)
    assert fit.errors.shape == (2, 1998, 2)


def test_a_fit_that_fades_follows_a_switch() -> None:
    before, after = (
        simulate_var(-PAIR, 300, random_state=1),
        simulate_var(PAIR, 300, random_state=2),
    )
    fit = fit_vars(np.concatenate([before, after]), 1, 0.98)
    assert np.abs(fit.coefs - PAIR).max() < 0.25


def test_the_order_of_the_process_is_chosen_from_many_rows() -> None:
    assert choose_order(simulate_var(PAIR, 800, random_state=0)) == 1
    assert choose_order(simulate_var(TWO_LAGS, 800, random_state=0)) == 2
    assert choose_order(simulate_var(TWO_LAGS, 22, random_state=0)) == 1


def test_weights_fade_slower_where_there_is_more_to_estimate() -> None:
    assert fading_of(3) == FADING
    assert fading_of(41) == 1 - 1 / 205


def test_draws_lie_around_the_fit_and_hold_the_truth_of_most_histories() -> None:
    inside = []
    for seed in range(40):
        y = simulate_var(PAIR, 120, random_state=seed)
        coefs, covariances = draw_vars(y, 1, 0.96, 59, np.random.default_rng(seed))
        low, high = np.quantile(coefs, [0.05, 0.95], axis=0, method="weibull")
        inside.append(((low <= PAIR) & (high >= PAIR)).mean())
        assert np.linalg.eigvalsh(covariances).min() > 0
    assert 0.8 < np.mean(inside) <= 0.97
    assert np.abs(coefs.mean(axis=0) - fit_vars(y, 1, 0.96).coefs).max() < 0.15


def test_roots_are_held_and_those_below_are_left_alone() -> None:
    both = held(np.stack([TWO_LAGS, 3 * TWO_LAGS]), 0.97)
    assert np.allclose(both[0], TWO_LAGS)
    assert np.isclose(largest_root(both[1]), 0.97)


def test_later_steps_are_those_of_the_iterated_var() -> None:
    lags, _ = iterate(TWO_LAGS, np.zeros(2), 4)
    assert np.allclose(steps_ahead(TWO_LAGS, 4).swapaxes(1, 2), lags)


def test_every_answer_has_local_bands_by_the_same_draws(average) -> None:
    drawn = {"bands": "local", "n_draws": 5, "level": 0.6}
    origins = list(average.origins[-2:])
    responses = average.irf(3, **drawn)
    assert responses.draws.shape == (5, 4, 3, 3)
    assert np.array_equal(responses.values, average.irf(3).values)
    assert np.array_equal(responses.draws, average.irf(3, **drawn).draws)
    firsts = average.coefficient_paths([1], origins, part="dynamics", **drawn).draws
    assert firsts.shape == (5, 2, 9)
    alone = average.coefficient_paths([1], origins[1:], part="dynamics", **drawn).draws
    assert np.allclose(alone[:, 0].reshape(5, 3, 3), responses.draws[:, 1])
    shares = average.fevd(4, **drawn).draws
    assert np.allclose(shares.sum(axis=-1), 1)
    assert average.persistence(origins, **drawn).draws.shape == (5, 2, 9)
    assert average.connectedness(3, origins=origins, **drawn).draws.shape == (5, 2, 3, 3)
    assert {"lower", "upper"} <= set(average.attribution(**drawn).to_frame())


def test_draws_of_iterated_responses_go_on_beyond_the_direct_forecast(average) -> None:
    found = average.irf(9, method="iterated", bands="local", n_draws=3, orth=True, level=0.5)
    assert found.draws.shape == (3, 10, 3, 3)
    assert np.allclose(np.triu(found.draws[:, 0], 1), 0)


def test_orthogonal_shocks_of_drawn_vars_are_those_of_each_origin(average) -> None:
    positions = average.data.positions([average.origins[39], average.origins[-1]])
    local = LocalDraws(average, positions, 5, np.random.default_rng(0)).of_draw(2)
    factors = np.linalg.cholesky(local.sigmas(positions))
    assert not np.allclose(factors[0], factors[1], rtol=0.1)
    for order in ([0, 1], [1, 0]):
        origins = list(average.index[positions[order]])
        drawn = average.answered_by(local)
        found = drawn.irf(2, orth=True, origin=origins)
        assert np.allclose(found.values[:, 0], factors[order])
        plain = drawn.irf(2, origin=origins).values
        assert np.allclose(found.values, plain @ factors[order][:, None])
        squares = (found.values**2).cumsum(axis=1)
        shares = squares / squares.sum(axis=-1, keepdims=True)
        assert np.allclose(drawn.fevd(3, origin=origins).values, shares)


def test_covariates_and_gaps_do_not_keep_a_reading_from_local_bands() -> None:
    y = seasonal_frame(60)
    y.iloc[30:33, 1] = np.nan
    rng = np.random.default_rng(3)
    past = pd.DataFrame(rng.normal(size=(60, 1)), y.index, ["humidity"])
    var = DynamicVAR.from_members(
        {"linear": linear_forecast(6, effect=True)},
        {"linear": np.ones((6, 3))},
        y,
        past_covariates=past,
        future_covariates=rng.normal(size=(66, 2)),
    )
    assert np.allclose(var.effect_of_covariates(), covariate_effect()(var.data.future.values)[:60])
    few = {"bands": "local", "n_draws": 3, "level": 0.5}
    found = var.irf(2, **few)
    assert np.isfinite(found.draws).all()
    paths = var.coefficient_paths([1], list(var.origins[-1:]), **few)
    assert paths.draws.shape == (3, 1, 12)  # the past covariate is an impulse


def test_an_origin_with_few_rows_before_it_has_no_local_bands(average) -> None:
    with pytest.raises(DataError, match="too few rows before an origin"):
        average.irf(2, origin=average.index[12], bands="local")


LASTING = np.array([[0.8, 0.1], [0.0, 0.8]])


def lasting_moves(scale: np.ndarray, seed: int) -> np.ndarray:
    errors = np.random.default_rng(seed).normal(size=(len(scale), 2)) * scale[:, None]
    y = np.zeros_like(errors)
    for t in range(1, len(y)):
        y[t] = LASTING @ y[t - 1] + errors[t]
    return y


def local_bounds(y: np.ndarray, position: int) -> np.ndarray:
    var = linear_var(LASTING[None], pd.DataFrame(y, columns=["a", "b"]))
    drawn = {"bands": "local", "n_draws": 59, "random_state": 0}
    return np.stack(var.persistence([position], **drawn).bounds())[:, 0]


def test_no_later_row_moves_the_local_bands_of_an_origin() -> None:
    y = lasting_moves(np.ones(160), 0)
    later = y.copy()
    later[120:] *= 20.0
    later[130, 0] = np.nan
    assert np.allclose(local_bounds(later, 99), local_bounds(y, 99), rtol=1e-12)


def test_loud_rows_of_long_ago_leave_the_local_bands_where_the_truth_is() -> None:
    scale = np.concatenate([np.full(60, 20.0), np.ones(100)])
    bounds = np.stack([local_bounds(lasting_moves(scale, seed), 159) for seed in range(20)])
    covered = (bounds[:, 0] <= LASTING.ravel()) & (LASTING.ravel() <= bounds[:, 1])
    assert covered.mean() > 0.85
    assert np.allclose(bounds.mean(axis=(0, 1)), LASTING.ravel(), atol=0.08)
