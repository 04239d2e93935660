"""Properties of the network that hold for any weights."""

from __future__ import annotations

import pytest
import torch

from samovar_forecast.config import NetworkConfig
from samovar_forecast.network import SAMoVARNetwork, samovar_loss
from tests.builders.network import random_network, windows

PREDICTORS = ("samovar", "lintrans", "fixedvar")


@pytest.mark.parametrize("univariate", [False, True])
@pytest.mark.parametrize("attention", ["parallel", "chunked"])
@pytest.mark.parametrize("predictor", PREDICTORS)
def test_nothing_after_a_patch_changes_a_prediction_at_or_before_it(
    predictor: str, attention: str, univariate: bool
) -> None:
    network = random_network(
        predictor=predictor, attention=attention, univariate=univariate, normalization="none"
    )
    window = windows()
    with torch.no_grad():
        before = network(window).patch_pred
        for n in range(network.config.n_patches - 1):
            changed = window.clone()
            changed[:, 4 * (n + 1) :] += 5.0
            after = network(changed).patch_pred
            assert torch.equal(after[:, :, : n + 1], before[:, :, : n + 1])
            assert not torch.allclose(after[:, :, n + 1], before[:, :, n + 1])


def test_a_future_covariate_acts_on_its_own_patch_and_not_before() -> None:
    network = random_network(n_future_covariates=2, normalization="none")
    window, future = windows(), windows(length=24, n_channels=2, seed=5)
    with torch.no_grad():
        before = network(window, future_covariates=future).patch_pred
        changed = future.clone()
        changed[:, 12:] += 1.0  # from the fourth patch on, which is predicted at the third
        after = network(window, future_covariates=changed).patch_pred
    assert torch.equal(after[:, :, :2], before[:, :, :2])
    assert not torch.allclose(after[:, :, 2], before[:, :, 2])


@pytest.mark.parametrize("predictor", PREDICTORS)
@pytest.mark.parametrize("normalization", ["last_patch", "window"])
def test_the_forecast_follows_a_shift_and_a_positive_scale_of_each_series(
    predictor: str, normalization: str
) -> None:
    network = random_network(predictor=predictor, normalization=normalization)
    window = windows()
    shift = torch.tensor([5.0, -3.0, 100.0], dtype=torch.float64)
    factor = torch.tensor([2.0, 10.0, 0.1], dtype=torch.float64)
    with torch.no_grad():
        plain = network(window).forecast[..., 0]
        moved = network(window * factor + shift).forecast[..., 0]
    torch.testing.assert_close(moved, plain * factor + shift, rtol=1e-6, atol=1e-6)


def test_a_constant_window_is_forecast_by_its_level_and_spoils_no_gradient() -> None:
    network = random_network().float().train()
    window = windows().float()
    window[:, :, 1] = 0.3
    output = network(window)
    assert torch.equal(output.forecast[:, :, 1, 0], torch.full((2, 4), 0.3))
    samovar_loss(output, window[:, :4]).total.backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in network.parameters())


@pytest.mark.parametrize("context_length", [1, 3, 4])
def test_a_window_of_one_patch_has_a_forecast_and_no_next_patch_loss(context_length: int) -> None:
    network = random_network(context_length=context_length)
    window = windows(length=context_length)
    output = network(window)
    loss = samovar_loss(output, windows(length=4))
    assert torch.isfinite(output.forecast).all()
    assert loss.next_patch.item() == 0.0
    assert loss.total.item() == loss.terminal.item() > 0


@pytest.mark.parametrize("predictor", PREDICTORS)
def test_every_parameter_receives_a_gradient(predictor: str) -> None:
    for univariate in (False, True):
        network = random_network(
            predictor=predictor, univariate=univariate, n_past_covariates=1,
            n_future_covariates=1, n_static_covariates=2,
        )  # fmt: skip
        output = network(
            windows(), windows(n_channels=1), windows(length=24, n_channels=1),
            windows(length=3, n_channels=2),
        )  # fmt: skip
        samovar_loss(output, windows(length=4)).total.backward()
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name


def test_a_univariate_network_never_looks_at_the_other_series() -> None:
    network = random_network(univariate=True)
    window = windows()
    changed = window.clone()
    changed[..., 1:] += windows(n_channels=2, seed=9)
    with torch.no_grad():
        before, after = network(window).forecast, network(changed).forecast
    assert torch.equal(before[:, :, 0], after[:, :, 0])


def test_building_a_network_leaves_the_global_random_state_alone() -> None:
    before = torch.random.get_rng_state()
    first = SAMoVARNetwork(NetworkConfig(2, 4, 8), torch.Generator().manual_seed(3))
    second = SAMoVARNetwork(NetworkConfig(2, 4, 8), torch.Generator().manual_seed(3))
    assert torch.equal(before, torch.random.get_rng_state())
    for parameter, repeated in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(parameter, repeated)
