"""The loss of fine-tuning is that of the pretraining, on windows of darts."""

from __future__ import annotations

import pytest
import torch

from samovar_forecast.learning.fine_tuning import fine_tuning_loss, future_of_window
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from samovar_forecast.pretraining.objective import pretraining_loss

CONFIG = ZeroShotConfig(width=16, heads=2, n_layers=1, decays=(1.0, 0.9))


@pytest.fixture
def network() -> ZeroShotNetwork:
    return ZeroShotNetwork(CONFIG, torch.Generator().manual_seed(0))


@pytest.fixture
def rows() -> torch.Tensor:
    return torch.randn(3, 36, 2, generator=torch.Generator().manual_seed(1)).cumsum(1)


def read(network, rows, shift=0, n_other=0):
    past, target = rows[:, :24], rows[:, 24 + shift :]
    targets = target[..., : target.shape[-1] - n_other]
    future = future_of_window(targets, shift, CONFIG.horizon, n_other)
    return network(past, torch.ones(3, dtype=torch.long), future=future)


def test_without_weights_it_is_the_loss_of_the_pretraining(network, rows):
    output = read(network, rows)
    found = fine_tuning_loss(output, CONFIG.quantiles, 2, 0, None)
    torch.testing.assert_close(found, pretraining_loss(output, CONFIG.quantiles))
    ones = torch.ones(3, 12, 1)
    torch.testing.assert_close(fine_tuning_loss(output, CONFIG.quantiles, 2, 0, ones), found)


def test_the_future_stands_where_the_output_chunk_lies():
    target = torch.arange(6.0).reshape(1, 3, 2)
    future = future_of_window(target, 2, 8, 1)
    assert future.shape == (1, 8, 3)
    torch.testing.assert_close(future[:, 2:5, :2], target)
    assert future[:, [0, 1, 5, 6, 7]].isnan().all()
    assert future[..., 2].isnan().all()
    assert future_of_window(torch.zeros(1, 20, 1), 0, 8, 0).shape == (1, 8, 1)


def test_windows_of_weight_zero_teach_nothing(network, rows):
    weight = torch.ones(3, 12, 1)
    weight[1:] = 0
    both = [rows, torch.cat([rows[:1], 100 * rows[1:].flip(1)])]
    losses = [fine_tuning_loss(read(network, one), CONFIG.quantiles, 2, 0, weight) for one in both]
    torch.testing.assert_close(*losses)


def test_steps_of_weight_zero_in_the_output_chunk_are_not_learned_at_its_origin(network, rows):
    output = read(network, rows)
    by_position = {
        k: part for k, part in output._asdict().items() if isinstance(part, torch.Tensor)
    }
    last = output._replace(**{name: part[:, :, -1:] for name, part in by_position.items()})
    weight = torch.ones(3, 12, 1)
    weight[:, 4:] = 0
    other = last.actual.clone()
    other[..., 4:] = 7.0
    losses = [
        fine_tuning_loss(one, CONFIG.quantiles, 2, 0, weight)
        for one in (last, last._replace(actual=other))
    ]
    torch.testing.assert_close(*losses)


def test_past_covariates_are_read_and_not_learned(network, rows):
    output = read(network, rows, n_other=1)
    changed = output._replace(actual=output.actual.index_fill(1, torch.tensor(1), 5.0))
    losses = [fine_tuning_loss(one, CONFIG.quantiles, 1, 0, None) for one in (output, changed)]
    torch.testing.assert_close(*losses)
