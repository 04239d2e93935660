"""The ridge kernel against scikit-learn, dense matrices and really leaving rows out."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.linear.ridge import RidgeRegressions


def centred(n_rows: int, n_columns: int = 15, n_targets: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Return regressors of sizes 0.1 to 10 and targets that follow them, less their means."""
    rng = np.random.default_rng(n_rows)
    x = rng.normal(size=(n_rows, n_columns)) * np.geomspace(0.1, 10.0, n_columns)
    y = x @ rng.normal(size=(n_columns, n_targets)) + rng.normal(size=(n_rows, n_targets))
    return x - x.mean(axis=0), y - y.mean(axis=0)


@pytest.mark.parametrize("n_rows", [12, 30, 300])  # fewer rows than columns, some more, many more
def test_leave_one_out_errors_are_those_of_leaving_one_out(n_rows: int) -> None:
    rng = np.random.default_rng(n_rows)
    x, y = rng.normal(size=(n_rows, 15)), rng.normal(size=(n_rows, 2))
    penalties = np.array([0.1, 3.0])
    regressions = RidgeRegressions(x - x.mean(0), y - y.mean(0))
    mean_squares = regressions.mean_squares(penalties)
    for number, penalty in enumerate(penalties):
        errors = regressions.errors(penalty)
        assert np.allclose(mean_squares[number], np.square(errors).mean(axis=0))
        for row in range(0, n_rows, max(1, n_rows // 10)):
            kept = np.arange(n_rows) != row
            mean_x, mean_y = x[kept].mean(0), y[kept].mean(0)
            centred = x[kept] - mean_x
            weights = np.linalg.solve(
                centred.T @ centred + penalty * np.eye(15), centred.T @ (y[kept] - mean_y)
            )
            left_out = y[row] - mean_y - (x[row] - mean_x) @ weights
            assert np.allclose(errors[row], left_out, rtol=1e-6, atol=1e-9)
        centred = x - x.mean(0)
        wanted = np.linalg.solve(centred.T @ centred + penalty * np.eye(15), centred.T @ y)
        assert np.allclose(regressions.solve(penalty), wanted, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("n_rows", [12, 300])
@pytest.mark.parametrize("penalty", [1e-3, 1.0, 1e3])
def test_coefficients_are_those_of_scikit_learn(n_rows: int, penalty: float) -> None:
    sklearn = pytest.importorskip("sklearn.linear_model")
    x, y = centred(n_rows)
    wanted = sklearn.Ridge(alpha=penalty).fit(x, y).coef_.T
    found = RidgeRegressions(x, y).solve(penalty)
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-8)


def test_one_target_has_the_coefficients_that_it_has_among_all() -> None:
    regressions = RidgeRegressions(*centred(60))
    np.testing.assert_allclose(regressions.solve(0.5, 1), regressions.solve(0.5)[:, 1])


def test_products_that_are_known_already_change_nothing() -> None:
    x, y = centred(60)
    given, own = RidgeRegressions(x, y, x.T @ x), RidgeRegressions(x, y)
    np.testing.assert_allclose(given.solve(0.5), own.solve(0.5), atol=1e-12)
    np.testing.assert_allclose(given.errors(0.5), own.errors(0.5), atol=1e-12)


def test_many_rows_are_scored_by_generalised_cross_validation() -> None:
    n_rows = 1200
    x, y = centred(n_rows)
    penalties = np.array([0.1, 30.0, 1e4])
    found = RidgeRegressions(x, y).mean_squares(penalties)
    for row, penalty in enumerate(penalties):
        hat = x @ np.linalg.solve(x.T @ x + penalty * np.eye(15), x.T) + 1 / n_rows
        mean = np.square(y - hat @ y).mean(axis=0)
        wanted = mean / (1 - np.trace(hat) / n_rows) ** 2
        np.testing.assert_allclose(found[row], wanted, rtol=1e-8)
        by_rows = np.square(RidgeRegressions(x, y).errors(penalty)).mean(axis=0)
        np.testing.assert_allclose(found[row], by_rows, rtol=0.01)


@pytest.mark.parametrize("n_rows", [12, 80])
def test_a_column_that_repeats_another_shares_its_coefficient(n_rows: int) -> None:
    x, y = centred(n_rows, 4)
    doubled = RidgeRegressions(np.hstack([x, x]), y)
    found = doubled.solve(1e-6)
    np.testing.assert_allclose(found[:4], found[4:], atol=1e-6)
    least_squares, *_ = np.linalg.lstsq(x, y, rcond=None)
    np.testing.assert_allclose(found[:4] + found[4:], least_squares, rtol=1e-4, atol=1e-5)


def test_regressors_without_change_forecast_the_mean() -> None:
    _, y = centred(20)
    regressions = RidgeRegressions(np.zeros((20, 3)), y)
    assert not regressions.solve(1.0).any()
    np.testing.assert_allclose(regressions.errors(1.0), y * 20 / 19)


def test_without_regressors_that_change_every_penalty_leaves_the_error_of_the_mean() -> None:
    targets = centred(40)[1]
    found = RidgeRegressions(np.zeros((40, 3)), targets).mean_squares(np.array([0.1, 3.0]))
    expected = np.square(targets / (1 - 1 / 40)).mean(axis=0)
    np.testing.assert_allclose(found, [expected, expected])
