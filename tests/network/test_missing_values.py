"""A network that foresees missing values uses what is there, and only that."""

from __future__ import annotations

import pytest
import torch

from samovar_forecast.network import SAMoVARNetwork, samovar_loss
from samovar_forecast.network.heads import Head
from samovar_forecast.network.losses import head_loss
from tests.builders.network import random_network, windows, with_gaps

NAN = float("nan")


@pytest.mark.parametrize("normalization", ["last_patch", "window", "none"])
def test_without_gaps_the_network_is_that_of_the_paper(normalization: str) -> None:
    plain = random_network(normalization=normalization, n_future_covariates=1)
    foreseeing = random_network(
        normalization=normalization, n_future_covariates=1, missing_values=True
    )
    weights = plain.state_dict()
    mix = torch.zeros_like(foreseeing.tokenizer.future_mix.weight)
    mix[:, :2] = weights.pop("tokenizer.future_mix.weight")
    foreseeing.load_state_dict({**weights, "tokenizer.future_mix.weight": mix}, strict=False)
    inputs = {"target": windows(), "future_covariates": windows(length=24, n_channels=1)}
    with torch.no_grad():
        expected, got = plain(**inputs), foreseeing(**inputs)
    torch.testing.assert_close(got.patch_pred, expected.patch_pred)
    torch.testing.assert_close(got.forecast, expected.forecast)
    loss, wanted = samovar_loss(got, windows(length=4)), samovar_loss(expected, windows(length=4))
    torch.testing.assert_close(loss.total, wanted.total)


@pytest.mark.parametrize("normalization", ["last_patch", "window", "none"])
def test_gaps_give_finite_forecasts_losses_and_gradients(normalization: str) -> None:
    network = random_network(
        normalization=normalization,
        missing_values=True,
        n_past_covariates=1,
        n_future_covariates=2,
    )
    past, future = windows(n_channels=1), windows(length=24, n_channels=2)
    past[0, 3] = future[0, 6, 1] = future[1, 21, 0] = NAN
    output = network(with_gaps(windows()), past, future)
    actual = windows(length=4)
    actual[0, 1, 0] = NAN
    assert torch.isfinite(output.forecast).all()
    loss = samovar_loss(output, actual)
    loss.total.backward()
    assert torch.isfinite(loss.total)
    assert all(torch.isfinite(parameter.grad).all() for parameter in network.parameters())


def test_the_tokens_know_where_a_value_is_missing() -> None:
    """A gap is not the same as the value that a fill would put there."""
    network = random_network(missing_values=True, normalization="none")
    filled = windows()
    filled[:, 9, 1] = 0.0
    gap = filled.clone()
    gap[:, 9, 1] = NAN
    with torch.no_grad():
        assert not torch.allclose(network(gap).forecast, network(filled).forecast)
        for name, parameter in network.named_parameters():
            if "missing" in name:
                parameter.zero_()
        torch.testing.assert_close(network(gap).forecast, network(filled).forecast)


def test_a_constant_series_with_gaps_is_forecast_by_its_level() -> None:
    network = random_network(missing_values=True)
    window = windows()
    window[:, :, 1] = 7.0
    window[:, 3::5, 1] = NAN
    with torch.no_grad():
        forecast = network(window).forecast[:, :, 1, 0]
    torch.testing.assert_close(forecast, torch.full((2, 4), 7.0, dtype=torch.float64))


def test_steps_that_are_missing_do_not_count_in_the_loss() -> None:
    network = random_network(missing_values=True)
    window, actual = windows(), windows(length=4)
    with torch.no_grad():
        output = network(window)
        errors = (output.forecast[..., 0] - actual).square()
        actual[:, 2] = NAN
        loss = samovar_loss(output, actual)
    torch.testing.assert_close(loss.terminal, errors[:, [0, 1, 3]].mean())


@pytest.mark.parametrize("head", [Head.of_quantiles([0.1, 0.5, 0.9]), Head.gaussian()])
def test_losses_of_distributions_skip_missing_steps_too(head: Head) -> None:
    network = random_network(missing_values=True, n_params=head.n_params)
    actual = windows(length=4)
    actual[0, 0, 0] = NAN
    window = with_gaps(windows())
    loss = head_loss(network(window), window, actual, head)
    loss.total.backward()
    assert torch.isfinite(loss.total)
    assert all(torch.isfinite(parameter.grad).all() for parameter in network.parameters())


def test_a_network_that_does_not_foresee_gaps_passes_them_on() -> None:
    network: SAMoVARNetwork = random_network()
    with torch.no_grad():
        assert network(with_gaps(windows())).forecast.isnan().any()
