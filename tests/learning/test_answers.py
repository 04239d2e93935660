"""Windows end where they are cut, are rolled alike in any number, and answers have data units."""

from __future__ import annotations

import numpy as np
import torch

from samovar_forecast.config import NetworkConfig
from samovar_forecast.frames.panel import Panel
from samovar_forecast.frames.scaler import Scaler
from samovar_forecast.learning.answers import InstanceForecast, cut_window, roll_windows
from samovar_forecast.learning.trained_network import WINDOWS_AT_ONCE, TrainedNetwork
from samovar_forecast.learning.uncertainty import Predictive
from samovar_forecast.learning.windows import SeriesTensors
from samovar_forecast.network.heads import Head
from tests.builders.sktime import wave

SHAPE = NetworkConfig(2, 3, 9, n_future_covariates=1, d_model=8, n_layers=1)


def series(n_time: int = 30, n_known: int = 33) -> SeriesTensors:
    target = torch.tensor(wave(n_time=n_time).to_numpy().tolist())
    return SeriesTensors(target, None, torch.arange(float(n_known))[:, None])


def test_a_window_holds_the_context_before_its_end_and_what_is_known_ahead():
    window = cut_window(series(), 20, SHAPE, 6)
    assert torch.equal(window.target, series().target[11:20])
    assert window.past_covariates is None
    assert window.future_covariates[:, 0].tolist() == list(range(11, 26))


def test_the_last_known_covariates_stand_in_for_those_that_end_too_early():
    window = cut_window(series(), 30, SHAPE, 6)
    assert window.future_covariates[:, 0].tolist() == [*range(21, 33), 32, 32, 32]


def test_windows_are_rolled_alike_alone_and_in_any_number():
    columns = wave()
    panel = Panel.from_frame(columns, columns[["a"]])
    trained = TrainedNetwork.new(panel, SHAPE, Head.point(), seed=0)
    ends = [10 + k % 15 for k in range(WINDOWS_AT_ONCE + 3)]
    windows = [cut_window(series(), end, SHAPE, 6) for end in ends]
    rolled = list(roll_windows(trained, windows, 5))
    assert len(rolled) == len(windows)
    assert rolled[0].shape == (5, 2, 1)
    assert rolled[0].dtype == np.float64
    (alone,) = roll_windows(trained, windows[-1:], 5)
    np.testing.assert_allclose(rolled[-1], alone, rtol=0, atol=1e-5)


def test_answers_are_in_the_units_of_the_series_and_a_constant_goes_on():
    generator = np.random.default_rng(0)
    scaled = Predictive(
        generator.normal(size=(4, 2, 1)), Head.point(), generator.normal(size=(9, 4, 2))
    )
    scaler = Scaler(np.array([100.0, 7.0]), np.array([10.0, 0.0]))
    forecast = InstanceForecast(scaled, scaler, last=np.array([90.0, 8.0]))
    np.testing.assert_allclose(forecast.point()[:, 0], 100 + 10 * scaled.point()[:, 0])
    np.testing.assert_allclose(forecast.variance()[:, 0], 100 * scaled.variance()[:, 0])
    for answer in (forecast.point(), forecast.quantiles([0.1, 0.9]), forecast.atoms()):
        assert (answer[..., 1] == 8.0).all()
    assert (forecast.variance()[:, 1] == 0).all()
