"""Forecasts of any horizon: each forecast patch joins the window of the next patch.

Letters of shapes: see :mod:`samovar_forecast.network`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from samovar_forecast.exceptions import DataError
from samovar_forecast.network.heads import Head
from samovar_forecast.network.losses import anchored_parameters
from samovar_forecast.network.samovar import SAMoVARNetwork


@torch.inference_mode()
def roll_forecast(
    network: SAMoVARNetwork,
    target: Tensor,
    horizon: int,
    past_covariates: Tensor | None = None,
    future_covariates: Tensor | None = None,
    static_covariates: Tensor | None = None,
    head: Head | None = None,
) -> Tensor:
    """Forecast any horizon, patch by patch: each forecast patch joins the window of the next patch.

    Past covariates are not known ahead: they stay at their last value. Of a distribution, the
    center joins the window: the median among quantiles, or the mean. An anchor rolls forward with
    the network.

    Parameters
    ----------
    network : SAMoVARNetwork
        In eval mode.
    target : Tensor of shape (B, L, C)
    horizon : int
        Steps to forecast.
    past_covariates : Tensor of shape (B, L, P), optional
    future_covariates : Tensor of shape (B, L + h, F), optional
        With h the horizon rounded up to whole patches.
    static_covariates : Tensor of shape (B, C, S), optional
    head : Head, optional
        What the K numbers per step are; by default a point.

    Returns
    -------
    Tensor of shape (B, horizon, C, K)

    Raises
    ------
    DataError
        If the future covariates do not reach the end of the last patch.
    """
    head = Head.point() if head is None else head
    length, step = network.config.context_length, network.config.patch_length
    n_patches = math.ceil(horizon / step)
    if future_covariates is not None and future_covariates.shape[1] < length + n_patches * step:
        raise DataError(
            "future covariates are too short",
            found=f"{future_covariates.shape[1]} steps",
            wanted=f"{length + n_patches * step} (the window and the forecast patches)",
        )
    forecasts = []
    for patch in range(n_patches):
        ahead = None
        if future_covariates is not None:
            ahead = future_covariates[:, patch * step : patch * step + length + step]
        output = network(target, past_covariates, ahead, static_covariates, last_only=True)
        newest = anchored_parameters(output, target, head)  # B s C K
        forecasts.append(newest)
        target = torch.cat([target, newest[..., head.center]], dim=1)[:, -length:]
        if past_covariates is not None:
            held = past_covariates[:, -1:].expand(-1, step, -1)
            past_covariates = torch.cat([past_covariates, held], dim=1)[:, -length:]
    return torch.cat(forecasts, dim=1)[:, :horizon]
