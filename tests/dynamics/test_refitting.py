"""Networks trained again: without a series, in the units of the data, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from samovar_forecast import NetworkConfig, TrainingConfig
from samovar_forecast.dynamics.refitting import NetworkLearner, network_step
from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.linear.simulate import simulate_var
from tests.builders.steps import CHAIN, CHAIN_NAMES

CONFIG = NetworkConfig(
    n_series=3,
    patch_length=1,
    context_length=4,
    d_model=16,
    n_heads=2,
    n_layers=1,
    dropout=0.0,
    normalization="none",
)
TRAINING = TrainingConfig(max_epochs=6, batch_size=64, learning_rate=3e-3)


@pytest.fixture(scope="module")
def network_learner():
    series = simulate_var(CHAIN, 400, intercept=np.array([10.0, 0.0, -5.0]), random_state=1)
    return NetworkLearner(series, CHAIN_NAMES, CONFIG, TRAINING, n_test=100)


def test_a_network_without_a_series_never_reads_it(network_learner):
    learner = network_learner
    step = learner.fit(learner.series[:250], seed=0, removed=("a",))
    windows = learner.test_histories.copy()
    before = step(windows)
    windows[:, :, 0] += 3.0
    after = step(windows)
    np.testing.assert_array_equal(before[:, 1:], after[:, 1:])
    assert np.abs(before[:, 0] - after[:, 0]).min() > 0  # its own forecast may use it
    windows[:, :, 1] += 3.0
    assert np.abs(step(windows)[:, 2] - after[:, 2]).min() > 0


def test_the_network_learner_forecasts_every_test_origin_from_its_own_window(network_learner):
    learner = network_learner
    forecasts = learner(CHAIN_NAMES)
    assert forecasts.shape == (2, 100, 3)
    step = learner.fit(learner.series[:-100], seed=1)
    window = learner.series[-11 - 4 : -11]
    np.testing.assert_allclose(forecasts[1, -11], step(window[None])[0], rtol=1e-5)
    error = ((learner.test_actual - forecasts) ** 2).mean(axis=(0, 1))
    assert (error < learner.test_actual.var(axis=0)).all()


def test_the_network_step_is_the_network_in_the_units_of_the_data(network_learner):
    import torch

    network, location, scale = network_learner.train(network_learner.series[:200], seed=0)
    windows = network_learner.test_histories[:2]
    scaled = torch.tensor((windows - location) / scale, dtype=torch.float32)
    with torch.no_grad():
        expected = network(scaled).forecast[:, 0, :, 0].numpy() * scale + location
    np.testing.assert_allclose(network_step(network, location, scale)(windows), expected, rtol=1e-5)


def test_a_refit_leaves_an_anchor_and_further_parameters_out(network_learner):
    config = replace(CONFIG, anchor=(2, 1), n_params=3)
    learner = replace(network_learner, network=config, training=replace(TRAINING, max_epochs=1))
    network, _, _ = learner.train(learner.series[:100], seed=0)
    assert network.config == CONFIG


def test_a_learner_that_cannot_train_says_why():
    series = np.zeros((100, 3))
    with pytest.raises(ConfigurationError, match="do not fit"):
        NetworkLearner(series, ("a", "b"), CONFIG, TRAINING, n_test=10)
    with pytest.raises(DataError, match="nothing to train on"):
        NetworkLearner(series, CHAIN_NAMES, CONFIG, TRAINING, n_test=97)
    with pytest.raises(DataError, match="have gaps"):
        NetworkLearner(series * np.nan, CHAIN_NAMES, CONFIG, TRAINING, n_test=10)
    with pytest.raises(ConfigurationError, match="covariates"):
        NetworkLearner(
            series, CHAIN_NAMES, replace(CONFIG, n_past_covariates=1), TRAINING, n_test=10
        )
