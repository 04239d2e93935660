"""The SAMoVAR network for any panel: its forward on one page.

No parameter belongs to a series, a length or a frequency. The tokens are computed from the window:
the endogenous one of a series' own values, simple forecasts of it and their record so far; the
exogenous one of the other series, through a vector autoregression that is estimated inside the
window and through mixes by their cross-moments. MLP blocks come first, then an aligned stack of VAR
layers whose keys fade with the lag; see :mod:`samovar_forecast.network.mixture`. What is read from
them, at every position, is a weighted mean of the simple forecasts and a change to it.
"""

from __future__ import annotations

import copy
import itertools
import math
from dataclasses import replace
from statistics import NormalDist
from typing import NamedTuple

import torch
from torch import Tensor, nn

from samovar_forecast.network.blocks import HeadNorm, Linear, MLPBlock, RMSNorm
from samovar_forecast.network.decayed_attention import attention_to_memory, decayed_attention
from samovar_forecast.network.held import computing, is_held
from samovar_forecast.network.mixture import StructuralMatrix
from samovar_forecast.network.parameter_kinds import positive
from samovar_forecast.network.paths import PATHS, Paths, forecast_paths
from samovar_forecast.network.records import (
    BANDS,
    STEPS_REMEMBERED,
    band_weights,
    pooled_records,
    records,
    targets,
)
from samovar_forecast.network.running import (
    RunningStatistics,
    Window,
    open_window,
    running_statistics,
)
from samovar_forecast.network.seasons import find_seasons
from samovar_forecast.network.window_features import (
    N_OTHERS,
    N_OWN,
    STEPS_SHOWN,
    features_of_others,
    mix_others,
    own_features,
)
from samovar_forecast.network.window_forecasts import WindowForecasts
from samovar_forecast.network.zero_shot_config import ZeroShotConfig
from samovar_forecast.network.zero_shot_output import Memory, ZeroShotOutput


class _Read(NamedTuple):
    """What is computed from windows in closed form; N positions."""

    window: Window
    statistics: RunningStatistics
    paths: Paths
    patch_length: int


class ZeroShotNetwork(WindowForecasts):
    """Dynamic vector autoregression for any number of series, forecast without training on them.

    Parameters
    ----------
    config : ZeroShotConfig
    generator : torch.Generator, optional
        Source of the initial weights; by default torch's global one.
    """

    to_steps: Tensor
    decay: Tensor

    def __init__(self, config: ZeroShotConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        width, n_layers = config.width, config.n_layers
        self.endo_embed = Linear(N_OWN, width)
        self.endo_norm = RMSNorm(width)
        self.exo_embed = Linear(N_OTHERS, width)
        self.exo_norm = RMSNorm(width)
        self.embed_norm = RMSNorm(width)
        self.mlp = nn.ModuleList(MLPBlock(width, 0.0) for _ in range(n_layers))
        self.var_norm = RMSNorm(width)
        self.projection = Linear(width, 2 * n_layers * width)
        self.projection_norm = HeadNorm(2, n_layers, config.heads, config.head_width)
        self.structure = StructuralMatrix(config)  # type: ignore[arg-type] # reads three names
        self.out_norm = RMSNorm(width)
        n_bands, n_steps = len(BANDS), len(config.quantiles) - 1
        self.head = Linear(width, n_bands * (len(PATHS) + n_steps) + config.horizon)
        self.trust = nn.Parameter(torch.empty(n_bands))
        self.trust_of_all = nn.Parameter(torch.empty(n_bands))
        with torch.device("cpu"):  # on the device of shapes alone it would take seconds
            to_steps = band_weights(config.horizon)
        self.register_buffer("to_steps", to_steps.to(self.trust.device), persistent=False)
        self.register_buffer("decay", torch.tensor(config.decays), persistent=False)
        self._initialize(generator)

    def forward(
        self,
        values: Tensor,
        season: Tensor,
        *,
        future: Tensor | None = None,
        with_others: bool = True,
        positions: Tensor | None = None,
        n_steps: int | None = None,
    ) -> ZeroShotOutput:
        """Forecast the next steps from every position of each window.

        Parameters
        ----------
        values : Tensor of shape (B, L, C)
            NaN where a value is missing.
        season : integer Tensor of shape (B,)
            Period told; 1 for none.
        future : Tensor of shape (B, H, C), optional
            What came after the window: targets of its last positions, seen by no forecast.
        with_others : bool, default=True
            Whether a series may be forecast from the others; without, there is no exogenous token.
        positions : integer Tensor of shape (P,), optional
            Positions to read; all by default.
        n_steps : int, optional
            Steps ahead to forecast (H); by default as many as there are. Fewer cost less, for the
            simple forecasts are then made of the steps alone that are remembered or asked for.

        Returns
        -------
        ZeroShotOutput
        """
        n_steps = self.config.horizon if n_steps is None else n_steps
        with_others = with_others and values.shape[-1] > 1
        read, memory, actual, features = self._learn(
            values, season, n_steps, future, with_others=with_others
        )
        mixed = self._mixture(memory.tokens)  # B C N D
        if positions is None:
            positions = torch.arange(mixed.shape[2], device=mixed.device)
        answer = self._answer(read, memory, mixed, positions, n_steps)
        from_others = (*read.paths.from_others, *features[2:])
        return answer._replace(actual=actual[:, :, positions, :n_steps], from_others=from_others)

    @torch.no_grad()
    def remember(self, values: Tensor, season: Tensor, *, with_others: bool = True) -> Memory:
        """Return what the network learns inside windows, up to each of their positions.

        Parameters are those of :meth:`forward`.
        """
        with_others = with_others and values.shape[-1] > 1
        return self._learn(values, season, 1, None, with_others=with_others)[1]

    def at_ends(
        self,
        windows: Tensor,
        season: Tensor,
        memory: Memory,
        of: Tensor,
        positions: Tensor,
        *,
        n_steps: int,
        with_others: bool = True,
    ) -> ZeroShotOutput:
        """Forecast from the ends of windows by what was learned before.

        Position ``positions[i]`` of the remembered window ``of[i]`` ends with ``windows[i]``: the
        forecasts are those of :meth:`forward` from there, and no window moves the forecast of
        another. More than eight series hang together as in the window that ends. With the memory
        held (:mod:`samovar_forecast.network.held`) so are their derivatives, at the cost of a
        position each.

        Parameters
        ----------
        windows : Tensor of shape (P, L, C)
            Missing rows in front fill up shorter ones.
        season : integer Tensor of shape (P,)
        memory : Memory
            Of the windows themselves, or of longer windows that begin with them.
        of, positions : integer Tensor of shape (P,)
            No pair occurs twice.
        n_steps : int
        with_others : bool, default=True

        Returns
        -------
        ZeroShotOutput
            P windows with a position each; nothing is known of what came.
        """
        with_others = with_others and windows.shape[-1] > 1
        own = Memory(*(part[of, :, positions][:, :, None] for part in memory))  # P C 1 ...
        n_rows = windows.shape[1]
        with torch.set_grad_enabled(windows.requires_grad):
            window = open_window(windows, n_rows, self.trust.dtype)
            found = own.found, own.strength
            looked_at = {*range(1, n_steps + 1), *STEPS_SHOWN}
            read = self._read(window, season, found, n_rows, looked_at, with_others=with_others)
            features = self._features(read, own.record, season, found, with_others=with_others)
        live = self._tokens(features)[:, :, 0]  # P C D
        beside = memory.tokens.transpose(1, 2).index_put((of, positions), live)  # B N C D
        mixed = self._mixture(beside.transpose(1, 2))[of, :, positions][:, :, None]  # P C 1 D
        end = torch.zeros(1, dtype=torch.long)
        answer = self._answer(read, own, mixed, end, n_steps)
        return answer._replace(from_others=(*read.paths.from_others, *features[2:]))

    def _read(
        self,
        window: Window,
        season: Tensor,
        found: tuple[Tensor, Tensor],
        patch_length: int,
        looked_at: set[int],
        *,
        with_others: bool,
    ) -> _Read:
        """Return statistics, and simple forecasts of the steps that are looked at."""
        statistics = running_statistics(window, patch_length, self.config.horizon)
        paths = forecast_paths(
            window,
            statistics,
            season,
            found[0],
            patch_length,
            with_others=with_others,
            steps=sorted(looked_at),
        )
        return _Read(window, statistics, paths, patch_length)

    @staticmethod
    def _features(
        read: _Read,
        record: Tensor,
        season: Tensor,
        found: tuple[Tensor, Tensor],
        *,
        with_others: bool,
    ) -> tuple[Tensor, ...]:
        """Return the features of the series, and those of the others and their mixes, if any."""
        own = own_features(read.window, read.statistics, read.paths, record, season, *found)
        if not with_others:
            return (own,)
        mixes = mix_others(read.window, read.statistics, read.patch_length)
        return own, features_of_others(read.statistics, read.paths, record, mixes), mixes

    def _tokens(self, features: tuple[Tensor, ...]) -> Tensor:
        """Return the tokens of all positions, (B, C, N, D)."""
        tokens = self.endo_norm(self.endo_embed(features[0]))
        if len(features) > 1:
            tokens = tokens + self.exo_norm(self.exo_embed(features[1]))
        return self.embed_norm(tokens)

    def _learn(
        self,
        values: Tensor,
        season: Tensor,
        n_steps: int,
        future: Tensor | None,
        *,
        with_others: bool,
    ) -> tuple[_Read, Memory, Tensor, tuple[Tensor, ...]]:
        """Return what windows say and what is learned of them, what came, and the features."""
        patch_length = self.config.patch_length_of(values.shape[1])
        with torch.set_grad_enabled(values.requires_grad):
            window = open_window(values, patch_length, self.trust.dtype)
            with computing("memory"):
                found = find_seasons(window, season, patch_length)
            looked_at = {*range(1, n_steps + 1), *STEPS_SHOWN, *itertools.chain(*STEPS_REMEMBERED)}
            read = self._read(
                window, season, found, patch_length, looked_at, with_others=with_others
            )
            with computing("memory"):
                actual = targets(window, read.statistics, patch_length, future)
                record = records(read.paths, read.statistics, actual, patch_length)  # B C N K J
            pooled = record
            if with_others:  # a choice, like the seasons found: held fixed in derivatives
                pooled = pooled_records(record, read.paths, read.statistics).detach()
            features = self._features(read, record, season, found, with_others=with_others)
        memory = Memory(*found, record, pooled, self._tokens(features))
        return read, memory, actual, features

    def _answer(
        self, read: _Read, memory: Memory, mixed: Tensor, positions: Tensor, n_steps: int
    ) -> ZeroShotOutput:
        """Return the forecasts from some positions, of which nothing is known that came."""
        config, statistics, paths = self.config, read.statistics, read.paths
        mixed, record, pooled = (
            part[:, :, positions] for part in (mixed, memory.record, memory.pooled)
        )
        said = self.head(self.out_norm(mixed))  # B C P ...
        n_bands = len(BANDS)
        logits, change, spread = said.split(
            [n_bands * len(PATHS), config.horizon, n_bands * (len(config.quantiles) - 1)], -1
        )
        change, to_steps = change[..., :n_steps], self.to_steps[:, :n_steps]
        is_there = paths.is_there[:, :, positions, :, None]
        n_rows = statistics.n_observed[:, :, positions, None]
        learned = n_rows / (n_rows + config.prior_rows).clamp(min=1)  # B C P 1
        logits = logits.unflatten(-1, (-1, n_bands)) * learned[..., None]  # B C P K J
        logits = logits - self.trust * record - self.trust_of_all * pooled
        shares = torch.where(is_there > 0, logits, -torch.inf).softmax(-2)
        by_band = shares.mT @ paths.moves[:, :, positions, :, :n_steps]  # B C P J H
        mean = (by_band * to_steps).sum(-2)  # B C P H
        error = ((shares * record).sum(-2) @ to_steps).exp()  # B C P H
        median = mean + learned * change * error
        quantiles = self._quantiles(median, error, spread.unflatten(-1, (-1, n_bands)))

        scale = read.window.scale  # float64, which holds units that float32 does not
        last = statistics.last[:, :, positions].double() * scale + read.window.location
        unit = statistics.unit[:, :, positions, :n_steps].double() * scale[..., None]
        usable = statistics.is_usable[:, :, positions]
        actual = torch.full_like(unit, torch.nan)
        return ZeroShotOutput(quantiles, actual, error, last, unit, usable, shares)

    def _mixture(self, tokens: Tensor) -> Tensor:
        """Return ``x1 + (sum_m o^m) S``, the aligned VAR layers of all series; (B, C, N, D)."""
        config = self.config
        h = tokens.flatten(0, 1)  # B*C N D
        for block in self.mlp:
            h = block(h)
        x1 = self.var_norm(h)
        shape = (2, config.n_layers, config.heads, config.head_width)
        projected = self.projection(x1).unflatten(-1, shape)  # B*C N 2 M H d
        parts = [part.unflatten(0, (-1, config.heads)) for part in self.projection_norm(projected)]
        queries, values = parts[: config.n_layers], parts[config.n_layers :]  # M of B*C H N d
        key = x1.unflatten(-1, shape[2:]).transpose(1, 2)  # B*C H N d
        attend = attention_to_memory if is_held("memory") else decayed_attention
        outputs = []
        for query, value in zip(queries, values, strict=True):
            scaled = query * (config.head_width**-0.5)
            key = attend(scaled, key, value, self.decay)
            outputs.append(key)
        mixture = self.structure(sum(outputs[1:], outputs[0]))
        output = x1 + mixture.transpose(1, 2).flatten(2)
        return output.unflatten(0, tokens.shape[:2])

    def _quantiles(self, median: Tensor, error: Tensor, spread: Tensor) -> Tensor:
        """Return levels in order: the median, and positive steps away from it; (..., H, Q)."""
        levels = self.config.quantiles
        normal = torch.tensor(
            [NormalDist().inv_cdf(level) for level in levels],
            dtype=median.dtype,
            device=median.device,
        )
        to_steps = self.to_steps[:, : median.shape[-1]]
        gaps = (positive(spread) * normal.diff()[:, None]) @ to_steps  # ... Q-1 H
        centre = levels.index(0.5)
        above = gaps[..., centre:, :].cumsum(-2)
        below = gaps[..., :centre, :].flip(-2).cumsum(-2).flip(-2)
        away = torch.cat([-below, torch.zeros_like(above[..., :1, :]), above], -2)
        return (median[..., None, :] + away * error[..., None, :]).mT

    def with_prior(self, rows: float) -> ZeroShotNetwork:
        """Return a copy that trusts the records of the simple forecasts more; see the config."""
        drawn = copy.deepcopy(self)
        drawn.config = replace(self.config, prior_rows=rows)
        return drawn

    @torch.no_grad()
    def _initialize(self, generator: torch.Generator | None) -> None:
        """Draw the initial weights as those of SAMoVAR, wider where features come in."""
        if self.head.weight.is_meta:  # shapes alone
            return
        for name, parameter in self.named_parameters():
            if name.endswith(".gain"):
                parameter.fill_(1.0)
            elif name.endswith(".bias"):
                parameter.zero_()
            elif name.startswith("trust"):
                parameter.fill_(1.5)
            elif name.endswith(".lu"):
                parameter.normal_(0.0, math.sqrt(0.02), generator=generator)
            else:
                deviation = 1 / math.sqrt(parameter.shape[-1])
                if name.endswith(".down.weight"):
                    deviation /= math.sqrt(2 * self.config.n_layers)
                elif name == "head.weight":
                    deviation = 0.02
                parameter.normal_(0.0, deviation, generator=generator)
