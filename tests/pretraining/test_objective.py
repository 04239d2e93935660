"""The loss of the training against a plain loop."""

import numpy as np
import pytest
import torch

from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from samovar_forecast.network.zero_shot_output import ZeroShotOutput
from samovar_forecast.pretraining.batches import Sizes, batches
from samovar_forecast.pretraining.objective import pretraining_loss


def test_the_loss_of_a_perfect_forecast_is_0_and_missing_steps_do_not_count():
    network = ZeroShotNetwork(ZeroShotConfig(width=16, n_layers=1))
    batch = next(batches(0, 0, ZeroShotConfig(), torch.device("cpu"), Sizes(positions=128)))
    out = network(batch.values, batch.season, future=batch.future)
    assert pretraining_loss(out, network.config.quantiles) > 0.1
    exact = out._replace(
        quantiles=out.actual.nan_to_num().clamp(-30, 30)[..., None].expand(out.quantiles.shape)
    )
    assert pretraining_loss(exact, network.config.quantiles) == 0
    gone = out._replace(actual=torch.full_like(out.actual, torch.nan))
    assert pretraining_loss(gone, network.config.quantiles) == 0


LEVELS = (0.1, 0.5, 0.9)


def drawn(n_windows=2, n_series=3, n_positions=4, horizon=5):
    """Return a result of a network with missing actual values and a series that never moved."""
    generator = torch.Generator().manual_seed(0)
    shape = (n_windows, n_series, n_positions, horizon)
    actual = 20 * torch.randn(shape, generator=generator, dtype=torch.float64)
    actual[0, 0, 1, 2:] = torch.nan
    usable = torch.ones(shape[:3], dtype=torch.float64)
    usable[1, 2] = 0
    return ZeroShotOutput(
        quantiles=torch.randn((*shape, 3), generator=generator, dtype=torch.float64),
        actual=actual,
        error=torch.rand(shape, generator=generator, dtype=torch.float64) * 6,
        last=torch.zeros(shape[:3]),
        unit=torch.ones(shape),
        is_usable=usable,
        shares=torch.zeros(()),
    )


def test_the_loss_is_the_weighted_pinball_loss_number_by_number():
    out = drawn()
    total, weights = 0.0, 0.0
    for place in np.ndindex(*out.actual.shape):
        actual = out.actual[place].item()
        if not np.isfinite(actual) or not out.is_usable[place[:3]]:
            continue
        bounded = np.clip(actual, -30, 30)
        unit = np.sqrt(np.clip(out.error[place].item(), 0.01, 4.0))
        pinballs = []
        for level, quantile in zip(LEVELS, out.quantiles[place].tolist(), strict=True):
            miss = (bounded - quantile) / unit
            pinballs.append(level * miss if miss > 0 else (level - 1) * miss)
        weight = 1 / np.sqrt(place[3] + 1)
        total += weight * 2 * np.mean(pinballs)
        weights += weight
    assert pretraining_loss(out, LEVELS).item() == pytest.approx(total / weights, rel=1e-6)


def test_the_quantiles_of_what_comes_lower_the_loss_most():
    actual = torch.randn(4000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    wide = (4000, 1, 1, 1)
    out = drawn()._replace(
        actual=actual.view(wide), error=torch.ones(wide), is_usable=torch.ones(wide[:3])
    )

    def loss(*quantiles):
        same = torch.tensor(quantiles, dtype=torch.float64).expand(*wide, 3)
        return pretraining_loss(out._replace(quantiles=same), LEVELS).item()

    best = torch.quantile(actual, torch.tensor(LEVELS, dtype=torch.float64)).tolist()
    for place in range(3):
        for change in (-0.2, 0.2):
            other = [value + change * (place == number) for number, value in enumerate(best)]
            assert loss(*other) > loss(*best)


def test_no_gradient_makes_the_unit_of_the_errors_larger():
    out = drawn()
    error, quantiles = out.error.requires_grad_(), out.quantiles.requires_grad_()
    pretraining_loss(out._replace(error=error, quantiles=quantiles), LEVELS).backward()
    assert error.grad is None
    assert torch.isfinite(quantiles.grad).all()
    assert not quantiles.grad[1, 2].any()  # the series that never moved
