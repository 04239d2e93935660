"""What the training lowers: the pinball loss at every position, in units alike for all windows."""

from __future__ import annotations

import torch
from torch import Tensor

from samovar_forecast.network.zero_shot_output import ZeroShotOutput

LARGEST_ACTUAL = 30.0
LEAST_ERROR, LARGEST_ERROR = 0.01, 4.0


def pretraining_loss(output: ZeroShotOutput, levels: tuple[float, ...]) -> Tensor:
    """Return the mean pinball loss over windows, positions, steps and levels; a scalar.

    Errors are measured in the geometric mean of two units, by how much the series wanders and by
    how much the best simple forecasts err: a quiet trend then counts, and noise does not drown it.
    Near steps weigh more, as one over the root of the step.

    Parameters
    ----------
    output : ZeroShotOutput
    levels : tuple of Q floats

    Returns
    -------
    Tensor
    """
    losses, weight = step_losses(output, levels)
    return (losses * weight).sum() / weight.sum().clamp(min=1e-6)


def step_losses(output: ZeroShotOutput, levels: tuple[float, ...]) -> tuple[Tensor, Tensor]:
    """Return the loss of each step and its weight; (B, C, P, H) each."""
    actual = output.actual
    weight = torch.isfinite(actual).to(actual.dtype) * output.is_usable[..., None]
    horizon = actual.shape[-1]
    steps = torch.arange(1, horizon + 1, dtype=actual.dtype, device=actual.device)
    unit = output.error.detach().clamp(LEAST_ERROR, LARGEST_ERROR).sqrt()
    bounded = actual.nan_to_num().clamp(-LARGEST_ACTUAL, LARGEST_ACTUAL)
    error = (bounded[..., None] - output.quantiles) / unit[..., None]  # B C P H Q
    tau = torch.tensor(levels, dtype=actual.dtype, device=actual.device)
    losses = torch.maximum(tau * error, (tau - 1) * error).mean(-1)
    return 2 * losses, weight * steps.rsqrt()
