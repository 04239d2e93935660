"""Where torch ends for the network that forecasts any panel: forecasts and Jacobians as arrays.

All but a few numbers of a series' forecast are computed from that series alone; the network hands
out by which numbers the other series enter. So one reverse pass through the whole network serves
all series, and a short pass through these numbers is left for each of them.

Letters: B windows, L rows of a window, s steps ahead, C series, K channels, R weighted sums of the
steps.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from samovar_forecast.dynamics.covariate_effect import (
    effect_in,
    is_same_effect,
    slope_by_covariates,
)
from samovar_forecast.dynamics.forecast_map import (
    ForecastMap,
    Shape,
    by_series,
    n_leading_gaps,
)
from samovar_forecast.dynamics.jacobian import DenseJacobian
from samovar_forecast.dynamics.windows import Units, Windows
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.linear.covariates import CovariateEffect
from samovar_forecast.network.paths import PATHS
from samovar_forecast.network.zero_shot import ZeroShotNetwork

NUMBERS_AT_ONCE = 1_000_000
"""Numbers in the paths of a batch, to bound its memory: a Jacobian holds some 40 times more."""

SERIES_AT_ONCE = 8
"""Passes that are made together, a series each: they are short, and their tensors small."""


class ZeroShotMap:
    """A pretrained network frozen in eval mode and float64, asked without training.

    Held fixed are the periods that the network finds in a window, as they are whole numbers, and
    the records that series have in common: they only choose among a series' simple forecasts.

    Parameters
    ----------
    network : ZeroShotNetwork
        Copied: later training of the original does not reach this map.
    season : int
        Period told; 1 for none.
    shape : Shape
        Windows begin with missing rows where a history is shorter; these are not read.
    n_steps : int
        At most the steps that the network forecasts at once.
    effect : CovariateEffect, optional
        Taken off the series before the network is asked, and added to its forecast.

    Raises
    ------
    ConfigurationError
        If there are more steps, or an effect without covariates.
    """

    is_anchored = False
    cancels_level = True
    trained = None

    def __init__(
        self,
        network: ZeroShotNetwork,
        season: int,
        shape: Shape,
        n_steps: int,
        effect: CovariateEffect | None = None,
    ) -> None:
        if n_steps > network.config.horizon:
            raise ConfigurationError(
                "the network does not forecast so many steps at once",
                found=n_steps,
                wanted=f"at most {network.config.horizon}",
            )
        if effect is not None and not shape.n_future_covariates:
            raise ConfigurationError(
                "there is an effect of covariates, and there are none", wanted="future_covariates"
            )
        self.network = copy.deepcopy(network).to("cpu", torch.float64).eval()
        self.network.requires_grad_(False)
        self.season = season
        self.shape = shape
        self.n_steps = n_steps
        self.effect = effect
        self._centre = network.config.quantiles.index(0.5)

    @property
    def fewest_rows(self) -> int:
        """Rows of a window that have to be there: one patch."""
        return min(self.network.config.patch_length, self.shape.context_length)

    def equals(self, other: ForecastMap) -> bool:
        """Whether the other map has the same weights, season and effect."""
        if not isinstance(other, ZeroShotMap) or self.network.config != other.network.config:
            return False
        if (self.season, self.shape) != (other.season, other.shape):
            return False
        if not is_same_effect(self.effect, other.effect):
            return False
        own, others = self.network.state_dict(), other.network.state_dict()
        return all(torch.equal(own[name], others[name]) for name in own)

    def forecast(self, windows: Windows) -> np.ndarray:
        """Return the forecasts after each window; shape (B, s, C)."""
        ahead = [np.empty((0, self.n_steps, self.shape.n_series))]
        added = effect_in(self.effect, windows.future_covariates)
        for values in self._batches(windows, added, 4 * NUMBERS_AT_ONCE):
            own, past = values.split([self.shape.n_series, self._n_past(windows)], -1)
            quantiles = self.network.forecast(
                own,
                self.n_steps,
                self.season,
                past_covariates=past if past.shape[-1] else None,
            )
            ahead.append(quantiles[..., self._centre].numpy())
        return np.concatenate(ahead) if added is None else self._moved(np.concatenate(ahead), added)

    def _moved(self, ahead: np.ndarray, added: np.ndarray) -> np.ndarray:
        """Return forecasts (B, s, C) with the effect of covariates at their steps."""
        length = self.shape.context_length
        return ahead + added[:, length : length + self.n_steps]

    def _n_past(self, windows: Windows) -> int:
        return 0 if windows.past_covariates is None else windows.past_covariates.shape[2]

    def _batches(
        self, windows: Windows, added: np.ndarray | None, numbers_at_once: int
    ) -> Iterator[Tensor]:
        """Yield the rows that the network is given, (B, rows, K), the series first.

        Windows follow each other in a batch as long as they have the same number of patches.
        """
        length, config = self.shape.context_length, self.network.config
        values = windows.target if added is None else windows.target - added[:, :length]
        if windows.past_covariates is not None:
            values = np.concatenate([values, windows.past_covariates], axis=2)
        n_rows = length - n_leading_gaps(values)
        patch = np.array([config.patch_length_of(int(n)) for n in n_rows])
        n_read = np.maximum(-(-n_rows // patch), 1) * patch  # whole patches
        per_patch = values.shape[2] * len(PATHS) * config.horizon
        places = range(len(values))
        for n, run in itertools.groupby(places, key=lambda place: int(n_read[place])):
            some = list(run)
            size = max(1, numbers_at_once // (per_patch * (n // int(patch[some[0]]))))
            for start in range(0, len(some), size):
                rows = values[some[start] : some[start : start + size][-1] + 1]
                yield torch.from_numpy(rows[:, max(0, length - n) :].copy())

    # --------------------------------------------------------------------------- data space

    def jacobians(
        self, windows: Windows, weights: np.ndarray, units: Units
    ) -> Iterator[DenseJacobian]:
        """Yield the Jacobian of weighted sums of the forecast's steps, window by window."""
        n_series, length = self.shape.n_series, self.shape.context_length
        asked = by_series(weights, n_series)
        series = units.series(n_series)
        added = effect_in(self.effect, windows.future_covariates)
        number = 0
        for values in self._batches(windows, added, NUMBERS_AT_ONCE):
            slopes, ahead = self._slopes(values, torch.from_numpy(asked.swapaxes(1, 2).copy()))
            for slope, own in zip(slopes, ahead, strict=True):
                before = length - slope.shape[2]
                padded = np.pad(slope, ((0, 0), (0, 0), (before, 0), (0, 0)))  # R C L K
                future = None
                if added is not None and self.effect is not None:
                    assert windows.future_covariates is not None  # or there were no effect
                    own = self._moved(own[None], added[number : number + 1])[0]
                    known = windows.future_covariates[number]
                    by_series_alone = padded[..., -n_series:]
                    future = slope_by_covariates(self.effect, by_series_alone, asked, known)
                    future *= series.scale[:, None, None] / units.future.scale
                padded *= series.scale[:, None, None] / units.channels.scale
                in_units = own * series.scale + series.location
                value = np.einsum("rsc,sc->rc", asked, in_units)
                yield DenseJacobian(padded, value, units.channels.scale, future)
                number += 1

    @torch.enable_grad()
    def _slopes(self, values: Tensor, asked: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Return the slopes (B, R, C, rows, K), past covariates first, and forecasts (B, s, C).

        Parameters
        ----------
        values : Tensor of shape (B, rows, K)
            The series first.
        asked : Tensor of shape (R, C, s)
        """
        n_series, n_steps = self.shape.n_series, self.n_steps
        window = values.requires_grad_()
        seasons = torch.full((len(values),), self.season)
        out = self.network(window, seasons, positions=torch.tensor([-1]))
        moves = out.quantiles[:, :n_series, 0, :n_steps, self._centre]
        usable = out.is_usable[:, :n_series]  # B C 1
        moves = moves * out.unit[:, :n_series, 0, :n_steps] * usable
        ahead = out.last[:, :n_series] + moves  # B C s
        slopes = values.new_zeros(len(asked), n_series, *values.shape)  # R C B rows K
        for slope, weights in zip(slopes, asked, strict=True):
            inputs = (window, *out.from_others)
            # Summed over the series: of each series, what it owes to itself and to the others.
            total, *reached = torch.autograd.grad(
                ahead, inputs, weights.expand_as(ahead), retain_graph=True
            )
            for some in torch.arange(n_series).split(SERIES_AT_ONCE) if reached else ():
                (slope[some],) = torch.autograd.grad(
                    out.from_others,
                    window,
                    [_of_each_series(part, some) for part in reached],
                    is_grads_batched=True,
                    retain_graph=True,
                )
            of_itself = total - slope.sum(0)
            for c in range(n_series):
                slope[c, ..., c] += of_itself[..., c]
        _read_constant_from_its_last_value(slopes, values.detach(), usable[..., 0], asked)
        in_order = slopes.roll(values.shape[2] - n_series, -1).permute(2, 0, 1, 3, 4)
        return in_order.numpy(), ahead.detach().mT.numpy()


def _of_each_series(reached: Tensor, series: Tensor) -> Tensor:
    """Return (B, C, ...) for each of some series, (n, B, C, ...), and 0 at all others."""
    is_own = torch.zeros(len(series), 1, reached.shape[1], 1, 1, dtype=reached.dtype)
    is_own[torch.arange(len(series)), 0, series] = 1
    return reached * is_own


def _read_constant_from_its_last_value(
    slopes: Tensor, values: Tensor, is_usable: Tensor, asked: Tensor
) -> None:
    """Set the slopes of series that have not moved: their forecast is their last value.

    They have no derivative there. Shapes (R, C, B, rows, K), (B, rows, K), (B, C), (R, C, s).
    """
    for window, c in (is_usable == 0).nonzero().tolist():
        slopes[:, c, window] = 0.0
        known = torch.isfinite(values[window, :, c]).nonzero()
        if len(known):
            slopes[:, c, window, known[-1, 0], c] = asked[:, c].sum(-1)
