"""A panel trains a network by a plan, is forecast by it, and moves on; nothing changes in place."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pandas as pd
import pytest
import torch

from samovar_forecast.exceptions import ConfigurationError, DataError
from samovar_forecast.frames.panel import Panel
from samovar_forecast.learning.network_fit import HowToTrain
from samovar_forecast.learning.panel_forecaster import PanelForecaster
from samovar_forecast.learning.plan import Plan
from samovar_forecast.learning.training import fit_network
from samovar_forecast.network import Loss
from samovar_forecast.network.losses import head_loss
from tests.builders.sktime import wave

PLAN = Plan(
    linear=False,
    pretrained=False,
    train=True,
    context_length=9,
    patch_length=3,
    d_model=8,
    n_layers=1,
    max_epochs=1,
)
QUIET = HowToTrain(progress=False)
STEPS = [np.array([1, 2, 3, 5])]


def learn(plan: Plan = PLAN, ready=None, y: pd.DataFrame | None = None, fit=None):
    panel = Panel.from_frame(wave(n_time=50) if y is None else y)
    how = QUIET._replace(fit=fit)
    return PanelForecaster.learn(panel, plan, horizon=3, ready=ready, how=how)


@pytest.fixture(scope="module")
def learned() -> PanelForecaster:
    return learn()[0]


def weights(model: PanelForecaster) -> torch.Tensor:
    return torch.cat([weight.flatten() for weight in model.trained.network.state_dict().values()])


def test_a_ready_network_is_used_as_it_is_beside_the_other_members(learned):
    ready = learned.trained
    model, result = learn(dataclasses.replace(PLAN, train=False, linear=True), ready=ready)
    assert result is None
    for name, weight in ready.network.state_dict().items():
        assert torch.equal(weight, model.trained.network.state_dict()[name])
    assert [member.name for member in model.average.members] == ["linear", "trained"]
    with pytest.raises(ConfigurationError, match="no member"):
        learn(dataclasses.replace(PLAN, train=False))


def test_the_members_of_an_instance_make_its_forecast_in_the_scale_of_its_rows():
    y = wave(n_time=50)
    model, _ = learn(Plan(linear=True, pretrained=True))
    found = model.members_of(None)
    assert list(found.members) == ["linear", "pretrained"]
    assert found.n_rows == 2048
    scaled = found.scaler.forward(y.to_numpy())
    network, season, effect = found.members["pretrained"]
    assert effect is None
    levels = network.forecast(torch.tensor(scaled)[None], 3, season)[0].numpy()
    linear = found.members["linear"]
    points = {
        "linear": linear(scaled[None, -linear.map.n_lags :], None)[0],
        "pretrained": levels[..., network.config.quantiles.index(0.5)],
    }
    assert found.shares["linear"].shape == (3, 2)
    average = sum(found.shares[name] * point for name, point in points.items())
    (forecast,) = model.forecast([np.array([1, 2, 3])], None)
    np.testing.assert_allclose(found.scaler.inverse(average, y.to_numpy()[-1]), forecast, rtol=1e-5)


def test_a_network_is_fitted_as_the_caller_says(learned):
    def hundredfold(*parts):
        return Loss(*(100 * part for part in head_loss(*parts)))

    plain = learn()[1]
    given = learn(fit=functools.partial(fit_network, loss=hundredfold))[1]
    losses = [result.history[0]["training_loss"] for result in (plain, given)]
    assert losses[1] > 50 * losses[0]
    same, _ = learn(fit=fit_network)
    assert torch.equal(weights(same), weights(learned))


def test_forecasts_are_in_the_units_of_the_series(learned):
    y = wave(n_time=50)
    units = np.array([1000.0, 0.001])
    scaled, _ = learn(y=y * units + 5.0)
    (plain,), (other,) = learned.forecast(STEPS, None), scaled.forecast(STEPS, None)
    assert plain.shape == (4, 2)
    np.testing.assert_allclose((other - 5.0) / units, plain, rtol=0, atol=1e-4)


def test_every_answer_comes_from_the_predictive_distribution(learned):
    (forecast,) = learned.predictive(STEPS, None)
    np.testing.assert_array_equal(forecast.point(), learned.forecast(STEPS, None)[0])
    low, high = forecast.quantiles([0.1, 0.9])
    assert (low < high).all()
    paths = forecast.atoms()
    np.testing.assert_allclose(forecast.variance(), paths.var(axis=0))
    drawn = forecast.sample(7, np.random.default_rng(0))
    assert drawn.shape == (7, 4, 2)
    assert all((path == paths).all(axis=(1, 2)).any() for path in drawn)


def test_the_past_is_forecast_from_the_rows_before_it(learned):
    (past,) = learned.forecast([np.array([-3, 0])], None)
    newer = Panel.from_frame(wave(n_time=50).iloc[-3:], known=learned.panel)
    earlier = PanelForecaster(
        learned.average, learned.scalers, Panel.from_frame(wave(n_time=50).iloc[:46])
    )
    np.testing.assert_allclose(past[0], earlier.forecast([np.array([1])], None)[0][0], atol=1e-6)
    assert len(newer.instances[0]) == 3
    n_needed = learned.trained.config.context_length
    steps = np.array([-49, n_needed - 50, n_needed - 49, 0, 1])
    (early,) = learned.forecast([steps], None)
    assert np.isfinite(early).all(1).tolist() == [False, False, True, True, True]
    np.testing.assert_array_equal(early[3], past[1])
    with pytest.raises(DataError, match=r"a past before the first row.*found: .*wanted: .*later"):
        learned.forecast([np.array([-50])], None)


def test_moving_on_changes_the_rows_and_nothing_else(learned):
    y = wave()
    newer = Panel.from_frame(y.iloc[50:55], known=learned.panel)
    moved = learned.moved_on(newer)
    assert moved.trained is learned.trained
    assert moved.panel.instances[0].last == y.index[54]
    assert learned.panel.instances[0].last == y.index[49]


def test_an_update_learns_in_a_copy_and_moves_on(learned):
    newer = Panel.from_frame(wave().iloc[50:], known=learned.panel)
    before = weights(learned).clone()
    updated = learned.continued(newer, PLAN.budget_update(), QUIET._replace(seed=1))
    assert torch.equal(weights(learned), before)
    assert not torch.equal(updated.trained.network.head.weight, learned.trained.network.head.weight)
    assert updated.panel.instances[0].last == newer.instances[0].last
