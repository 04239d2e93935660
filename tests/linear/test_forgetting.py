"""The VAR that forgets is a weighted regression, and follows what moves."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.linear.forgetting import (
    FACTORS,
    SPREADS,
    Filter,
    forgetting_vars,
    one_step_forecasts,
)
from samovar_forecast.linear.simulate import simulate_var
from samovar_forecast.linear.stability import is_stable


def test_without_a_prior_it_is_least_squares_on_discounted_rows(monkeypatch):
    rng = np.random.default_rng(0)
    y = simulate_var(0.3 * rng.normal(size=(1, 2, 2)), 80, random_state=0)
    spread = np.array([0.3])
    one = Filter(1, np.array([0.95]), spread)
    *_, (last, _) = one.run(y)
    x = np.column_stack([np.ones(79), y[:-1]])
    age = np.arange(79)[::-1]
    # The prior is a row a coefficient, as old as the first row and one more factor.
    weights = 0.95**age
    prior = np.diag(1 / np.square([1.0, 0.3, 0.3])) * 0.95**79
    gram = x.T @ (weights[:, None] * x) + prior
    wanted = np.linalg.solve(gram, x.T @ (weights[:, None] * y[1:]))
    np.testing.assert_allclose(last[0, :, 0], wanted, rtol=0.05, atol=0.02)


def test_the_state_after_some_rows_is_that_of_these_rows_alone():
    y = simulate_var([[[0.5, 0.2], [0.0, 0.4]]], 120, random_state=1)
    grid = Filter.grid(2)
    coefs, errors = zip(*((own.copy(), made) for own, made in grid.run(y)), strict=True)
    *_, (alone, _) = grid.run(y[:60])
    assert alone.shape == (4 * len(SPREADS), 5, 2, 2)
    np.testing.assert_array_equal(coefs[58], alone)  # the first state is that after two rows
    regressors = np.append(1.0, y[58:60][::-1])
    np.testing.assert_allclose(errors[59], y[60] - np.einsum("k,gkac->gac", regressors, alone))


def test_many_ends_are_answered_as_each_alone():
    y = simulate_var([[[0.5, 0.2], [0.0, 0.4]]], 90, random_state=2)
    ends = [30, 31, 60, 90]
    for end, fit in zip(ends, forgetting_vars(y, ends), strict=True):
        (alone,) = forgetting_vars(y, [end])
        np.testing.assert_allclose(fit[0], alone[0])
        np.testing.assert_allclose(fit[1], alone[1])
    assert all(len(fit[0]) == 1 for fit in forgetting_vars(y, ends, longest=1))


def test_after_a_break_it_is_nearer_the_new_coefficients_than_least_squares():
    before, after = np.array([[[0.8]]]), np.array([[[-0.5]]])
    distances = []
    for seed in range(5):
        y = np.concatenate(
            [
                simulate_var(before, 150, random_state=seed),
                simulate_var(after, 60, random_state=100 + seed),
            ]
        )
        fit = forgetting_vars(y, [210])[0]
        assert fit is not None
        x, ahead = y[:-1, 0], y[1:, 0]
        distances.append((abs(fit[0].sum() + 0.5), abs(x @ ahead / (x @ x) + 0.5)))
    ours, least_squares = np.mean(distances, axis=0)
    assert ours < 0.5 * least_squares


def test_it_never_has_a_root_outside_the_unit_circle_and_says_when_rows_are_too_few():
    y = np.random.default_rng(0).normal(size=(40, 3)).cumsum(axis=0)
    for fit in forgetting_vars(y, [20, 30, 40]):
        assert fit is not None
        assert is_stable(fit[0])
    assert forgetting_vars(y[:5], [5]) == [None]


@pytest.mark.parametrize("factors", [FACTORS, (1.0,)])
def test_one_step_forecasts_know_no_later_row_and_come_near_the_conditional_mean(factors) -> None:
    coefs = np.array([[[0.5, 0.2], [-0.2, 0.4]]])
    y = simulate_var(coefs, 400, random_state=0)
    found = one_step_forecasts(y, factors)
    changed = y.copy()
    changed[300:] += 5.0
    assert np.allclose(one_step_forecasts(changed, factors)[:301], found[:301], rtol=0, atol=1e-12)
    mean = y[:-1] @ coefs[0].T
    assert np.sqrt(np.square(found[201:] - mean[200:]).mean()) < 0.25


def test_one_step_forecasts_follow_a_break_where_a_factor_forgets() -> None:
    y = np.concatenate(
        [simulate_var([[[coef]]], 150, random_state=seed) for seed, coef in enumerate((0.8, -0.8))]
    )
    mean = -0.8 * y[200:-1]
    moving, constant = (
        np.abs(one_step_forecasts(y, factors)[201:] - mean).mean() for factors in (FACTORS, (1.0,))
    )
    assert moving < 0.5 * constant
