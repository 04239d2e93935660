"""The network for any panel as a map: its own forecasts, and Jacobians equal to differences."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.dynamics.forecast_map import PARTS, Shape
from samovar_forecast.dynamics.windows import Windows
from samovar_forecast.dynamics.zero_shot_map import ZeroShotMap
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.frames.scaler import Scaler
from samovar_forecast.network import seasons
from tests.builders.members import (
    by_differences,
    covariate_effect,
    double_forecast,
    pretrained,
    scaled_windows,
    units,
)

ASKED = [0, 5]
SOME_STEPS = np.eye(6)[ASKED]


def zero_shot(n_rows=40, n_past=0, n_future=0, season=12, effect=None, n_steps=6) -> ZeroShotMap:
    shape = Shape(n_rows, n_steps, 3, n_past, n_future)
    return ZeroShotMap(pretrained(), season, shape, n_steps, effect)


def cells_of(window, name, columns, rows=(-1, -2, -9, 5)):
    n_rows = getattr(window, name).shape[1]
    return [(name, row % n_rows, column) for row in rows for column in columns]


def close(got, wanted, tolerance=1e-5):
    assert np.abs(got - wanted).max() <= tolerance * max(1.0, np.abs(wanted).max())


def test_forecasts_are_those_of_the_network_itself() -> None:
    windows = scaled_windows(3)
    assert np.array_equal(zero_shot().forecast(windows), double_forecast(windows.target, 6, 12))


def test_a_short_history_is_forecast_as_if_nothing_stood_before_it() -> None:
    windows = scaled_windows(5, 60)
    lengths = [9, 12, 16, 17, 60]
    for window, length in zip(windows.target, lengths, strict=True):
        window[: 60 - length] = np.nan
    got = zero_shot(60).forecast(windows)
    for window, forecast, length in zip(windows.target, got, lengths, strict=True):
        close(forecast[None], double_forecast(window[None, 60 - length :], 6, 12), 1e-12)


@pytest.mark.parametrize("season", [1, 12])
def test_the_jacobian_equals_finite_differences(season: int) -> None:
    window, reading = scaled_windows(n_past=2), zero_shot(n_past=2, season=season)
    (jacobian,) = reading.jacobians(window, SOME_STEPS, units(2))
    cells = cells_of(window, "past_covariates", (0, 1)) + cells_of(window, "target", (0, 1, 2))
    wanted = by_differences(reading, window, cells, 1e-5)
    scale = units(2).channels.scale
    for (name, row, column), slope in zip(cells, wanted, strict=True):
        channel = column + (2 if name == "target" else 0)
        close(jacobian.dense()[:, :, row, channel] / scale[2:] * scale[channel], slope[ASKED])
    in_units = reading.forecast(window)[0] * scale[2:] + units().channels.location
    close(jacobian.value, in_units[ASKED], 1e-12)


def test_gaps_have_no_derivative_and_all_else_equals_finite_differences() -> None:
    window, reading = scaled_windows(n_rows=50), zero_shot(50)
    window.target[0, :7, 0] = np.nan
    window.target[0, 30:33, 1] = np.nan
    window.target[0, -2:, 2] = np.nan
    (jacobian,) = reading.jacobians(window, SOME_STEPS, units())
    dense = jacobian.dense()
    assert np.all(dense.transpose(2, 3, 0, 1)[np.isnan(window.target[0])] == 0)
    cells = [("target", 45, 0), ("target", 29, 1), ("target", 47, 2), ("target", 8, 0)]
    wanted = by_differences(reading, window, cells, 1e-5)
    scale = units().channels.scale
    for (_, row, column), slope in zip(cells, wanted, strict=True):
        close(dense[:, :, row, column] / scale * scale[column], slope[ASKED], 1e-4)
    assert np.allclose(dense.sum(2), np.eye(3), atol=1e-9)


def test_coefficients_give_the_forecast_back_and_sum_to_one() -> None:
    windows, reading = scaled_windows(3), zero_shot()
    for window, jacobian in zip(
        windows.target, reading.jacobians(windows, SOME_STEPS, units()), strict=True
    ):
        dense = jacobian.dense()
        in_units = window * units().channels.scale + units().channels.location
        by_channel = np.einsum("rctk,tk->rck", dense, in_units)
        size = np.abs(jacobian.value).max()
        assert np.abs(by_channel.sum(-1) - jacobian.value).max() <= 1e-10 * size
        assert np.abs(by_channel * (1 - np.eye(3))).max() <= 1e-9 * size
        unit = units().channels.scale
        assert np.allclose(dense.sum(2) * unit / unit[:, None], np.eye(3), atol=1e-10)


def test_weights_by_series_ask_for_their_weighted_sums() -> None:
    window, reading = scaled_windows(), zero_shot()
    weights = np.random.default_rng(0).normal(size=(2, 6, 3))
    (every,) = reading.jacobians(window, np.eye(6), units())
    (asked,) = reading.jacobians(window, weights, units())
    close(asked.dense(), np.einsum("rsc,sctk->rctk", weights, every.dense()), 1e-10)
    close(asked.value, np.einsum("rsc,sc->rc", weights, every.value), 1e-10)


def test_many_windows_of_several_lengths_give_the_jacobian_of_each(monkeypatch) -> None:
    windows, reading = scaled_windows(4), zero_shot()
    windows.target[1, :20] = np.nan
    windows.target[2, :18] = np.nan
    together = [one.dense() for one in reading.jacobians(windows, SOME_STEPS[:1], units())]
    monkeypatch.setattr("samovar_forecast.dynamics.zero_shot_map.NUMBERS_AT_ONCE", 1)
    for number, jacobian in enumerate(together):
        window = windows.part(number, number + 1)
        (alone,) = reading.jacobians(window, SOME_STEPS[:1], units())
        assert np.allclose(jacobian, alone.dense(), rtol=1e-9, atol=1e-9)


def test_a_series_on_its_own_and_more_series_than_are_passed_at_once_are_read(monkeypatch) -> None:
    window = scaled_windows()
    alone = ZeroShotMap(pretrained(), 12, Shape(40, 6, 1), 6)
    single = window._replace(target=window.target[:, :, :1])
    plain = units()._replace(channels=Scaler(np.zeros(1), np.ones(1)))
    (jacobian,) = alone.jacobians(single, SOME_STEPS, plain)
    cells = cells_of(single, "target", (0,))
    for (_, row, _), slope in zip(cells, by_differences(alone, single, cells, 1e-5), strict=True):
        close(jacobian.dense()[:, :, row, 0], slope[ASKED])
    (together,) = zero_shot().jacobians(window, SOME_STEPS, units())
    monkeypatch.setattr("samovar_forecast.dynamics.zero_shot_map.SERIES_AT_ONCE", 2)
    (in_turn,) = zero_shot().jacobians(window, SOME_STEPS, units())
    close(together.dense(), in_turn.dense(), 1e-10)


def test_an_effect_of_covariates_is_taken_off_first_and_added_at_last() -> None:
    window = scaled_windows(n_ahead=6)
    reading = zero_shot(n_future=2, effect=covariate_effect())
    (jacobian,) = reading.jacobians(window, SOME_STEPS, units())
    cells = cells_of(window, "future_covariates", (0, 1), (-1, -3, -7, -10, 0, 1))
    wanted = by_differences(reading, window, cells, 1e-5)
    for (_, row, column), slope in zip(cells, wanted, strict=True):
        scale = units().channels.scale / units().future.scale[column]
        close(jacobian.future[:, :, row, column] / scale, slope[ASKED])
    cells = cells_of(window, "target", (0, 2))
    wanted = by_differences(reading, window, cells, 1e-5)
    scale = units().channels.scale
    for (_, row, column), slope in zip(cells, wanted, strict=True):
        close(jacobian.dense()[:, :, row, column] / scale * scale[column], slope[ASKED])


def test_a_constant_series_is_forecast_by_its_last_value_and_moves_no_other() -> None:
    window, reading = scaled_windows(), zero_shot()
    window.target[0, :, 1] = 0.3
    (jacobian,) = reading.jacobians(window, SOME_STEPS, units())
    dense = jacobian.dense()
    assert np.all(dense[:, 1, -1, 1] == 1)
    assert np.all(dense[:, 1, :-1] == 0)
    assert np.all(dense[:, [0, 2], :, 1] == 0)
    assert np.isfinite(dense).all()


def test_the_map_is_a_copy_that_knows_its_equals() -> None:
    reading = zero_shot()
    assert reading.equals(zero_shot())
    assert not reading.equals(zero_shot(season=1))
    assert not zero_shot(n_future=2).equals(zero_shot(n_future=2, effect=covariate_effect()))
    assert zero_shot(n_future=2, effect=covariate_effect()).equals(
        zero_shot(n_future=2, effect=covariate_effect())
    )
    assert reading.network is not pretrained()
    assert reading.fewest_rows == 8


def test_what_cannot_be_forecast_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="so many steps"):
        zero_shot(n_steps=65)
    with pytest.raises(ConfigurationError, match="effect"):
        zero_shot(effect=covariate_effect())


def beginnings(lengths, n_rows=60):
    """Return windows of the first rows of a history, at the end of missing rows."""
    history = scaled_windows(1, n_rows).target[0]
    target = np.full((len(lengths), n_rows, 3), np.nan)
    for window, length in zip(target, lengths, strict=True):
        window[n_rows - length :] = history[:length]
    return Windows(target)


@pytest.mark.parametrize("season", [1, 12])
def test_the_parts_of_a_jacobian_add_up_to_the_total(season: int) -> None:
    window, reading = scaled_windows(n_past=1), zero_shot(n_past=1, season=season)
    found = {part: next(reading.jacobians(window, SOME_STEPS, units(1), part)) for part in PARTS}
    total = found.pop("total").dense()
    close(sum(one.dense() for one in found.values()), total, 1e-12)
    scale = units().channels.scale
    ratio = scale / scale[:, None]  # to units in which the series are alike
    sums = {part: one.dense().sum(axis=2)[..., 1:] * ratio for part, one in found.items()}
    close(sums["scale"], np.zeros((2, 3, 3)))  # neither moves with a shift of the window
    close(sums["memory"], np.zeros((2, 3, 3)))
    assert not np.allclose(sums["dynamics"], total.sum(axis=2)[..., 1:] * ratio)


def test_parts_of_windows_of_one_history_are_read_from_the_longest_and_equal_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seasons, "LEAST_CORRELATION", 2.0)  # no season is found anywhere
    windows, reading = beginnings([21, 32, 44, 60, 57]), zero_shot(60)
    for part in ("dynamics", "level", "scale"):
        together = reading.jacobians(windows, SOME_STEPS, units(), part)
        for number, found in enumerate(together):
            (alone,) = reading.jacobians(
                windows.part(number, number + 1), SOME_STEPS, units(), part
            )
            close(found.dense(), alone.dense(), 1e-10)
            close(found.value, alone.value, 1e-10)
    each = [reading.forecast(windows.part(number, number + 1)) for number in range(5)]
    close(reading.forecast(windows), np.concatenate(each), 1e-10)
