"""What was learned is carried to other series: it is saved, checked against them, and scored."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from samovar_forecast.config import NetworkConfig
from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.panel import Panel
from samovar_forecast.learning.trained_network import Columns, TrainedNetwork
from samovar_forecast.learning.windows import SeriesTensors, WindowSet
from samovar_forecast.network.heads import Head
from tests.builders.sktime import wave

SHAPE = NetworkConfig(2, 3, 9, d_model=8, n_layers=1, missing_values=True)


def untrained(seed: int = 0) -> TrainedNetwork:
    return TrainedNetwork.new(Panel.from_frame(wave()), SHAPE, Head.point(), seed)


def windows(n_time: int = 60) -> WindowSet:
    values = torch.tensor(wave(n_time=n_time).to_numpy().tolist())
    return WindowSet.from_series([SeriesTensors(values)], 9, 3)


def test_a_new_network_is_decided_by_its_seed_and_knows_its_columns():
    network, again, other = untrained(), untrained(), untrained(1)
    assert torch.equal(network.network.head.weight, again.network.head.weight)
    assert not torch.equal(network.network.head.weight, other.network.head.weight)
    assert network.columns == Columns(("a", "b"), (), ())
    assert not network.network.training


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: y[["a"]], r"y has another number of columns.*1: \['a'\].*2, like \['a', 'b'\]"),
        (lambda y: y[["b", "a"]], r"columns of y are in another order"),
    ],
)
def test_a_panel_that_it_cannot_read_is_refused(change, message):
    with pytest.raises(DataError, match=message):
        untrained().check_columns(Panel.from_frame(change(wave())))


def test_other_series_of_the_same_number_are_read():
    untrained().check_columns(Panel.from_frame(wave().rename(columns={"a": "x", "b": "z"})))


def test_enough_windows_held_out_are_scored_and_too_few_replaced_by_all():
    network = untrained()
    held_out = network.scored(windows(), windows(30), n_steps=6)
    assert held_out.is_held_out
    assert held_out.calibration.scores.shape == (19, 3, 2)  # too few windows reach six steps
    for few in (windows(14), None):
        scored = network.scored(windows(), few, n_steps=6)
        assert not scored.is_held_out
        assert scored.calibration.scores.shape == (49, 6, 2)
        assert held_out.scored(windows(), few, n_steps=6) is held_out


def test_scores_are_the_errors_of_the_forecasts():
    network, all_windows = untrained(), windows()
    scores = network.scored(all_windows, all_windows, n_steps=3).calibration.scores
    batch = all_windows.batch(torch.arange(len(all_windows)))
    with torch.no_grad():
        forecast = network.network(batch.target, last_only=True).forecast[..., 0]
    np.testing.assert_allclose(scores, (batch.future - forecast).numpy(), rtol=0, atol=1e-5)
