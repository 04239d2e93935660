"""Where torch ends for the network that forecasts any panel: forecasts and Jacobians as arrays.

All but a few numbers of a series' forecast are computed from that series alone; the network hands
out by which numbers the other series enter. So one reverse pass through the whole network serves
all series, and a short pass through these numbers is left for each of them.

Letters: B windows, L rows of a window, s steps ahead, C series, K channels, R weighted sums of the
steps.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

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
    Part,
    Shape,
    by_series,
    n_leading_gaps,
)
from samovar_forecast.dynamics.jacobian import DenseJacobian
from samovar_forecast.dynamics.window_groups import Batch, batches, shared_windows
from samovar_forecast.dynamics.windows import Units, Windows
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.linear.covariates import CovariateEffect
from samovar_forecast.network.held import Kind, holding
from samovar_forecast.network.paths import PATHS
from samovar_forecast.network.zero_shot import ZeroShotNetwork
from samovar_forecast.network.zero_shot_output import Memory, ZeroShotOutput

NUMBERS_AT_ONCE = 1_000_000
"""Numbers in the paths of a batch, to bound its memory: a Jacobian holds some 40 times more."""

ROWS_AT_ONCE = 150_000
"""Numbers in the windows whose parts are read together."""

HELD_BESIDE: dict[str, tuple[tuple[Kind, ...], tuple[Kind, ...] | None]] = {
    "dynamics": (("level", "scale", "memory"), None),
    "level": (("scale", "memory"), ("level", "scale", "memory")),
    "scale": (("memory",), ("scale", "memory")),
}
"""What is held where a part flows, and what is held besides to take off the parts beside it."""

NUMBERS_OF_PASSES = 20_000
"""Shares of the paths, over windows and weighted sums, that reverse passes have together."""

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
        """Return the forecasts after each window; shape (B, s, C).

        Windows of one history that lie whole patches apart are read from the longest of them: only
        the season that the network finds there may be another.
        """
        values, added = self._given(windows)
        ahead = np.empty((len(values), self.n_steps, self.shape.n_series))
        lengths = self.shape.context_length - n_leading_gaps(values)
        groups = shared_windows(values, lengths, self.network.config)
        shared = [group for group in groups if len(group) > 1]
        for batch in self._batches(shared, lengths, values.shape[2], 4 * NUMBERS_AT_ONCE):
            window = self._rows(values, lengths, batch.longest)
            ahead[batch.windows] = self._forecast_along(window, batch.of, batch.positions)
        alone = [group for group in groups if len(group) == 1]
        for batch in self._batches(alone, lengths, values.shape[2], 4 * NUMBERS_AT_ONCE):
            window = self._rows(values, lengths, batch.longest)
            own, past = window.split([self.shape.n_series, self._n_past(windows)], -1)
            past_covariates = past if past.shape[-1] else None
            said = self.network.forecast(
                own, self.n_steps, self.season, past_covariates=past_covariates
            )
            ahead[batch.longest] = said[..., self._centre].numpy()
        return ahead if added is None else self._moved(ahead, added)

    @torch.inference_mode()
    def _forecast_along(self, window: Tensor, of: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Return forecasts (B, s, C) from positions of the longest windows, (G, L, K)."""
        read, place = np.unique(positions, return_inverse=True)
        out = self.network(
            window,
            torch.full((len(window),), self.season),
            positions=torch.from_numpy(read),
            n_steps=self.n_steps,
        )
        ahead = self._levels(out).permute(0, 2, 3, 1)  # G P s K
        return ahead[of, place.ravel(), :, : self.shape.n_series].numpy()

    def _levels(self, out: ZeroShotOutput) -> Tensor:
        """Return the forecasts that an output of the network says, (B, K, P, s)."""
        moves = out.quantiles[..., self._centre] * out.unit
        return out.last[..., None] + moves * out.is_usable[..., None]

    def _given(self, windows: Windows) -> tuple[np.ndarray, np.ndarray | None]:
        """Return what the network is given, (B, L, K) with the series first, and the effects."""
        added = effect_in(self.effect, windows.future_covariates)
        values = windows.target
        if added is not None:
            values = values - added[:, : self.shape.context_length]
        if windows.past_covariates is not None:
            values = np.concatenate([values, windows.past_covariates], axis=2)
        return values, added

    def _moved(self, ahead: np.ndarray, added: np.ndarray) -> np.ndarray:
        """Return forecasts (B, s, C) with the effect of covariates at their steps."""
        length = self.shape.context_length
        return ahead + added[:, length : length + self.n_steps]

    def _n_past(self, windows: Windows) -> int:
        return 0 if windows.past_covariates is None else windows.past_covariates.shape[2]

    def _batches(
        self, groups: list[list[int]], lengths: np.ndarray, n_channels: int, numbers_at_once: int
    ) -> Iterator[Batch]:
        """Yield groups of windows that are read together, in bounded memory."""
        config = self.network.config
        n_patches = numbers_at_once // (n_channels * len(PATHS) * config.horizon)
        yield from batches(groups, lengths, config, n_patches)

    # --------------------------------------------------------------------------- data space

    def jacobians(
        self, windows: Windows, weights: np.ndarray, units: Units, part: Part = "total"
    ) -> Iterator[DenseJacobian]:
        """Yield the Jacobian of weighted sums of the forecast's steps, window by window.

        All parts but the total are read where :meth:`forecast` reads the forecasts of many
        windows; the total is that of each window alone.
        """
        n_series, length = self.shape.n_series, self.shape.context_length
        asked = by_series(weights, n_series)
        given = torch.from_numpy(asked.swapaxes(1, 2).copy())  # R C s
        series = units.series(n_series)
        values, added = self._given(windows)
        for number, (slope, own) in enumerate(self._slopes_of(values, given, part)):
            before = length - slope.shape[2]
            padded = np.pad(slope, ((0, 0), (0, 0), (before, 0), (0, 0)))  # R C L K
            future = None
            if added is not None and self.effect is not None:
                assert windows.future_covariates is not None  # or there were no effect
                own = self._moved(own[None], added[number : number + 1])[0]
                known = windows.future_covariates[number]
                by_series_alone = padded[..., -n_series:]
                # What covariates do at the steps ahead is no matter of the window: dynamics.
                at_steps = asked if part in ("total", "dynamics") else np.zeros_like(asked)
                future = slope_by_covariates(self.effect, by_series_alone, at_steps, known)
                future *= series.scale[:, None, None] / units.future.scale
            padded *= series.scale[:, None, None] / units.channels.scale
            in_units = own * series.scale + series.location
            value = np.einsum("rsc,sc->rc", asked, in_units)
            yield DenseJacobian(padded, value, units.channels.scale, future)

    def _slopes_of(
        self, values: np.ndarray, asked: Tensor, part: Part
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the slopes (R, C, rows, K) by each window and its forecast (s, C), in order."""
        lengths = self.shape.context_length - n_leading_gaps(values)
        found: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        if part in ("total", "memory"):
            alone = [[number] for number in range(len(values))]
            for batch in self._batches(alone, lengths, values.shape[2], NUMBERS_AT_ONCE):
                window = self._rows(values, lengths, batch.longest)
                slopes, ahead = self._slopes(window, asked, self._whole, ())
                if part == "memory":
                    without = self._slopes(window, asked, self._whole, ("memory",))[0]
                    slopes = slopes - without
                found.update(zip(batch.longest, zip(slopes, ahead, strict=True), strict=True))
        else:
            groups = shared_windows(values, lengths, self.network.config)
            for batch in self._batches(groups, lengths, values.shape[2], 4 * NUMBERS_AT_ONCE):
                longest = self._rows(values, lengths, batch.longest)
                memory = self._remember(longest)
                n_parts = -(-len(batch.windows) * longest[0].numel() // ROWS_AT_ONCE)
                for some in np.array_split(np.arange(len(batch.windows)), n_parts):
                    places = batch.windows[some].tolist()
                    window = self._rows(values, lengths, places)
                    where = (
                        torch.from_numpy(batch.of[some]),
                        torch.from_numpy(batch.positions[some]),
                    )
                    slopes, ahead = self._slopes_of_part(window, asked, memory, where, part)
                    found.update(zip(places, zip(slopes, ahead, strict=True), strict=True))
        yield from (found[number] for number in range(len(values)))

    @staticmethod
    def _rows(values: np.ndarray, lengths: np.ndarray, some: list[int]) -> Tensor:
        """Return the rows of some windows, as many as the longest has."""
        return torch.from_numpy(values[some, -max(1, int(lengths[some].max())) :].copy())

    def _remember(self, window: Tensor) -> Memory:
        return self.network.remember(window, torch.full((len(window),), self.season))

    def _slopes_of_part(
        self,
        window: Tensor,
        asked: Tensor,
        memory: Memory,
        where: tuple[Tensor, Tensor],
        part: Part,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return slopes and forecasts at the ends of windows, whose memory is held.

        The windows end at positions ``where[1]`` of the windows ``where[0]`` of the memory.
        """

        def read(given: Tensor) -> ZeroShotOutput:
            seasons = torch.full((len(given),), self.season)
            return self.network.at_ends(given, seasons, memory, *where, n_steps=self.n_steps)

        held, flows_beside = HELD_BESIDE[part]
        slopes, ahead = self._slopes(window, asked, read, held)
        if flows_beside is not None:
            slopes = slopes - self._slopes(window, asked, read, flows_beside)[0]
        return slopes, ahead

    def _whole(self, window: Tensor) -> ZeroShotOutput:
        """Return what the network says at the ends of whole windows."""
        seasons = torch.full((len(window),), self.season)
        end = torch.tensor([-1])
        return self.network(window, seasons, positions=end, n_steps=self.n_steps)

    @torch.enable_grad()
    def _slopes(
        self,
        values: Tensor,
        asked: Tensor,
        read: Callable[[Tensor], ZeroShotOutput],
        held: tuple[Kind, ...],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the slopes (B, R, C, rows, K), past covariates first, and forecasts (B, s, C).

        Parameters
        ----------
        values : Tensor of shape (B, rows, K)
            The series first.
        asked : Tensor of shape (R, C, s)
        read : callable
            Windows to what the network says at their ends.
        held : tuple of Kind
            What of the windows is held fixed.
        """
        n_series = self.shape.n_series
        window = values.detach().requires_grad_()
        with holding(*held):
            out = read(window)
        ahead = self._levels(out)[:, :n_series, 0]  # B C s
        usable = out.is_usable[:, :n_series]  # B C 1
        slopes = values.new_zeros(len(asked), n_series, *values.shape)  # R C B rows K
        inputs = (window, *out.from_others)
        n_together = max(1, NUMBERS_OF_PASSES // out.shares.numel())
        for start in range(0, len(asked), n_together):
            some = asked[start : start + n_together]
            # Summed over the series: of each series, what it owes to itself and to the others.
            total, *reached = torch.autograd.grad(
                ahead,
                inputs,
                some[:, None].expand(-1, len(ahead), -1, -1),
                is_grads_batched=True,
                retain_graph=True,
            )
            slope = slopes[start : start + n_together]
            pairs = torch.cartesian_prod(torch.arange(len(some)), torch.arange(n_series))
            for few in pairs.split(max(SERIES_AT_ONCE, n_together)) if reached else ():
                (found,) = torch.autograd.grad(
                    out.from_others,
                    window,
                    [_of_series(part, few) for part in reached],
                    is_grads_batched=True,
                    retain_graph=True,
                )
                slope[few[:, 0], few[:, 1]] = found
            of_itself = total - slope.sum(1)
            for c in range(n_series):
                slope[:, c, ..., c] += of_itself[..., c]
        _read_constant_from_its_last_value(slopes, values.detach(), usable[..., 0], asked)
        in_order = slopes.roll(values.shape[2] - n_series, -1).permute(2, 0, 1, 3, 4)
        return in_order.numpy(), ahead.detach().mT.numpy()


def _of_series(reached: Tensor, pairs: Tensor) -> Tensor:
    """Return for pairs of a sum and a series, (n, 2), what reached the series, 0 at all others.

    Shapes (R, B, C, ...) and (n, B, C, ...).
    """
    is_own = torch.zeros(len(pairs), 1, reached.shape[2], 1, 1, dtype=reached.dtype)
    is_own[torch.arange(len(pairs)), 0, pairs[:, 1]] = 1
    return reached[pairs[:, 0]] * is_own


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
