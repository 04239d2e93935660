"""A linear forecast as a map: its own coefficients, exactly, gaps and covariates included."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from samovar_forecast.dynamics.forecast_map import Shape
from samovar_forecast.dynamics.linear_forecast_map import LinearForecastMap, filling
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.linear.linear_map import filled, without_gaps
from tests.builders.dynamics import assert_lazy_parts_agree
from tests.builders.members import by_differences, linear_forecast, scaled_windows, units

EVERY_STEP = np.eye(6)
PLAIN = units().channels.scale


def linear_map(n_rows: int = 20, **options) -> LinearForecastMap:
    effect = options.get("effect", False)
    return LinearForecastMap(linear_forecast(**options), Shape(n_rows, 6, 3, 0, 2 * effect), 6)


def test_forecasts_are_those_of_the_linear_forecast() -> None:
    windows = scaled_windows(3, 20, n_ahead=6)
    for effect in (False, True):
        reading = linear_map(effect=effect)
        wanted = reading.linear(windows.target, windows.future_covariates)
        assert np.array_equal(reading.forecast(windows), wanted)


def test_coefficients_are_those_of_the_linear_map_exactly() -> None:
    (jacobian,) = linear_map().jacobians(scaled_windows(1, 20), EVERY_STEP, units())
    own, cross = linear_forecast().map.own, linear_forecast().map.cross
    wanted = np.zeros((6, 3, 20, 3))  # lag 1 first
    wanted[:, :, :4] += cross * PLAIN[:, None, None] / PLAIN
    for c in range(3):
        wanted[:, c, :9, c] += own[:, c]
    assert np.array_equal(jacobian.dense(), wanted[:, :, ::-1])
    assert_lazy_parts_agree(jacobian, jacobian.dense())


def test_past_covariates_have_no_coefficients() -> None:
    windows = scaled_windows(1, 20, n_past=2)
    (jacobian,) = linear_map().jacobians(windows, EVERY_STEP, units(2))
    assert jacobian.shape == jacobian.dense().shape == (6, 3, 20, 5)
    assert np.all(jacobian.dense()[..., :2] == 0)
    assert np.all(jacobian.block(0, 1) == 0)
    assert_lazy_parts_agree(jacobian, jacobian.dense())


@pytest.mark.parametrize("effect", [False, True])
def test_gaps_take_their_values_from_what_stands_beside_them(effect: bool) -> None:
    window, reading = scaled_windows(1, 20, n_ahead=6), linear_map(effect=effect)
    window.target[0, :15, 0] = np.nan  # begins late
    window.target[0, 14:17, 1] = np.nan
    window.target[0, -2:, 2] = np.nan  # has not come yet
    window.future_covariates[0, 5, 1] = np.nan
    weights = np.random.default_rng(0).normal(size=(2, 6, 3))
    (jacobian,) = reading.jacobians(window, weights, units())
    dense = jacobian.dense()
    names = ["target", "future_covariates"] if effect else ["target"]
    for name in names:
        table = getattr(window, name)[0]
        slopes = dense if name == "target" else jacobian.future
        unit = PLAIN if name == "target" else units().future.scale
        assert np.all(slopes.transpose(2, 3, 0, 1)[np.isnan(table)] == 0)
        cells = [(name, *cell) for cell in np.argwhere(np.isfinite(table))]
        wanted = by_differences(reading, window, cells, 0.5)  # exact: the map is linear
        for (_, row, column), slope in zip(cells, wanted, strict=True):
            asked = np.einsum("rsc,sc->rc", weights, slope) * PLAIN / unit[column]
            assert np.allclose(slopes[:, :, row, column], asked, rtol=1e-9, atol=1e-9)
    assert_lazy_parts_agree(jacobian, dense)


def test_rows_before_the_history_count_as_its_first_row() -> None:
    window, reading = scaled_windows(1, 20, n_ahead=6), linear_map(effect=True)
    window.target[0, :12] = np.nan
    window.future_covariates[0, :12] = np.nan
    got = reading.forecast(window)
    for table in (window.target, window.future_covariates):
        table[0, :12] = table[0, 12]
    wanted = window.target.copy()
    effect = reading.linear.effect
    wanted[0, :12] = wanted[0, 12] + (effect(window.future_covariates)[0, :20] -
                                      effect(window.future_covariates)[0, 12])[:12]  # fmt: skip
    full = reading.forecast(window._replace(target=wanted))
    assert np.allclose(got, full)


def test_the_filling_is_the_one_of_the_linear_room() -> None:
    rng = np.random.default_rng(3)
    for observed in (rng.random(12) < 0.4, np.arange(12) == 5, np.zeros(12, bool)):
        values = np.where(observed, rng.normal(size=12), np.nan)
        wanted = filled(without_gaps(values[:, None]))[:, 0]
        assert np.allclose(filling(observed) @ np.nan_to_num(values), wanted)


def test_equal_maps_have_equal_numbers() -> None:
    assert linear_map(effect=True).equals(linear_map(effect=True))
    assert not linear_map().equals(linear_map(seed=1))
    assert not linear_map(25).equals(linear_map())


def test_windows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="does not fit the windows"):
        linear_map(8)
    with pytest.raises(ConfigurationError, match="effect of covariates"):
        LinearForecastMap(linear_forecast(effect=True), Shape(20, 6, 3), 6)
    shorter = dataclasses.replace(linear_forecast(), map=linear_forecast(n_steps=2).map)
    with pytest.raises(ConfigurationError, match="2 steps"):
        LinearForecastMap(shorter, Shape(20, 6, 3), 6)
