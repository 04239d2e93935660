"""The ridge VAR: its closed form against the slow, obvious one, and a process recovered."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from samovar_forecast.linear import ridge_var as ridge
from samovar_forecast.linear.orders import candidate_orders
from samovar_forecast.linear.ridge_var import fit_ridge_var

LAG_MATRIX = np.array([[0.6, 0.3, 0.0], [0.0, 0.5, 0.3], [-0.3, 0.0, 0.6]])


def simulated(n_time: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = np.zeros((n_time + 50, 3))
    for t in range(1, len(values)):
        values[t] = LAG_MATRIX @ values[t - 1] + rng.normal(size=3)
    return values[50:] * [1.0, 100.0, 0.01] + [5.0, 0.0, -1.0]


def ridge_fit(x, target, penalty):
    """Coefficients and intercept by the normal equations, the intercept free."""
    means, mean = x.mean(axis=0), target.mean()
    centred = x - means
    gram = centred.T @ centred + penalty * np.eye(x.shape[1])
    coefs = np.linalg.solve(gram, centred.T @ (target - mean))
    return coefs, mean - means @ coefs


def test_the_choice_and_the_coefficients_are_those_of_leaving_out_row_by_row(monkeypatch):
    penalties = np.array([1e-2, 1.0])
    monkeypatch.setattr(ridge, "PENALTIES", penalties)
    values = simulated(40)
    fit = fit_ridge_var([values], [1, 2])
    z = (values - values.mean(axis=0)) / values.std(axis=0)
    n = len(z) - 2
    for equation in range(3):
        best = (np.inf,)
        for order in (1, 2):
            for decay, weight in itertools.product((0.0, 1.0, 2.0), (1.0, 0.3, 0.1)):
                if order == 1 and decay:
                    continue
                others_less = np.where(np.arange(3) == equation, 1.0, weight)
                x = np.hstack(
                    [z[2 - k : len(z) - k] / k**decay * others_less for k in range(1, order + 1)]
                )
                for penalty in penalties:
                    for towards_last in (False, True):
                        target = z[2:, equation] - towards_last * z[1:-1, equation]
                        errors = np.empty(n)
                        for row in range(n):
                            others = np.arange(n) != row
                            coefs, intercept = ridge_fit(x[others], target[others], penalty * n)
                            errors[row] = target[row] - intercept - x[row] @ coefs
                        score = (errors**2).mean()
                        if score < best[0]:
                            best = (score, order, decay, penalty, towards_last)
        _, order, decay, penalty, towards_last = best
        assert fit.orders[equation] == order
        assert fit.decays[equation] == decay
        assert fit.penalties[equation] == pytest.approx(penalty)
        assert fit.towards_last_value[equation] == towards_last
        assert fit.sigma_u[equation, equation] == pytest.approx(
            best[0] * values[:, equation].std() ** 2, rel=1e-9
        )


def test_a_var_is_recovered_with_many_rows_whatever_the_units():
    fit = fit_ridge_var([simulated(4000)], [1, 2, 4])
    units = np.array([1.0, 100.0, 0.01])
    in_own_units = fit.coefs[0] / units[:, None] * units
    np.testing.assert_allclose(in_own_units, LAG_MATRIX, atol=0.06)
    mean = np.linalg.solve(np.eye(3) - fit.coefs.sum(axis=0), fit.intercept)
    np.testing.assert_allclose(mean / units, [5.0, 0.0, -100.0], atol=0.2)


def test_the_forecast_continues_the_recursion_with_the_newest_lag_first():
    fit = fit_ridge_var([simulated(60)], [2])
    recent = simulated(60)
    ahead = fit.forecast(recent, 2)
    first = fit.intercept + fit.coefs[0] @ recent[-1] + fit.coefs[1] @ recent[-2]
    second = fit.intercept + fit.coefs[0] @ first + fit.coefs[1] @ recent[-1]
    np.testing.assert_allclose(ahead, [first, second])


def test_more_series_than_rows_still_give_a_finite_forecast_that_stays_near_the_data():
    wide = np.hstack([simulated(24, seed) for seed in range(10)])
    fit = fit_ridge_var([wide], candidate_orders(*wide.shape))
    ahead = fit.forecast(wide, 24)
    low, high = wide.min(axis=0), wide.max(axis=0)
    assert ((ahead > low - (high - low)) & (ahead < high + (high - low))).all()


def test_a_random_walk_is_pulled_towards_its_last_value():
    rng = np.random.default_rng(0)
    walk = rng.normal(size=(80, 4)).cumsum(axis=0)
    fit = fit_ridge_var([walk], candidate_orders(80, 4))
    assert fit.towards_last_value.sum() >= 3
    assert np.abs(fit.forecast(walk, 1)[0] - walk[-1]).mean() < np.diff(walk, axis=0).std() / 2


def test_a_constant_series_stays_where_it_is_and_disturbs_no_other():
    values = np.column_stack([simulated(60), np.full(60, 7.0)])
    fit = fit_ridge_var([values], [1, 2])
    np.testing.assert_allclose(fit.forecast(values, 5)[:, 3], 7.0)
    without = fit_ridge_var([values[:, :3]], [1, 2])
    np.testing.assert_allclose(fit.forecast(values, 5)[:, :3], without.forecast(values[:, :3], 5))


def test_values_too_small_to_be_squared_are_fitted_as_in_another_unit():
    values, tiny = simulated(40), 1e-300
    fit, small = (fit_ridge_var([rows], [1, 2]) for rows in (values, values * tiny))
    np.testing.assert_allclose(small.coefs, fit.coefs, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(small.intercept / tiny, fit.intercept, rtol=1e-6)
