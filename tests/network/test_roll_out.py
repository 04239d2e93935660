"""Horizons beyond a patch: what was forecast joins the window of the next patch."""

from __future__ import annotations

import pytest
import torch

from samovar_forecast.exceptions import DataError
from samovar_forecast.network.heads import Head
from samovar_forecast.network.losses import output_parameters
from samovar_forecast.network.roll_out import roll_forecast
from tests.builders.network import random_network, windows


@pytest.mark.parametrize("horizon", [1, 4, 5, 11])
def test_patches_follow_each_other_and_are_cut_at_the_horizon(horizon: int) -> None:
    network, path = random_network(), windows()
    rolled = roll_forecast(network, path, horizon)
    with torch.no_grad():
        for _ in range(3):
            ahead = network(path[:, -20:]).forecast[..., 0]
            path = torch.cat([path, ahead], dim=1)
    torch.testing.assert_close(rolled[..., 0], path[:, 20 : 20 + horizon])


@pytest.mark.parametrize("head", [Head.gaussian(), Head.of_quantiles([0.2, 0.6, 0.9])])
def test_the_center_of_a_distribution_joins_the_window(head: Head) -> None:
    network, target = random_network(n_params=head.n_params), windows()
    rolled = roll_forecast(network, target, 8, head=head)
    with torch.no_grad():
        first = output_parameters(network(target), target, head)
        later = torch.cat([target, first[..., head.center]], dim=1)[:, -20:]
        second = output_parameters(network(later), later, head)
    torch.testing.assert_close(rolled, torch.cat([first, second], dim=1))


def test_past_covariates_stay_at_their_last_value_and_future_covariates_move_on() -> None:
    network = random_network(n_past_covariates=1, n_future_covariates=1)
    target, past, future = windows(), windows(n_channels=1), windows(length=28, n_channels=1)
    rolled = roll_forecast(network, target, 8, past, future)
    held = past[:, -1:].expand(-1, 4, -1)
    with torch.no_grad():
        first = network(target, past, future[:, :24]).forecast[..., 0]
        later = torch.cat([target, first], dim=1)[:, 4:]
        second = network(later, torch.cat([past, held], dim=1)[:, 4:], future[:, 4:])
    torch.testing.assert_close(rolled[:, 4:], second.forecast)


def test_future_covariates_that_end_inside_the_last_patch_are_refused() -> None:
    network = random_network(n_future_covariates=1)
    with pytest.raises(DataError, match=r"too short.*27 steps.*28"):
        roll_forecast(network, windows(), 5, future_covariates=windows(length=27, n_channels=1))
