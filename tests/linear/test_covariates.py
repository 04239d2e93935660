"""Covariates known ahead in the anchor: found where they matter, left out where they do not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from samovar_forecast.config import NetworkConfig
from samovar_forecast.learning.anchoring import attach_anchor
from samovar_forecast.learning.windows import SeriesTensors, WindowSet
from samovar_forecast.linear.covariates import confirmed_shares, estimate_effect
from samovar_forecast.linear.forecast import LinearForecast
from samovar_forecast.linear.linear_map import Rows
from samovar_forecast.linear.simulate import simulate_var
from samovar_forecast.network import SAMoVARNetwork
from samovar_forecast.network.roll_out import roll_forecast

COEFS = np.array([[[0.7, 0.2], [0.0, 0.6]]])
RESPONSE = np.array([[2.0, 0.0], [0.0, -1.5]])  # series, covariate
CONTEXT, STEPS = 24, 6


def case(
    n_rows: int, response: np.ndarray = RESPONSE, trend: float = 0.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Two series of a VAR, with what two covariates add to them; white, or around a trend."""
    x = np.random.default_rng(seed).normal(size=(n_rows, 2)) + trend * np.arange(n_rows)[:, None]
    noise = simulate_var(COEFS, n_rows, random_state=seed)
    return noise + trend * np.arange(n_rows)[:, None] + x @ response.T, x


def error(linear: LinearForecast, y: np.ndarray, x: np.ndarray, first: int) -> np.ndarray:
    """Mean squared error of each series from all origins after the first rows."""
    origins = np.arange(first, len(y) - STEPS + 1)
    rows = origins[:, None] - CONTEXT + np.arange(CONTEXT + STEPS)
    forecast = linear(y[rows[:, :CONTEXT]], x[rows])
    return np.square(forecast - y[rows[:, CONTEXT:]]).mean(axis=(0, 1))


def with_and_without(y: np.ndarray, x: np.ndarray, n_known: int) -> tuple[np.ndarray, np.ndarray]:
    rows = [Rows(y[:n_known], x[:n_known])]
    shares = confirmed_shares(rows, STEPS, CONTEXT)
    return (
        error(LinearForecast.estimate(rows, STEPS, CONTEXT, shares=shares), y, x, n_known),
        error(LinearForecast.estimate(rows, STEPS, CONTEXT), y, x, n_known),
    )


@pytest.mark.parametrize("trend", [0.0, 0.3])
def test_the_response_is_found_also_where_both_sides_have_a_trend(trend: float) -> None:
    y, x = case(600, trend=trend)
    effect = estimate_effect([Rows(y, x)], CONTEXT)
    assert np.allclose(effect.weights[:, :, 0], RESPONSE, atol=0.12)
    assert np.allclose(effect.weights[:, :, 1:], 0.0, atol=0.12)


def test_strong_covariates_known_ahead_lower_the_error_to_that_of_the_series_without_them() -> None:
    y, x = case(500)
    found, alone = with_and_without(y, x, 300)
    plain = y - x @ RESPONSE.T
    linear = LinearForecast.estimate([Rows(plain[:300])], STEPS, CONTEXT)
    assert np.all(found < 1.1 * error(linear, plain, x, 300))
    assert np.all(found < 0.5 * alone)


def test_covariates_that_are_noise_change_the_error_by_less_than_two_percent() -> None:
    for seed in range(4):
        y, x = case(500, np.zeros((2, 2)), seed=seed)
        found, alone = with_and_without(y, x, 300)
        assert found.mean() == pytest.approx(alone.mean(), rel=0.02)


def test_an_effect_on_one_series_leaves_the_other_as_it_was() -> None:
    y, x = case(500, np.array([[2.0, 0.0], [0.0, 0.0]]))
    found, alone = with_and_without(y, x, 300)
    assert found[0] < 0.5 * alone[0]
    assert found[1] == pytest.approx(alone[1], rel=0.02)


def test_gaps_in_the_series_and_in_the_covariates_are_left_out() -> None:
    y, x = case(600)
    random = np.random.default_rng(1)
    y[random.random(y.shape) < 0.03] = np.nan
    x[random.random(x.shape) < 0.03] = np.nan
    effect = estimate_effect([Rows(y, x)], CONTEXT)
    assert np.allclose(effect.weights[:, :, 0], RESPONSE, atol=0.4)
    assert np.isfinite(effect(x)).all()


@pytest.mark.parametrize("missing", [[90], slice(2, None, 5)])
def test_missing_values_leave_a_strong_effect_confirmed(missing: list[int] | slice) -> None:
    y, x = case(150)
    y = y + 5 * np.sin(2 * np.pi * np.arange(150) / 12)[:, None]  # lags of a year reach far
    complete = confirmed_shares([Rows(y, x)], STEPS, 60, season=12)
    y[missing] = np.nan
    shares = confirmed_shares([Rows(y, x)], STEPS, 60, season=12)
    assert (complete > 0.95).all()
    assert (shares > 0.95).all()
    effect = estimate_effect([Rows(y, x)], 60, season=12)
    assert np.allclose(effect.weights[:, :, 0], RESPONSE, atol=0.3)


def test_instances_of_a_few_rows_do_not_disturb_a_longer_one() -> None:
    y, x = case(300)
    instances = [Rows(y, x), *(Rows(y[:n_rows], x[:n_rows]) for n_rows in (1, 2, 5, 9))]
    effect = estimate_effect(instances, CONTEXT, season=12)
    assert np.allclose(effect.weights[:, :, 0], RESPONSE, atol=0.2)
    assert confirmed_shares(instances, STEPS, CONTEXT, season=12).min() > 0.5


def test_a_series_that_begins_late_leaves_the_shares_of_the_others() -> None:
    y, x = case(150)
    alone = confirmed_shares([Rows(y[:, :1], x)], STEPS, CONTEXT)
    y[:110, 1] = np.nan
    shares = confirmed_shares([Rows(y, x)], STEPS, CONTEXT)
    assert alone[0] > 0.9
    assert shares.tolist() == [alone[0], 0.0]
    y[:110] = np.nan
    assert confirmed_shares([Rows(y, x)], STEPS, CONTEXT).tolist() == [0.0, 0.0]


def test_no_more_lags_are_read_than_the_window_has() -> None:
    x = np.random.default_rng(0).normal(size=(400, 1))
    y = np.convolve(x[:, 0], 0.9 ** np.arange(20))[:400, None] + 0.1 * x[::-1]
    assert estimate_effect([Rows(y, x)], CONTEXT).weights.shape[2] == 9
    assert estimate_effect([Rows(y, x)], 4).weights.shape[2] == 3


def test_a_covariate_that_never_moves_has_no_effect() -> None:
    y, x = case(200)
    x[:, 1] = 3.0
    effect = estimate_effect([Rows(y, x)], CONTEXT)
    assert np.all(effect.weights[:, 1] == 0)


def test_the_network_beside_which_it_stands_forecasts_as_it_does() -> None:
    y, x = case(320)
    series = [SeriesTensors(torch.from_numpy(y[:300]), None, torch.from_numpy(x[:300]))]
    _, validation = WindowSet.from_series(series, CONTEXT, STEPS).split_in_time(0.2)
    shape = NetworkConfig(2, STEPS, CONTEXT, n_future_covariates=2, d_model=8, n_layers=1)
    network = SAMoVARNetwork(shape, torch.Generator().manual_seed(0)).double().eval()
    report = attach_anchor(network, series, validation)
    assert np.all(report.gate < 0.2)
    assert len(network.config.anchor) == 3
    window, known = y[None, 300 - CONTEXT : 300], x[None, 300 - CONTEXT : 300 + 2 * STEPS]
    rolled = roll_forecast(
        network, torch.from_numpy(window), 2 * STEPS, None, torch.from_numpy(known)
    )[0, ..., 0].numpy()
    alone = SAMoVARNetwork(shape, torch.Generator().manual_seed(0)).double().eval()
    for _ in range(2):
        reach = known[:, : window.shape[1] + STEPS]
        linear = report.linear(window[:, -CONTEXT:], reach[:, -CONTEXT - STEPS :])
        inputs = (window[:, -CONTEXT:], reach[:, -CONTEXT - STEPS :])
        with torch.no_grad():
            own = alone(torch.from_numpy(inputs[0]), None, torch.from_numpy(inputs[1]))
        step = linear + report.gate * (own.forecast[..., 0].numpy() - linear)
        window = np.concatenate([window, step], axis=1)
    assert np.allclose(rolled, window[0, CONTEXT:], atol=1e-10)
