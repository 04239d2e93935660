"""The anchor is one linear map, and forecasts as a careful user of linear models would."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from samovar_forecast.exceptions import DataError
from samovar_forecast.linear import LinearMap, estimate_anchor
from samovar_forecast.linear.average import estimate_again
from samovar_forecast.linear.linear_map import finite_runs, iterate
from samovar_forecast.linear.regressions import lag_design
from samovar_forecast.linear.simulate import simulate_var


def random_var(rng: np.random.Generator) -> np.ndarray:
    while True:
        coefs = 0.35 * rng.normal(size=(2, 3, 3))
        companion = np.vstack([np.hstack(coefs), np.eye(6)[:3]])
        if 0.6 < np.abs(np.linalg.eigvals(companion)).max() < 0.95:
            return coefs


@pytest.mark.parametrize("n_rows", [200, pytest.param(1000, marks=pytest.mark.slow)])
def test_on_a_simulated_var_it_is_within_2_percent_of_ols_with_the_true_order(n_rows: int) -> None:
    ratios = []
    for seed in range(6):
        y = simulate_var(random_var(np.random.default_rng(seed)), n_rows + 2000, random_state=seed)
        x, ahead = lag_design([y[:n_rows]], 2)
        with_one = np.hstack([np.ones((len(x), 1)), x])
        b = np.linalg.lstsq(with_one, ahead, rcond=None)[0]
        lags, intercepts = iterate(b[1:].reshape(2, 3, 3).swapaxes(1, 2), b[0], 8)
        truth = LinearMap.of(cross=lags, intercept=intercepts)
        anchor = estimate_anchor([y[:n_rows]], 8, 40).map
        origins = np.arange(n_rows, len(y) - 8)
        actual = y[origins[:, None] + np.arange(8)]
        errors = [np.square(one.along(y, origins) - actual).mean() for one in (anchor, truth)]
        ratios.append(errors[0] / errors[1])
    assert np.mean(ratios) <= 1.02


def test_a_season_of_a_long_series_is_read_from_its_own_past() -> None:
    rng = np.random.default_rng(0)
    t = np.arange(3000)
    y = np.sin(2 * np.pi * t / 24)[:, None] * [1.0, 3.0] + 0.3 * rng.normal(size=(3000, 2))
    fit = estimate_anchor([y[:2500]], 24, 96)
    origins = np.arange(2500, 2976)
    actual = y[origins[:, None] + np.arange(24)]
    error = np.square(fit.map.along(y, origins) - actual).mean()
    assert error < 1.15 * 0.3**2
    assert "direct" in fit.weights
    total = sum(fit.weights.values())
    assert np.allclose(total, 1.0)


def test_the_scale_and_level_of_the_data_do_not_matter() -> None:
    y = simulate_var(random_var(np.random.default_rng(0)), 150, random_state=0)
    unit, level = np.array([1e6, 1.0, 1e-3]), np.array([1e8, -5.0, 2.0])
    one = estimate_anchor([y], 4, 12).map(y[None, -12:])
    other = estimate_anchor([y * unit + level], 4, 12).map((y * unit + level)[None, -12:])
    assert np.allclose((other - level) / unit, one, rtol=1e-4, atol=1e-4)


def test_a_constant_series_is_forecast_by_its_last_value_and_moves_no_other() -> None:
    y = simulate_var(random_var(np.random.default_rng(0)), 120, random_state=0)
    y[:, 1] = 7.0
    window = y[None, -12:].copy()
    fit = estimate_anchor([y], 4, 12)
    assert np.all(fit.map(window)[0, :, 1] == 7.0)
    moved = window.copy()
    moved[:, :, 1] += 3.0
    assert np.allclose(fit.map(moved)[..., [0, 2]], fit.map(window)[..., [0, 2]])


def test_a_constant_instance_takes_no_candidate_from_the_others() -> None:
    instances = [
        simulate_var([[[-0.8, 0.0], [0.0, -0.8]]], 40, random_state=seed) for seed in range(4)
    ]
    wanted = estimate_anchor(instances, 1, 12).weights
    found = estimate_anchor([*instances, np.zeros((40, 2))], 1, 12).weights
    for name in ("ar", "ridge", "even ridge"):
        assert wanted[name].min() > 0.1, name
        assert found[name].min() > 0.7 * wanted[name].min(), name


def test_rows_with_gaps_are_left_out_and_instances_are_pooled() -> None:
    coefs = random_var(np.random.default_rng(0))
    y = simulate_var(coefs, 1200, random_state=0)
    whole = estimate_anchor([y], 2, 8).map(y[None, -8:])
    gappy = y.copy()
    gappy[100:104, 0] = np.nan
    gappy[700, 1] = np.nan
    assert [len(run) for run in finite_runs(gappy)] == [100, 596, 499]
    assert np.allclose(estimate_anchor([gappy], 2, 8).map(y[None, -8:]), whole, atol=0.15)
    parts = [y[:500], y[500:900], y[900:]]
    assert np.allclose(estimate_anchor(parts, 2, 8).map(y[None, -8:]), whole, atol=0.15)


def test_a_series_without_any_value_is_refused_by_its_number() -> None:
    y = np.ones((30, 2))
    y[:, 1] = np.nan
    with pytest.raises(DataError, match="number 1"):
        estimate_anchor([y], 2, 4)


@pytest.mark.parametrize("n_rows", [2, 5, 9, 20])
def test_tiny_samples_still_give_a_finite_forecast(n_rows: int) -> None:
    y = np.random.default_rng(0).normal(size=(n_rows, 3)).cumsum(axis=0)
    assert np.isfinite(estimate_anchor([y], 3, 2, 4).map(y[None, -2:])).all()


@pytest.mark.slow
def test_the_work_beside_the_products_of_rows_does_not_grow_with_the_rows(monkeypatch) -> None:
    cubes: list[float] = []

    def counted(solve: Any) -> Any:
        def solved(matrix: np.ndarray, *more: Any, **options: Any) -> Any:
            matrix = np.asarray(matrix)
            cubes.append(np.prod(matrix.shape[:-1], dtype=float) * matrix.shape[-1] ** 2)
            return solve(matrix, *more, **options)

        return solved

    for name in ("eigh", "eigvals", "solve", "cholesky"):
        monkeypatch.setattr(np.linalg, name, counted(getattr(np.linalg, name)))
    y = np.random.default_rng(0).normal(size=(10_000, 7)).cumsum(axis=0) * 0.1
    work = []
    for n_rows in (2_500, 6_000):
        cubes.clear()
        estimate_anchor([y[:n_rows]], 96, 512, 24)
        work.append(sum(cubes))
    assert work[0] > 0
    assert work[1] < 1.5 * work[0]


def test_many_gaps_leave_short_runs_and_still_an_anchor():
    random = np.random.default_rng(0)
    values = random.normal(size=(60, 3)).cumsum(axis=0)
    values[random.random(values.shape) < 0.3] = np.nan
    anchor = estimate_anchor([values], 4, max_lag=24).map
    assert np.isfinite(anchor.intercept).all()
    assert np.isfinite(anchor.own).all()
    assert np.isfinite(anchor.cross).all()


def test_values_missing_at_random_hardly_change_it():
    y = simulate_var(0.9 * np.eye(8)[None], 120, random_state=0)
    later = simulate_var(0.9 * np.eye(8)[None], 400, random_state=1)
    origins = np.arange(60, 390)
    actual = later[origins[:, None] + np.arange(4)]
    gappy = np.where(np.random.default_rng(0).random(y.shape) < 0.2, np.nan, y)
    whole, patched = (
        np.square(estimate_anchor([one], 4, 24).map.along(later, origins) - actual).mean()
        for one in (y, gappy)
    )
    assert patched < 1.15 * whole


@pytest.mark.parametrize("gap", [False, True])
def test_estimated_again_on_its_own_rows_the_average_is_the_same(gap: bool) -> None:
    y = simulate_var(random_var(np.random.default_rng(3)), 120, random_state=3)
    y[40:42, 1] = np.nan if gap else 0.0
    fit = estimate_anchor([y], 5, 40)
    again = estimate_again(fit, y)
    for name in ("own", "cross", "intercept", "center"):
        np.testing.assert_allclose(
            getattr(again, name), getattr(fit.map, name), rtol=1e-9, atol=1e-12
        )
    moved = estimate_again(fit, y + 0.1 * np.random.default_rng(0).normal(size=y.shape))
    assert not np.allclose(moved.own, fit.map.own)
