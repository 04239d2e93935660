"""The linear anchor beside the network: a map of the window, and the gate between the two.

Letters of shapes: see :mod:`samovar_forecast.network`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

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
    deviation from ``center``. A missing value counts as the last value observed before it, at the
    start of a window as the first value observed after it, and as the center if the window has no
    value.

    If future covariates have an effect, the effect is taken off the window first and put on the
    forecast at the end: ``sum_q effect[q] (z(t - q) - mean of z)``. Before the window covariates
    count as in its first row, and a missing covariate counts as its mean.

    All numbers are buffers: they are saved with the network and not trained. Before
    ``attach_anchor`` sets them, the gate is 1 and the forecast is the network's.

    Parameters
    ----------
    config : NetworkConfig
        With ``anchor=(p_own, p_cross)``, or with the number of lags of an effect as a third.
    """

    own: Tensor
    cross: Tensor
    intercept: Tensor
    center: Tensor
    gate: Tensor
    effect: Tensor | None
    covariate_mean: Tensor | None

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        assert config.anchor is not None  # or the network has no anchor
        n_own, n_cross, *n_effect = config.anchor
        s, c = config.patch_length, config.n_series
        self.missing_values = config.missing_values
        self.register_buffer("own", torch.zeros(s, c, n_own))  # lag 1 first
        self.register_buffer("cross", torch.zeros(s, c, n_cross, c))  # response, lag, impulse
        self.register_buffer("intercept", torch.zeros(s, c))
        self.register_buffer("center", torch.zeros(c))
        self.register_buffer("gate", torch.ones(s, c))
        f, has_effect = (
            config.n_future_covariates,
            any(n_effect),
        )  # without an effect, nothing to save
        # Without an effect there is nothing to save.
        self.register_buffer("effect", torch.zeros(c, f, *n_effect) if has_effect else None)
        self.register_buffer("covariate_mean", torch.zeros(f) if has_effect else None)

    def forward(self, target: Tensor, covariates: Tensor | None = None) -> Anchored:
        """Forecast windows of shape (B, L, C).

        The covariates, (B, at least L + s, F), start with the window and end with the forecast.
        """
        x = target - self.center  # B L C
        effects = self._effects(covariates)  # B L+s C
        if effects is not None:
            x = x - effects[:, : target.shape[1]]
        if self.missing_values:
            x = fill_gaps(x)
        newest_first = x.flip(1)
        ahead = self.intercept + torch.einsum(
            "blc,scl->bsc", newest_first[:, : self.own.shape[2]], self.own
        )
        if self.cross.shape[2]:
            recent = newest_first[:, : self.cross.shape[2]].flatten(1)  # B p*C
            ahead = ahead + (recent @ self.cross.flatten(2).flatten(0, 1).T).view_as(ahead)
        if effects is not None:
            ahead = ahead + effects[:, -ahead.shape[1] :]
        return Anchored(ahead + self.center, self.gate)

    def _effects(self, covariates: Tensor | None) -> Tensor | None:
        """Return what the covariates (B, n, F) add to the series at every row, (B, n, C)."""
        if covariates is None or self.effect is None or self.covariate_mean is None:
            return None
        deviations = covariates - self.covariate_mean
        if self.missing_values:
            deviations = deviations.nan_to_num()
        return covariate_effects(deviations, self.effect)


def covariate_effects(deviations: Tensor, effect: Tensor) -> Tensor:
    """Return ``sum_q effect[q] z(t - q)`` at every row, (B, n, C), of covariates z, (B, n, F).

    The effect has the shape (C, F, q). Before the first row, the covariates count as in the first.
    """
    before = deviations[:, :1].expand(-1, effect.shape[2] - 1, -1)
    along = torch.cat([before, deviations], dim=1).mT  # B F q-1+n
    return F.conv1d(along, effect.flip(2)).mT


def lags_of_anchor(state: Mapping[str, Tensor]) -> tuple[int, ...] | None:
    """Return the lags, as :class:`NetworkConfig` has them, of an anchor's state; None for none."""
    if not state:
        return None
    names = ("own", "cross", "effect") if "effect" in state else ("own", "cross")
    return tuple(state[name].shape[2] for name in names)


def source_rows(observed: Tensor) -> Tensor:
    """Return for each row the number of the row whose value stands there; shape (B, L, C).

    That is the last row observed up to there; before the first observed row, the first observed
    row; without any observed row, the row itself.
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
