"""The linear anchor beside the network: one map of the window, and the gate between the two."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from samovar_forecast.config import NetworkConfig


class Anchored(NamedTuple):
    """What an anchor says of windows; B windows, s steps, C series."""

    forecast: Tensor
    """(B, s, C) of the anchor alone, in the units of the windows."""
    gate: Tensor
    """(s, C) share of the network in the forecast, from 0 to 1."""

    def combine(self, forecast: Tensor) -> Tensor:
        """Return ``anchor + gate * (forecast - anchor)``; (B, s, C, K) as ``forecast``."""
        return forecast + self.shift(forecast)

    def shift(self, forecast: Tensor) -> Tensor:
        """Return what the combination adds to a forecast, ``(1 - gate) (anchor - forecast)``."""
        anchor, gate = self.forecast, self.gate
        if forecast.dim() == 4:
            anchor, gate = anchor[..., None], gate[..., None]
        return (1 - gate) * (anchor - forecast)


class Anchor(nn.Module):
    """A linear map of the window, and the share of the network in each step of each series.

    ``center + intercept + sum_l own[l] x_c(t + 1 - l) + sum_l cross[l] x(t + 1 - l)``, x being the
    deviation from ``center``. A missing value counts as the last one observed before it, at the
    start of a window as the first one after it, and as the center where none is observed.

    All numbers are buffers: they are saved with the network and not trained. Before
    ``attach_anchor`` sets them, the gate is 1 and the forecast is the network's.

    Parameters
    ----------
    config : NetworkConfig
        With ``anchor=(p_own, p_cross)``.
    """

    own: Tensor
    cross: Tensor
    intercept: Tensor
    center: Tensor
    gate: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        assert config.anchor is not None  # the network asks for an anchor only if there is one
        n_own, n_cross = config.anchor
        s, c = config.patch_length, config.n_series
        self.missing_values = config.missing_values
        self.register_buffer("own", torch.zeros(s, c, n_own))  # lag 1 first
        self.register_buffer("cross", torch.zeros(s, c, n_cross, c))  # response, lag, impulse
        self.register_buffer("intercept", torch.zeros(s, c))
        self.register_buffer("center", torch.zeros(c))
        self.register_buffer("gate", torch.ones(s, c))

    def forward(self, target: Tensor) -> Anchored:
        """Forecast windows of shape (B, L, C)."""
        x = target - self.center  # B L C
        if self.missing_values:
            x = fill_gaps(x)
        newest_first = x.flip(1)
        ahead = self.intercept + torch.einsum(
            "blc,scl->bsc", newest_first[:, : self.own.shape[2]], self.own
        )
        if self.cross.shape[2]:
            recent = newest_first[:, : self.cross.shape[2]].flatten(1)  # B p*C
            ahead = ahead + (recent @ self.cross.flatten(2).flatten(0, 1).T).view_as(ahead)
        return Anchored(ahead + self.center, self.gate)


def source_rows(observed: Tensor) -> Tensor:
    """Return for each row the row whose value stands there, (B, L, C); of the last one observed.

    Before the first observed row that one; without any, the row itself.
    """
    length = observed.shape[1]
    row = torch.arange(length, device=observed.device)[:, None].expand_as(observed)
    latest = torch.where(observed, row, -1).cummax(dim=1).values
    first = torch.where(observed, row, length).amin(dim=1, keepdim=True)
    source = torch.where(latest >= 0, latest, first)
    return torch.where(source < length, source, row)


def fill_gaps(deviations: Tensor) -> Tensor:
    """Return (B, L, C) with gaps filled as :class:`Anchor` says; 0 stands for the center."""
    filled = deviations.gather(1, source_rows(~deviations.isnan()))
    return filled.nan_to_num()
