"""What fine-tuning the pretrained network lowers: the loss of its pretraining, on darts' windows.

Letters of the shapes: B windows, s output chunk, C components, A components and past covariates,
P positions of a window, H steps that the network forecasts at once.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from samovar_forecast.network.zero_shot import ZeroShotOutput
from samovar_forecast.pretraining.objective import step_losses


def future_of_window(future_target: Tensor, shift: int, n_steps: int, n_other: int) -> Tensor:
    """Return what came after a window, as the network reads it; (B, H, A).

    Steps that are not known are NaN: the steps between the chunks, the steps after the output
    chunk, and the future of the past covariates.

    Parameters
    ----------
    future_target : Tensor of shape (B, s, C)
    shift : int
        Steps between the chunks.
    n_steps : int
        H, the steps that the network forecasts at once.
    n_other : int
        Number of past covariates.
    """
    after = n_steps - shift - future_target.shape[1]
    return F.pad(future_target, (0, n_other, shift, after), value=torch.nan)[:, :n_steps]


def fine_tuning_loss(
    output: ZeroShotOutput,
    levels: tuple[float, ...],
    n_targets: int,
    shift: int,
    sample_weight: Tensor | None,
) -> Tensor:
    """Return the loss of the pretraining at every position of the windows; a scalar.

    Parameters
    ----------
    output : ZeroShotOutput
        Of all positions; the past covariates come after the components.
    levels : tuple of floats
    n_targets : int
        C, the components that are learned; past covariates are not.
    shift : int
        Steps between the chunks.
    sample_weight : Tensor of shape (B, s, C or 1), optional
        The steps of the output chunk, seen from the last position, count by their own weights;
        what the earlier positions forecast counts by the mean weight of the output chunk.

    Returns
    -------
    Tensor
    """
    losses, weight = step_losses(output, levels)  # B A P H
    losses, weight = losses[:, :n_targets], weight[:, :n_targets]
    if sample_weight is not None:
        n_steps = weight.shape[-1]
        given = sample_weight.expand(-1, -1, n_targets).mT  # B C s
        own = F.pad(given, (shift, n_steps - shift - given.shape[-1]))[..., :n_steps]
        earlier = given.mean(-1)[..., None, None].expand_as(weight[:, :, :-1])
        weight = weight * torch.cat([earlier, own[:, :, None]], dim=2)
    return (losses * weight).sum() / weight.sum().clamp(min=1e-6)
