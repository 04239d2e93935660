"""The benchmark of the pretrained network, on a network that is not trained."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks import zero_shot
from benchmarks.econometric import LINEAR
from benchmarks.harness import in_fresh_process
from benchmarks.samples import Sample
from benchmarks.zero_shot_network import ZeroShot
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig


@pytest.fixture(scope="module")
def network():
    return ZeroShotNetwork(ZeroShotConfig(), torch.Generator().manual_seed(0)).eval()


def test_a_set_is_scored_at_the_origins_and_in_the_units_of_the_record(network):
    y = np.random.default_rng(0).normal(size=(100, 2)).cumsum(0)
    linear = {"VAR": 2.0, "Ridge VAR": 1.5, LINEAR: 1.8}
    about = {"first_window": 60, "season": 4, "stride": 4, "MSE": linear}
    found = zero_shot.panel_set(network, y, about, horizon=5)
    unit = y[:60].std(0, ddof=1)
    errors = []
    for now in range(60, 92, 4):
        ahead = zero_shot.median_forecast(network, y[None, :now], 5, 4)[0]
        errors.append((((ahead - y[now : now + 5]) / unit) ** 2).mean())
    assert found["MSE"] == pytest.approx(np.mean(errors))
    assert found[LINEAR] == 1.8
    assert zero_shot.better_var(found) == 1.5


def test_responses_are_held_against_those_of_the_process(network, monkeypatch):
    monkeypatch.setattr(zero_shot, "N_VARS", zero_shot.AT_ONCE)
    found = zero_shot.recovery(network, "constant, 400 rows")
    assert set(found) == set(zero_shot.RIVALS)
    assert all(len(errors) == len(zero_shot.RESPONSE_STEPS) for errors in found.values())
    assert found["VAR"][0] < found["rolling VAR"][0] < 0.5
    assert found["VAR"][0] < 0.5 * found["zero"][0]


def test_the_contestant_answers_samples_of_any_length_in_their_order(network):
    import pandas as pd

    contestant = ZeroShot()
    contestant.network, contestant.horizon, contestant.season = network, 6, 4
    random = np.random.default_rng(0)
    samples = [
        Sample(pd.DataFrame(random.normal(size=(n, c)).cumsum(0)))
        for n, c in ((30, 1), (80, 2), (12, 1))
    ]
    found = contestant.forecast(samples)
    for sample, forecast in zip(samples, found, strict=True):
        alone = contestant.forecast([sample])[0]
        n_series = sample.y.shape[1]
        assert forecast.points.shape == (6, n_series)
        assert forecast.quantiles.shape == (6, n_series, 9)
        # Not equal to the last digit: seasons are looked for after quarters of the longest window.
        np.testing.assert_allclose(forecast.points, alone.points, atol=0.2)


def test_what_is_measured_is_what_is_forecast(network, monkeypatch):
    asked = []
    monkeypatch.setattr(
        zero_shot,
        "median_forecast",
        lambda network, past, horizon, season: asked.append((past.shape, horizon, season)),
    )
    one = zero_shot.COSTS["1,000 series of 60 rows, 12 steps"]
    one.run(network, one.windows())
    assert sum(shape[0] for shape, _, _ in asked) == 1000
    assert {(shape[1:], *rest) for shape, *rest in asked} == {((60, 1), 12, 12)}


def test_the_memory_of_a_forecast_is_some_mebibytes():
    """In a process of its own: one that has freed memory before may not grow at all."""
    grown = in_fresh_process("benchmarks.zero_shot:peak_memory", name="200 x 200, 8 steps")
    assert grown is None or 2**23 < grown < 2**28  # 72 MiB where it was measured
