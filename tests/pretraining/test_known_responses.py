"""The response that is known is that of the process, and the network's is that of its forecast."""

import numpy as np
import pytest
import torch

from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from samovar_forecast.pretraining.draws import Draws
from samovar_forecast.pretraining.known_responses import (
    KnownVARs,
    forecast_responses,
    known_vars,
    response_loss,
    responses,
)
from samovar_forecast.pretraining.vector_families import companion_radius


@pytest.fixture(scope="module")
def network():
    config = ZeroShotConfig(width=16, n_layers=1)
    return ZeroShotNetwork(config, torch.Generator().manual_seed(0)).double().eval()


def test_responses_are_the_difference_of_two_runs_without_noise():
    matrices = known_vars(Draws(3), 2, 60, 3).matrices.double()
    found = responses(matrices, 6)
    for b in range(2):
        for impulse in range(3):
            past = [np.zeros(3) for _ in range(matrices.shape[1])]
            past[-1] = np.eye(3)[impulse]
            for step in range(6):
                lags = range(matrices.shape[1])
                now = sum(matrices[b, lag].numpy() @ past[-1 - lag] for lag in lags)
                past.append(now)
                np.testing.assert_allclose(found[b, :, step, impulse], now, atol=1e-12)


def test_least_squares_on_a_long_path_finds_the_matrices_in_its_units():
    known = known_vars(Draws(5), 1, 8_000, 2, moving=0.0)
    y, matrices = known.values[0].double(), known.matrices[0].double()
    order = len(matrices)
    torch.testing.assert_close(y.mean(0), torch.zeros(2).double(), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.std(0), torch.ones(2).double(), atol=1e-3, rtol=0)
    lags = torch.cat([y[order - lag : len(y) - lag] for lag in range(1, order + 1)], 1)
    found = torch.linalg.lstsq(lags, y[order:]).solution.T.unflatten(1, (order, 2))
    torch.testing.assert_close(found.transpose(0, 1), matrices, atol=0.06, rtol=0)


def test_moving_matrices_are_those_of_the_last_row():
    still, moving = (known_vars(Draws(1), 40, 50, 2, moving=share) for share in (0.0, 1.0))
    assert still.values.shape == moving.values.shape == (40, 50, 2)
    moved = (moving.matrices - still.matrices).flatten(1).norm(dim=1)
    assert (moved > 0.05).float().mean() > 0.5


def test_where_series_lead_each_hears_itself_and_earlier_series_alone():
    known = known_vars(Draws(2), 60, 80, 4, leading=1.0)
    effects = known.matrices.abs().sum(1)  # B C C
    assert effects.triu(1).max() == 0
    assert (effects.tril(-1) > 0.3).any((1, 2)).float().mean() > 0.5
    assert (companion_radius(known.matrices) < 1).all()
    none = known_vars(Draws(2), 60, 80, 4, leading=0.0)
    assert (none.matrices.abs().sum(1).triu(1) > 0).any()


def test_squared_errors_weigh_near_steps_by_one_over_the_root_of_the_step(monkeypatch, network):
    known = known_vars(Draws(0), 4, 48, 3)
    truth = responses(known.matrices, 2)
    size_of_error = torch.tensor([0.2, 0.4])
    monkeypatch.setattr(
        "samovar_forecast.pretraining.known_responses.forecast_responses",
        lambda network, values, impulse, size: truth[torch.arange(4), ..., impulse] + size_of_error,
    )
    near, far = 1.0, 2**-0.5
    wanted = (near * 0.04 + far * 0.16) / (near + far)
    assert response_loss(network, known, Draws(1)).item() == pytest.approx(wanted, rel=1e-5)


def test_the_response_of_the_network_is_the_move_of_its_forecast(network):
    known = known_vars(Draws(0), 3, 64, 2)
    values = known.values.double()
    impulse, size = torch.tensor([0, 1, 1]), torch.tensor([0.2, -0.3, 0.1]).double()
    with torch.no_grad():
        found = forecast_responses(network, values, impulse, size)
    centre = network.config.quantiles.index(0.5)
    for b in range(3):
        shocked = values[b].clone()
        shocked[-1, impulse[b]] += size[b]
        before, after = (
            network.forecast(window[None], 64, 1)[0, ..., centre] for window in (values[b], shocked)
        )
        torch.testing.assert_close(found[b], ((after - before) / size[b]).T)


def test_the_loss_is_zero_for_a_network_that_answers_as_the_process_does(monkeypatch, network):
    known = known_vars(Draws(0), 4, 48, 3)
    loss = response_loss(network, KnownVARs(known.values.double(), known.matrices), Draws(1))
    assert loss.item() > 0
    loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)
    truth = responses(known.matrices, 64)
    monkeypatch.setattr(
        "samovar_forecast.pretraining.known_responses.forecast_responses",
        lambda network, values, impulse, size: truth[torch.arange(4), ..., impulse],
    )
    assert response_loss(network, known, Draws(1)).item() == 0.0
