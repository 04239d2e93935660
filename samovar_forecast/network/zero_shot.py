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
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import NormalDist
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from samovar_forecast.exceptions import ConfigurationError
from samovar_forecast.network.blocks import Linear, MLPBlock, RMSNorm
from samovar_forecast.network.decayed_attention import attention_to_memory, decayed_attention
from samovar_forecast.network.held import computing, is_held
from samovar_forecast.network.mixture import HEAD_NORM_EPSILON, StructuralMatrix
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


@dataclass(frozen=True)
class ZeroShotConfig:
    """Shape of the network; none of it depends on a panel."""

    width: int = 64
    heads: int = 4
    n_layers: int = 3
    patch_length: int = 8
    fine_patch_length: int = 4
    """Of short windows, which have few patches to learn from."""
    fine_up_to: int = 160
    """Longest window, in steps, that is cut into fine patches."""
    horizon: int = 64
    """Steps forecast at once; further ones by rolling."""
    quantiles: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    decays: tuple[float, ...] = (1.0, 0.97, 0.85, 0.5)
    """Of a key from patch to patch, by head."""
    structure: str = "lu"
    prior_rows: float = 0.0
    """Rows that the records of the simple forecasts are worth against what was learned beyond them.

    0 in the training. What is learned there holds for simulations; a real panel differs, and a
    short one says little of how. Weights between the first and the trained ones are more robust to
    such a shift (Wortsman et al. 2022, Robust fine-tuning of zero-shot models)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "quantiles", tuple(self.quantiles))
        object.__setattr__(self, "decays", tuple(self.decays))
        if min(self.width, self.heads) < 1 or self.width % self.heads:
            raise ConfigurationError(
                "the heads must divide the width", found=f"width {self.width}, {self.heads} heads"
            )
        if len(self.decays) != self.heads or not all(0 < decay <= 1 for decay in self.decays):
            raise ConfigurationError(
                "each head has a decay", found=self.decays, wanted=f"{self.heads} in (0, 1]"
            )
        levels = self.quantiles
        is_rising = all(low < high for low, high in itertools.pairwise((0.0, *levels, 1.0)))
        if self.horizon != BANDS[-1][1] or 0.5 not in levels or not is_rising:
            raise ConfigurationError(
                "the horizon ends with the last band of the records, and the levels rise inside "
                "(0, 1) through the median",
                found=f"{self.horizon} steps, levels {levels}",
            )
        lengths = (self.n_layers, self.patch_length, self.fine_patch_length)
        if min(lengths) < 1 or max(lengths) > self.horizon or not 0 <= self.prior_rows < math.inf:
            raise ConfigurationError(
                "layers and patches are counted from 1 to the horizon, prior rows from 0",
                found=f"layers and patches {lengths}, {self.prior_rows} prior rows",
            )

    @property
    def head_width(self) -> int:
        """Width of a head (d)."""
        return self.width // self.heads

    def patch_length_of(self, n_steps: int) -> int:
        """Return the length of the patches of a window."""
        return self.fine_patch_length if n_steps <= self.fine_up_to else self.patch_length

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return asdict(self)


class ZeroShotOutput(NamedTuple):
    """Result of a forward; P positions that were read, Q levels."""

    quantiles: Tensor
    """(B, C, P, H, Q) away from the last value, in units of the position."""
    actual: Tensor
    """(B, C, P, H) what came, likewise; NaN where it is not known."""
    error: Tensor
    """(B, C, P, H) size of the errors that the record foretells, likewise."""
    last: Tensor
    """(B, C, P) last value, in the units of the input as ``unit``."""
    unit: Tensor
    """(B, C, P, H)"""
    is_usable: Tensor
    """(B, C, P) 1 where the series has moved at all, else 0."""
    shares: Tensor
    """(B, C, P, K, J) weights of the paths, by band."""
    from_others: tuple[Tensor, ...] = ()
    """(B, C, N, any) each: all by which other series enter; none where they do not."""


class Memory(NamedTuple):
    """What the network has learned inside windows, at every position; see `at_ends`."""

    found: Tensor
    """(B, C, N) period of the season found."""
    strength: Tensor
    """(B, C, N) of this season."""
    record: Tensor
    """(B, C, N, K, J)"""
    pooled: Tensor
    """(B, C or 1, N, K, J)"""
    tokens: Tensor
    """(B, C, N, D)"""


class _Read(NamedTuple):
    """What is computed from windows in closed form; N positions."""

    window: Window
    statistics: RunningStatistics
    paths: Paths
    patch_length: int


class ZeroShotNetwork(nn.Module):
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
        self.projection_norm = RMSNorm(
            2, n_layers, config.heads, config.head_width, epsilon=HEAD_NORM_EPSILON
        )
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
        another. With the memory held (:mod:`samovar_forecast.network.held`) so are their
        derivatives, at the cost of a position each.

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

        scale = read.window.scale.to(quantiles.dtype)
        last = statistics.last[:, :, positions].double() * read.window.scale + read.window.location
        unit = statistics.unit[:, :, positions, :n_steps] * scale[..., None]
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
        both = self.projection_norm(projected, order=(2, 3, 0, 4, 1, 5))  # 2 M B*C H N d
        key = x1.unflatten(-1, shape[2:]).transpose(1, 2)  # B*C H N d
        attend = attention_to_memory if is_held("memory") else decayed_attention
        outputs = []
        for query, value in zip(*both, strict=True):
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

    def export_onnx(self, path: str | Path, *, n_rows: int, n_series: int, n_steps: int) -> None:
        """Write :meth:`forecast` as an ONNX file, for any number of windows of one shape.

        The inputs are ``values``, float64 of shape (B, n_rows, n_series) with NaN where a value is
        missing, and ``season``, int64 of shape (B,), 1 for none; the output is ``quantiles``,
        float64 of shape (B, n_steps, n_series, Q). A shorter window is filled up with NaN in front.
        Needs ``pip install 'samovar_forecast[onnx]'``, and a minute or more; to run the file,
        ``onnxruntime`` alone.

        Parameters
        ----------
        path : str or Path
        n_rows, n_series, n_steps : int
            Further series that only help to forecast count among the series.

        Raises
        ------
        ConfigurationError
            If there are more than eight series.
        MissingPackageError
            If a package that writes ONNX is not installed.
        """
        from samovar_forecast.network.onnx_export import export_pretrained

        export_pretrained(self, path, n_rows, n_series, n_steps)

    @torch.inference_mode()
    def forecast_along(
        self,
        values: Tensor,
        n_positions: int,
        n_steps: int,
        season: int = 1,
        *,
        past_covariates: Tensor | None = None,
    ) -> Tensor:
        """Return quantiles of the steps after each of the last patches of each window.

        Parameters
        ----------
        values : Tensor of shape (B, L, C)
            NaN where a value is missing.
        n_positions : int
            Patches to forecast after (P); the last ends with the window.
        n_steps : int
            At most ``config.horizon``.
        season : int, default=1
        past_covariates : Tensor of shape (B, L, P), optional

        Returns
        -------
        float64 Tensor of shape (B, P, n_steps, C, Q)
        """
        n_series = values.shape[-1]
        if past_covariates is not None:
            values = torch.cat([values, past_covariates], -1)
        seasons = torch.full((len(values),), season, device=values.device)
        out = self(
            values.double(), seasons, positions=torch.arange(-n_positions, 0), n_steps=n_steps
        )
        moves = out.quantiles.double() * out.unit[..., None]
        levels = out.last[..., None, None] + moves * out.is_usable[..., None, None]  # B C P s Q
        return levels[:, :n_series].permute(0, 2, 3, 1, 4)

    @torch.inference_mode()
    def forecast(
        self,
        values: Tensor,
        horizon: int,
        season: int | Tensor = 1,
        *,
        past_covariates: Tensor | None = None,
        with_others: bool = True,
    ) -> Tensor:
        """Return quantiles of the steps after each window.

        Parameters
        ----------
        values : Tensor of shape (B, L, C)
            NaN where a value is missing; what is not there in front is NaN too. Patches without a
            value are read as such: windows that are to be forecast as each alone have as many
            patches, of one length (:meth:`ZeroShotConfig.patch_length_of`).
        horizon : int
            Any number of steps; beyond ``config.horizon`` the median is rolled forward.
        season : int or integer Tensor of shape (B,), default=1
        past_covariates : Tensor of shape (B, L, P), optional
            Further series that may help to forecast; they are not forecast themselves.
        with_others : bool, default=True

        Returns
        -------
        float64 Tensor of shape (B, horizon, C, Q)
        """
        if not isinstance(season, Tensor):
            season = torch.full((len(values),), season, device=values.device)
        centre = self.config.quantiles.index(0.5)
        n_series = values.shape[-1]
        if past_covariates is not None:
            values = torch.cat([values, past_covariates], -1)
        values = values.double()
        end = torch.tensor([-1])
        blocks: list[Tensor] = []
        widening = torch.zeros(())
        remaining = horizon
        while remaining > 0:
            n_now = min(remaining, self.config.horizon)
            out = self(values, season, with_others=with_others, positions=end, n_steps=n_now)
            moves = out.quantiles[:, :, 0].double() * out.unit[:, :, 0, :, None]
            moves = moves * out.is_usable[..., None]  # B C H Q
            away = moves - moves[..., centre, None]
            away = away.sign() * (away.square() + widening**2).sqrt()
            median = out.last[:, :, 0, None] + moves[..., centre]  # B C H
            blocks.append((median[..., None] + away).transpose(1, 2))
            widening = away[:, :, -1:]
            values = torch.cat([values, median.transpose(1, 2)], 1)
            remaining -= n_now
        return torch.cat(blocks, 1)[:, :, :n_series]
