"""A share of the network does not make the roll-out of a fragile linear map explode."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("darts", reason="darts is not installed")

from darts.utils.likelihood_models import GaussianLikelihood

from samovar_forecast.adapters.darts.roll_out import bearable_gate
from samovar_forecast.linear.linear_map import LinearMap
from tests.builders.darts import THIRD_PARTY, daily, tiny

pytestmark = [pytest.mark.filterwarnings(line) for line in THIRD_PARTY]


def autoregression(*weights: float) -> LinearMap:
    """A map of one step of two series: an autoregression, and the last value."""
    own = np.zeros((1, 2, len(weights)))
    own[0, 0], own[0, 1, 0] = weights, 1.0
    return LinearMap(own, np.zeros((1, 2, 0, 2)), np.zeros((1, 2)), np.zeros(2))


def test_only_the_component_that_the_share_makes_unstable_is_left_to_the_map():
    """A smooth wave of six lags, exact and fragile, beside a random walk."""
    angle = np.array([0.1, 0.2, 0.3])
    roots = np.concatenate([np.exp(1j * angle), np.exp(-1j * angle)])
    exact = autoregression(*-np.poly(roots).real[1:])
    time = np.arange(24)
    wave = sum(np.sin(rate * time + rate) for rate in angle)
    walk = np.random.default_rng(0).normal(size=24).cumsum()
    windows = np.stack([wave, walk], axis=1)[None]
    gate = np.full((1, 2), 0.05)
    for is_sampled, left_to in ((False, 0.0), (True, 1.0)):
        found = bearable_gate(exact, gate, windows, is_sampled=is_sampled)
        np.testing.assert_array_equal(found, [[left_to, 0.05]])
        calm = bearable_gate(autoregression(0.5, 0.3), gate, windows, is_sampled=is_sampled)
        np.testing.assert_array_equal(calm, gate)


def test_without_a_share_or_a_window_there_is_nothing_to_judge():
    gate = np.full((1, 2), 0.5)
    calm = autoregression(0.5)
    assert bearable_gate(calm, gate, np.empty((0, 24, 2)), is_sampled=False) is gate
    none = np.zeros((1, 2))
    assert bearable_gate(calm, none, np.zeros((1, 24, 2)), is_sampled=False) is none


SMALL = {"n_epochs": 4, "optimizer_kwargs": {"lr": 3e-3}}


@pytest.mark.parametrize("chunks", [(50, 5), (24, 4)])
@pytest.mark.parametrize("is_sampled", [False, True])
def test_smooth_series_without_noise_are_rolled_out_within_sight(chunks, is_sampled):
    time = np.arange(400)
    smooth = np.sin(time / 9) + 0.3 * np.sin(time / 5) + 0.1 * np.sin(time / 2.3) + 0.025 * time
    series = daily(smooth[:, None], dtype="float64")
    lengths = {"input_chunk_length": chunks[0], "output_chunk_length": chunks[1]}
    model = tiny(
        linear=True, likelihood=GaussianLikelihood() if is_sampled else None, **lengths, **SMALL
    )
    forecast = model.fit(series).predict(160, num_samples=20 if is_sampled else 1).all_values()
    assert np.abs(forecast - 10).max() < 30  # the trend ends at 14
