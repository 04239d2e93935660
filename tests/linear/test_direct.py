"""The direct regressions equal regressions on windows that are built one by one."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.linear import LinearMap
from samovar_forecast.linear.direct import (
    RELATIVE_PENALTIES,
    DirectForm,
    RidgePath,
    from_last_value,
    sum_of_products,
    window_products,
)


def test_products_of_windows_are_those_of_the_windows_themselves() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=50).cumsum()
    windows = np.lib.stride_tricks.sliding_window_view(values, 9)
    assert np.allclose(window_products(values, 9), windows.T @ windows)
    moved = windows - windows[:, [5]]
    assert np.allclose(sum_of_products([values], 6, 3), moved.T @ moved)
    assert np.all(window_products(values[:5], 9) == 0)


def test_the_direct_ridge_is_the_ridge_of_the_windows_for_every_penalty() -> None:
    rng = np.random.default_rng(1)
    values, later = rng.normal(size=120).cumsum(), rng.normal(size=60).cumsum()
    path = RidgePath(sum_of_products([values], 6, 3), 6)
    windows = np.lib.stride_tricks.sliding_window_view(values, 9)
    windows = windows - windows[:, [5]]
    x, y = windows[:, :6], windows[:, 6:]
    penalty = 0.01
    unit = np.linalg.eigvalsh(x.T @ x).mean()
    wanted = np.linalg.solve(x.T @ x + penalty * unit * np.eye(6), x.T @ y)
    assert np.allclose(path.solve(penalty), wanted)
    held_out = np.lib.stride_tricks.sliding_window_view(later, 9)
    held_out = held_out - held_out[:, [5]]
    errors = path.errors(sum_of_products([later], 6, 3))
    for row, penalty in enumerate(RELATIVE_PENALTIES):
        misses = held_out[:, 6:] - held_out[:, :6] @ path.solve(penalty)
        assert np.allclose(errors[row], np.square(misses).sum(axis=0))


def test_no_window_reaches_over_the_end_of_a_run() -> None:
    rng = np.random.default_rng(2)
    runs = [rng.normal(size=n) for n in (20, 9, 4)]  # the last is shorter than a window
    windows = [
        run[first : first + 9] - run[first + 5] for run in runs for first in range(len(run) - 8)
    ]
    wanted = sum(np.outer(window, window) for window in windows)
    assert np.allclose(sum_of_products(runs, 6, 3), wanted)
    assert np.allclose(from_last_value(sum(window_products(run, 9) for run in runs), 6), wanted)


@pytest.mark.parametrize("level", [0.0, 1e3])
def test_the_level_of_a_series_does_not_matter(level: float) -> None:
    values = np.random.default_rng(3).normal(size=80).cumsum()
    wanted = RidgePath(sum_of_products([values], 6, 3), 6).solve(0.1)
    found = RidgePath(sum_of_products([values + level], 6, 3), 6).solve(0.1)
    assert np.allclose(found, wanted, atol=1e-6)


def test_a_series_without_change_gets_weights_of_0() -> None:
    path = RidgePath(sum_of_products([np.full(40, 7.0)], 6, 3), 6)
    assert not path.solve(RELATIVE_PENALTIES[0]).any()


def test_the_map_puts_the_last_value_back_on_what_the_weights_make_of_the_window() -> None:
    rng = np.random.default_rng(4)
    form, weights = DirectForm(length=6, n_steps=3), rng.normal(size=(6, 3))
    window = rng.normal(size=6)
    wanted = window[-1] + (window - window[-1]) @ weights
    got = LinearMap.of(own=form.own_lags(weights))(window[None, :, None])[0, :, 0]
    assert np.allclose(got, wanted)
    assert (form.span, form.n_past) == (9, 6)


def test_windows_may_enter_from_their_mean_which_is_put_back() -> None:
    rng = np.random.default_rng(5)
    form, values = DirectForm(length=6, n_steps=3, is_from_mean=True), rng.normal(size=90).cumsum()
    windows = np.lib.stride_tricks.sliding_window_view(values, 9)
    moved = windows - windows[:, :6].mean(axis=1, keepdims=True)
    products = form.products(window_products(values, 9))
    assert np.allclose(products, moved.T @ moved)
    weights = RidgePath(products, 6).solve(0.01)
    x, y = moved[:, :6], moved[:, 6:]
    penalty = 0.01 * np.linalg.eigvalsh(x.T @ x).mean()
    assert np.allclose(weights, np.linalg.solve(x.T @ x + penalty * np.eye(6), x.T @ y))
    window = rng.normal(size=6)
    wanted = window.mean() + (window - window.mean()) @ weights
    got = LinearMap.of(own=form.own_lags(weights))(window[None, :, None])[0, :, 0]
    assert np.allclose(got, wanted)
