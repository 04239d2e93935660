"""Where torch ends: a network as a map from numpy windows to forecasts and Jacobians.

The Jacobian is built from few reverse passes. Given the mixed channels, the series do not see
each other, so one pass per step of the forecast serves all series at once; the window's
normalisation and the mix are undone in closed form (:class:`ForecastJacobian`).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from samovar_forecast.dynamics.forecast_jacobian import ForecastJacobian, LinearPart
from samovar_forecast.dynamics.forecast_map import ForecastMap, Part, by_series
from samovar_forecast.dynamics.windows import Units, Windows
from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.network import SAMoVARNetwork
from samovar_forecast.network.anchor import source_rows
from samovar_forecast.network.normalization import normalize

if TYPE_CHECKING:
    from samovar_forecast.config import NetworkConfig

NUMBERS_AT_ONCE = 4_000_000
"""Hidden activations of one batch; it bounds the memory whatever the number of series."""


class _Moments(NamedTuple):
    """Normalisation of one window; L context, K channels."""

    location: np.ndarray  # K
    scale: np.ndarray  # K
    location_slope: np.ndarray  # L K, derivative with respect to every value of the channel
    scale_slope: np.ndarray  # L K
    normalised: np.ndarray  # L K, 0 where there is no value


class NetworkMap:
    """A network frozen in eval mode and float64, from arrays to arrays.

    Parameters
    ----------
    network : SAMoVARNetwork
        Copied: later training of the original does not reach this map.
    parameter : int, default=0
        Which of the numbers predicted per step is the forecast.

    Raises
    ------
    ConfigurationError
        If there is no such number.
    """

    def __init__(self, network: SAMoVARNetwork, parameter: int = 0) -> None:
        if not 0 <= parameter < network.config.n_params:
            raise ConfigurationError(
                "the network predicts no such number",
                found=f"parameter={parameter}",
                wanted=f"0 to {network.config.n_params - 1}",
            )
        self.config = network.config
        self.parameter = parameter
        self.network = copy.deepcopy(network).to("cpu", torch.float64).eval()
        self.network.requires_grad_(False)

    @property
    def shape(self) -> NetworkConfig:
        """Of the windows."""
        return self.config

    @property
    def n_steps(self) -> int:
        """Steps forecast at once, s."""
        return self.config.patch_length

    @property
    def fewest_rows(self) -> int:
        """Rows of a window that have to be there: a full context."""
        return self.config.context_length

    @property
    def trained(self) -> NetworkMap:
        """The map itself."""
        return self

    def equals(self, other: ForecastMap) -> bool:
        """Whether the other map has the same configuration and weights."""
        if not isinstance(other, NetworkMap):
            return False
        if self.config != other.config or self.parameter != other.parameter:
            return False
        mine, theirs = self.network.state_dict(), other.network.state_dict()
        return all(torch.equal(mine[name], theirs[name]) for name in mine)

    def _batch_size(self) -> int:
        config = self.config
        per_window = config.n_series * config.n_tokens * 4 * config.width
        return max(1, NUMBERS_AT_ONCE // per_window)

    def batches(self, windows: Windows) -> Iterator[Windows]:
        """Cut windows into batches of bounded memory."""
        size = self._batch_size()
        for start in range(0, len(windows.target), size):
            yield windows.part(start, start + size)

    @torch.no_grad()
    def forecast(self, windows: Windows) -> np.ndarray:
        """Return the forecasts of the patch after each window; shape (B, s, C)."""
        parts = [
            self.network(*as_tensors(batch), last_only=True).forecast[..., self.parameter].numpy()
            for batch in self.batches(windows)
        ]
        empty = np.empty((0, self.config.patch_length, self.config.n_series))
        return np.concatenate(parts) if parts else empty

    # --------------------------------------------------------------------------- data space

    def jacobians(
        self, windows: Windows, weights: np.ndarray, units: Units, part: Part = "total"
    ) -> Iterator[ForecastJacobian]:
        """Yield the Jacobian of weighted sums of the forecast's steps, window by window.

        The level and the scale are those of the normalisation; there is no memory.
        """
        weights = by_series(weights, self.config.n_series)
        per_batch = max(1, self._batch_size() // len(weights))
        for start in range(0, len(windows.target), per_batch):
            batch = windows.part(start, start + per_batch)
            yield from (found.of(part) for found in self._jacobians(batch, weights, units))

    def _jacobians(
        self, windows: Windows, weights: np.ndarray, units: Units
    ) -> Iterator[ForecastJacobian]:
        config, tokenizer = self.config, self.network.tokenizer
        entrances: dict[str, nn.Module] = {"own": tokenizer.endo_embed}
        if tokenizer.mixes_series:
            entrances["mixed"] = tokenizer.exo_embed
        if config.n_future_covariates:
            entrances["future"] = tokenizer.future_embed
        if config.n_static_covariates:
            entrances["static"] = tokenizer.static_embed
        with _leaves(entrances) as leaves:
            output = self.network(*as_tensors(windows), last_only=True)
        level = output.patch_pred[:, :, -1, :, self.parameter]  # B C s
        forecast = output.forecast[..., self.parameter].detach().numpy()  # B s C
        asked = torch.from_numpy((weights * self.gate).swapaxes(1, 2))  # R C s
        slopes: dict[str, list[np.ndarray]] = {name: [] for name in leaves}
        rows = max(1, self._batch_size() // len(windows.target))
        for some in asked.split(rows):
            gradients = torch.autograd.grad(
                level,
                list(leaves.values()),
                some[:, None].expand(-1, len(level), -1, -1),  # R B C s
                is_grads_batched=True,
                retain_graph=True,
            )
            for name, gradient in zip(leaves, gradients, strict=True):
                slopes[name].append(gradient.numpy())
        by_entrance = {name: np.concatenate(parts) for name, parts in slopes.items()}
        for number in range(len(windows.target)):
            own = {name: slope[:, number] for name, slope in by_entrance.items()}
            values = (level[number].detach().numpy(), forecast[number])  # C s, s C
            yield self._assembled(windows.part(number, number + 1), own, values, weights, units)

    def _assembled(
        self,
        window: Windows,
        slopes: dict[str, np.ndarray],
        values: tuple[np.ndarray, np.ndarray],
        weights: np.ndarray,
        units: Units,
    ) -> ForecastJacobian:
        """Put one window's slopes and the slopes of its normalisation together."""
        config, tokenizer = self.config, self.network.tokenizer
        length = config.context_length
        channels = window.target[0]  # L Cin
        if window.past_covariates is not None:
            channels = np.concatenate([window.past_covariates[0], channels], axis=-1)
        moments = self._moments(channels)
        in_units = moments.scale * units.channels.scale
        own_scale = in_units[-config.n_series :]  # C
        mix = None if "mixed" not in slopes else tokenizer.exo_mix.weight.numpy()
        future = None
        if "future" in slopes:
            assert window.future_covariates is not None  # the forward would have failed
            ahead = window.future_covariates[0]  # L+s F
            n_future = ahead.shape[1]
            weight = tokenizer.future_mix.weight.numpy()  # C 2F or 3F
            by_level, by_change = weight[:, :n_future], weight[:, n_future : 2 * n_future]
            slope = self._moments(ahead[:length]).location_slope  # L F
            slope = np.pad(slope, ((0, config.patch_length), (0, 0)))  # L+s F
            n_read = slopes["future"][0, 0].size  # the oldest steps are not read
            flat = slopes["future"].reshape(*slopes["future"].shape[:2], n_read)  # R C read
            flat = np.pad(flat, ((0, 0), (0, 0), (len(ahead) - n_read, 0)))
            observed = self._observed(ahead)
            total = flat @ observed  # R C F
            future = (
                flat[..., None] * (by_level + by_change)[:, None] * observed
                - (total * by_change)[:, :, None] * slope
            )  # R C L+s F
            future *= own_scale[:, None, None]
            future += (
                self._anchor_by_future(window, weights)
                * units.series(config.n_series).scale[:, None, None]
            )
            future /= units.future.scale
        static = None
        if "static" in slopes:
            static = slopes["static"] * own_scale[:, None]  # R C S
        gated = (weights * self.gate).swapaxes(1, 2)  # R C s
        level, forecast = values
        series = units.series(config.n_series)
        return ForecastJacobian(
            weight=gated.sum(-1),
            level=np.einsum("rcs,cs->rc", gated, level),
            value=np.einsum("rsc,sc->rc", weights, forecast * series.scale + series.location),
            own=_along_time(slopes["own"], length),
            mixed=None if mix is None else _along_time(slopes["mixed"], length),
            mix=mix,
            normalised=moments.normalised,
            observed=self._observed(channels),
            scale=moments.scale,
            location_slope=moments.location_slope,
            scale_slope=moments.scale_slope,
            unit=units.channels.scale,
            future=future,
            static=static,
            linear=self._linear_part(window.target[0], weights, series.scale),
        )

    @property
    def gate(self) -> np.ndarray:
        """Return the network's share in every step and series, (s, C): 1 without an anchor."""
        anchor = self.network.anchor
        if anchor is None:
            return np.ones((self.config.patch_length, self.config.n_series))
        return anchor.gate.numpy()

    @property
    def is_anchored(self) -> bool:
        """Whether a linear anchor has a share in the forecast."""
        return bool((self.gate != 1).any())

    @property
    def cancels_level(self) -> bool:
        """Whether the network's own forecast moves with the level of a window, whatever it is."""
        return self.network.normalizer.cancels_level

    def _linear_part(
        self, target: np.ndarray, weights: np.ndarray, unit: np.ndarray
    ) -> LinearPart | None:
        """Return the coefficients of the anchor's share, in data units; target (L, C)."""
        anchor = self.network.anchor
        if anchor is None or not self.is_anchored:
            return None
        share = weights * (1 - self.gate)  # R s C
        observed = self._observed(target)
        rows = source_rows(torch.from_numpy(observed > 0)[None])[0].numpy()  # L C
        cross = np.einsum("rsc,scqk->rcqk", share, anchor.cross.numpy())
        return LinearPart(
            own=np.einsum("rsc,scp->rcp", share, anchor.own.numpy()),
            cross=cross * unit[:, None, None] / unit,
            source=rows,
            observed=observed,
        )

    def _anchor_by_future(self, window: Windows, weights: np.ndarray) -> np.ndarray | float:
        """Return the derivative of the anchor's share by the future covariates, (R, C, L+s, F)."""
        anchor = self.network.anchor
        if anchor is None or anchor.effect is None or not self.is_anchored:
            return 0.0
        target, _, future, _ = as_tensors(window)
        assert target is not None
        assert future is not None  # the forward would have failed
        share = torch.from_numpy(weights * (1 - self.gate))  # R s C
        said = torch.einsum("rsc,bsc->rc", share, anchor(target, future.requires_grad_()).forecast)
        each = torch.eye(said.numel(), dtype=said.dtype).view(-1, *said.shape)
        (slope,) = torch.autograd.grad(said, future, each, is_grads_batched=True)  # RC 1 L+s F
        return slope.view(*said.shape, *future.shape[1:]).numpy()

    def _observed(self, values: np.ndarray) -> np.ndarray:
        """Return 1 where there is a value, else 0; only some networks look at this."""
        if not self.config.missing_values:
            return np.ones_like(values)
        return np.isfinite(values).astype(float)

    def _moments(self, channels: np.ndarray) -> _Moments:
        """Return location and scale of one window's channels, (L, K), and their slopes."""
        observed = self._observed(channels)
        filled = torch.from_numpy(np.where(observed > 0, channels, 0.0))[None]  # 1 L K
        is_observed = torch.from_numpy(observed > 0)[None] if self.config.missing_values else None
        moments = self.network.normalizer.moments(filled, is_observed)
        slopes = self.network.normalizer.slopes(filled, is_observed)
        return _Moments(
            location=moments.location[0, 0].numpy(),
            scale=moments.scale[0, 0].numpy(),
            location_slope=slopes.location[0].numpy(),
            scale_slope=slopes.scale[0].numpy(),
            normalised=normalize(filled, *moments)[0].numpy() * observed,
        )


def as_tensors(windows: Windows) -> list[Tensor | None]:
    """Return the arguments of the network, in float64."""
    return [
        None if table is None else torch.from_numpy(np.array(table, dtype=np.float64))
        for table in windows.tables
    ]


def _along_time(slopes: np.ndarray, length: int) -> np.ndarray:
    """Lay patches out in time and cut the padding off: (R, C, N, s) -> (R, C, L)."""
    return slopes.reshape(*slopes.shape[:2], -1)[..., -length:]


@contextmanager
def _leaves(entrances: dict[str, nn.Module]) -> Iterator[dict[str, Tensor]]:
    """Make the inputs of some modules leaves of the graph, while the block runs a forward."""
    leaves: dict[str, Tensor] = {}

    def cut(name: str) -> Any:
        def replace(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
            leaves[name] = inputs[0].detach().requires_grad_()
            return (leaves[name],)

        return replace

    handles = [module.register_forward_pre_hook(cut(name)) for name, module in entrances.items()]
    try:
        yield leaves
    finally:
        for handle in handles:
            handle.remove()
