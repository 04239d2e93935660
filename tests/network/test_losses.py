"""Losses: of the forecast in the units of the data, of the next patches in those of the window."""

from __future__ import annotations

import pytest
import torch

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.network import samovar_loss
from samovar_forecast.network.heads import Head, ParameterHead
from samovar_forecast.network.losses import head_loss, mean_where, output_parameters
from tests.builders.network import random_network, windows


def test_the_loss_of_the_paper_is_the_sum_of_two_means_of_squares():
    network = random_network()
    target, future = windows(), windows(length=4, seed=3)
    output = network(target)
    loss = samovar_loss(output, future, 0.5)
    terminal = (output.forecast[..., 0] - future).square().mean()
    next_patch = (output.patch_pred[:, :, :-1, :, 0] - output.patches[:, :, 1:]).square().mean()
    torch.testing.assert_close(loss.terminal, terminal)
    torch.testing.assert_close(loss.next_patch, next_patch)
    torch.testing.assert_close(loss.total, terminal + 0.5 * next_patch)


def test_the_loss_of_a_point_is_that_of_the_paper():
    network = random_network()
    target, future = windows(), windows(length=4, seed=3)
    output = network(target)
    for mine, theirs in zip(
        head_loss(output, target, future, Head.point(), 0.5),
        samovar_loss(output, future, 0.5),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("head", [Head.gaussian(), Head.of_quantiles([0.1, 0.5, 0.9])])
def test_the_forecast_is_judged_by_the_loss_that_the_head_brings(head):
    network = random_network(n_params=head.n_params)
    target, future = windows(), windows(length=4, seed=3)
    output = network(target)
    loss = head_loss(output, target, future, head)
    wanted = head.errors(output_parameters(output, target, head), future).mean()
    torch.testing.assert_close(loss.terminal, wanted)
    assert loss.next_patch.item() != 0


def test_a_head_without_a_loss_is_refused():
    head = ParameterHead(("count", "positive"))
    network = random_network(n_params=2)
    with pytest.raises(ConfigurationError, match="no loss"):
        head_loss(network(windows()), windows(), windows(length=4), head)


def test_a_mean_over_nothing_is_0():
    errors = torch.tensor([1.0, 3.0])
    assert mean_where(errors, None) == 2
    assert mean_where(errors, torch.tensor([True, False])) == 1
    assert mean_where(errors, torch.tensor([False, False])) == 0
