"""Simulated VARs whose response to a shock is known, and the response of the network to the same.

A forecast can be right on average and answer a shock wrongly: a random walk and a slow return to
the mean forecast alike for a few steps. Who reads the network as a VAR reads its response.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.pretraining.draws import Draws
from samovar_forecast.pretraining.linked_families import own_sizes, with_leaders
from samovar_forecast.pretraining.shocks import shocks
from samovar_forecast.pretraining.vector_families import BURN_IN, moving_matrices, run_var

LEAST_SHOCK, LARGEST_SHOCK = 0.1, 0.6
"""Sizes of the shocks of the loss, in deviations of the series."""
LARGEST_ERROR = 3.0
LEADING = 0.4
"""Share of the VARs of the loss in which series lead others."""


class KnownVARs(NamedTuple):
    """Paths of VARs, and the lag matrices that are in force after the last row."""

    values: Tensor
    """(B, L, C), mean 0 and deviation 1."""
    matrices: Tensor
    """(B, p, C, C) in the units of the values; ``matrices[b, lag - 1, response, impulse]``."""


def known_vars(
    draws: Draws,
    n: int,
    length: int,
    n_series: int,
    *,
    moving: float = 0.5,
    leading: float = 0.0,
) -> KnownVARs:
    """Return paths of VAR(1) to VAR(4), all of one order.

    Parameters
    ----------
    draws : Draws
    n, length, n_series : int
    moving : float, default=0.5
        Share of the VARs whose matrices move.
    leading : float, default=0.0
        Share of the VARs in which series follow earlier series, with small shocks of their own.

    Returns
    -------
    KnownVARs
    """
    total = length + BURN_IN
    first, second, mix = moving_matrices(draws, n, total, n_series)
    mix = mix * draws.chance(moving, n, 1)
    e = shocks(draws, n, total, n_series, plain=0.7)
    if leading:
        leads = draws.chance(leading, n, 1, 1, 1)
        first, second = (
            torch.where(
                leads > 0,
                with_leaders(draws, matrices, draws.uniform(0.0, 1.0, n, 1, 1, 1)),
                matrices,
            )
            for matrices in (first, second)
        )
        e = torch.where(leads[..., 0] > 0, e * own_sizes(draws, n, n_series), e)
    path = run_var(first, e, second, mix)[:, BURN_IN:]
    now = mix[:, -1, None, None, None]
    matrices = (1 - now) * first + now * second
    mean = path.mean(1, keepdim=True)
    unit = (path - mean).square().mean(1, keepdim=True).sqrt().clamp(min=1e-6)  # B 1 C
    in_units = matrices * unit[:, :, None] / unit[..., None, :].mT
    return KnownVARs((path - mean) / unit, in_units)


def draw_batch(draws: Draws) -> KnownVARs:
    """Return VARs of a size that is drawn: 2 to 5 series, 64 to 256 rows."""
    length = int(draws.one_of([64, 96, 160, 256], [1.0] * 4, 1))
    n_series = int(draws.integers(2, 5, 1))
    n = max(4, min(24, 6400 // (length * n_series)))
    return known_vars(draws, n, length, n_series, leading=LEADING)


def responses(matrices: Tensor, horizon: int) -> Tensor:
    """Return the responses of a VAR, step by step (Luetkepohl 2005, equation 2.1.22).

    Parameters
    ----------
    matrices : Tensor of shape (B, p, C, C)
    horizon : int

    Returns
    -------
    Tensor of shape (B, C, H, C)
        ``[b, response, step - 1, impulse]``: by how much the series moves after ``step`` steps if
        the last value of the impulse is higher by 1.
    """
    n_series = matrices.shape[-1]
    path = [
        torch.eye(n_series, dtype=matrices.dtype, device=matrices.device).expand_as(matrices[:, 0])
    ]
    for step in range(1, horizon + 1):
        lags = range(min(step, matrices.shape[1]))
        moves = [matrices[:, lag] @ path[step - 1 - lag] for lag in lags]
        path.append(torch.stack(moves).sum(0))
    return torch.stack(path[1:], 2)


def forecast_responses(
    network: ZeroShotNetwork, values: Tensor, impulse: Tensor, size: Tensor
) -> Tensor:
    """Return how the median moves with the last value of a series, per unit of the shock.

    Parameters
    ----------
    network : ZeroShotNetwork
    values : Tensor of shape (B, L, C)
    impulse : integer Tensor of shape (B,)
        The series that is shocked, in each window.
    size : Tensor of shape (B,)
        Of the shock; a window is forecast as it is and with the shock.

    Returns
    -------
    Tensor of shape (B, C, H)
    """
    shocked = values.clone()
    window = torch.arange(len(values), device=values.device)
    shocked[window, -1, impulse] += size
    both = torch.cat([values, shocked])
    last = torch.tensor([-1], device=values.device)
    out = network(both, torch.ones_like(window).repeat(2), positions=last)
    centre = network.config.quantiles.index(0.5)
    median = out.last[..., None] + out.quantiles[..., centre] * out.unit  # 2B C 1 H
    as_it_is, with_shock = median[:, :, 0].split(len(values))
    return (with_shock - as_it_is) / size[:, None, None]


def response_loss(network: ZeroShotNetwork, known: KnownVARs, draws: Draws) -> Tensor:
    """Return the mean squared error of the responses to a shock of one series; a scalar.

    Squares, for the network then answers by the mean of what the response may be; by absolute
    errors it would answer by the median, which is zero wherever an effect is rare. Near steps
    weigh more, as one over the root of the step.

    Parameters
    ----------
    network : ZeroShotNetwork
    known : KnownVARs
    draws : Draws

    Returns
    -------
    Tensor
    """
    n, _, n_series = known.values.shape
    impulse = draws.integers(0, n_series - 1, n)
    size = draws.uniform(LEAST_SHOCK, LARGEST_SHOCK, n) * (1 - 2 * draws.chance(0.5, n))
    found = forecast_responses(network, known.values, impulse, size)  # B C H
    horizon = found.shape[-1]
    window = torch.arange(n, device=found.device)
    wanted = responses(known.matrices, horizon)[window, ..., impulse]
    error = (found - wanted).clamp(-LARGEST_ERROR, LARGEST_ERROR).square()
    weight = torch.arange(1.0, horizon + 1, device=found.device).rsqrt()
    return (error * weight).sum(-1).mean() / weight.sum()
