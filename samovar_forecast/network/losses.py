"""Training losses: of the forecast, and of the next patch at every position.

Letters of shapes: see :mod:`samovar_forecast.network`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from samovar_forecast.network.anchor import Anchored
from samovar_forecast.network.heads import Head
from samovar_forecast.network.normalization import denormalize
from samovar_forecast.network.parameter_kinds import WindowMoments
from samovar_forecast.network.samovar import NetworkOutput


class Loss(NamedTuple):
    """Training loss and its two parts; scalars."""

    total: Tensor
    terminal: Tensor
    next_patch: Tensor


def samovar_loss(output: NetworkOutput, future: Tensor, next_patch_weight: float = 1.0) -> Loss:
    """Return the squared-error loss of the paper: terminal forecast plus next patches.

    The terminal part is in the units of the data, the next-patch part in the units of the
    normalised windows. A window of a single patch has no next patch: its part is 0. Steps whose
    value is missing do not count, and neither does an anchor: the network is trained as it is.

    Parameters
    ----------
    output : NetworkOutput
        Of a forward at all positions, with K = 1.
    future : Tensor of shape (B, s, C)
        The patch after each window.
    next_patch_weight : float, default=1.0

    Returns
    -------
    Loss
    """
    forecast = denormalize(
        output.patch_pred[:, :, -1].transpose(1, 2),
        output.location[..., None],
        output.scale[..., None],
    )
    return _loss(output, forecast, future, Head.point(), next_patch_weight)


def head_loss(
    output: NetworkOutput,
    target: Tensor,
    future: Tensor,
    head: Head,
    next_patch_weight: float = 1.0,
) -> Loss:
    """Return the loss that a head brings, of the forecast and of the next patches.

    Parameters
    ----------
    output : NetworkOutput
        Of a forward at all positions.
    target : Tensor of shape (B, L, C)
        The windows.
    future : Tensor of shape (B, s, C)
        The patch after each window.
    head : Head
    next_patch_weight : float, default=1.0

    Returns
    -------
    Loss
        Parts as in :func:`samovar_loss`, which it is for the head of a point.

    Raises
    ------
    ConfigurationError
        If the head has no loss of its own.
    """
    parameters = output_parameters(output, target, head)
    return _loss(output, parameters, future, head, next_patch_weight)


def output_parameters(output: NetworkOutput, target: Tensor, head: Head) -> Tensor:
    """Return the head's parameters of the forecast, (B, s, C, K), in the units of ``target``.

    They are the network's own, without an anchor; see :func:`anchored_parameters`.
    """
    moments = WindowMoments.of_windows(target.nan_to_num(), output.location, output.scale)
    return head(output.patch_pred[:, :, -1].transpose(1, 2), moments)


def anchored_parameters(output: NetworkOutput, target: Tensor, head: Head) -> Tensor:
    """Return the parameters of :func:`output_parameters`, combined with an anchor of the network.

    Without an anchor they stay as they are. See :func:`moved_locations`.
    """
    parameters = output_parameters(output, target, head)
    if output.anchored is None:
        return parameters
    return moved_locations(parameters, output.anchored, head)


def moved_locations(parameters: Tensor, anchored: Anchored, head: Head) -> Tensor:
    """Return the parameters (B, s, C, K) of a network combined with an anchor.

    All locations, quantiles among them, move by as much as the center moves; parameters of other
    kinds stay.
    """
    shift = anchored.shift(parameters[..., head.center])  # B s C
    is_location = torch.tensor([kind == "location" for kind in head.kinds])
    moves = is_location.to(device=shift.device, dtype=shift.dtype)
    return parameters + shift[..., None] * moves


def mean_where(errors: Tensor, observed: Tensor | None) -> Tensor:
    """Return the mean of the observed errors; 0 if no error is observed. None: all are."""
    if observed is None:
        return errors.mean()
    return (errors * observed).sum() / observed.sum().clamp(min=1)


def _loss(
    output: NetworkOutput, parameters: Tensor, future: Tensor, head: Head, weight: float
) -> Loss:
    observed = output.observed
    actual = future if observed is None else future.nan_to_num()
    terminal_errors = head.errors(parameters, actual)
    terminal = mean_where(terminal_errors, None if observed is None else ~future.isnan())
    if output.patches.shape[2] == 1:
        next_patch = torch.zeros_like(terminal)
    else:
        # In the units of the normalised window: its moments are 0 and 1.
        unit = WindowMoments.neutral(torch.zeros_like(output.scale), torch.ones_like(output.scale))
        predicted = head(_steps_first(output.patch_pred[:, :, :-1]), unit)  # B (N-1)*s C K
        next_errors = head.errors(predicted, _steps_first(output.patches[:, :, 1:]))
        next_patch = mean_where(
            next_errors, None if observed is None else _steps_first(observed[:, :, 1:])
        )
    return Loss(terminal + weight * next_patch, terminal, next_patch)


def _steps_first(patches: Tensor) -> Tensor:
    """Lay patches (B, C, N, s, ...) out along time: (B, N*s, C, ...)."""
    return patches.flatten(2, 3).transpose(1, 2)
