"""The simulated world: batches of panels, drawn from many families.

What the pretrained network knows of the world is this room. No real series enters it. Some windows
are plain VARs (:data:`PLAIN_SHARES`), the rest are all families at equal weights: an equal mixture
of many generators has matched the best choice in every published comparison, so nothing is tuned.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

import torch
from torch import Tensor

from samovar_forecast.pretraining import linked_families as linked
from samovar_forecast.pretraining import single_families as single
from samovar_forecast.pretraining import vector_families as vector
from samovar_forecast.pretraining.draws import Draws, smooth_curves, standardize

Family = Callable[[Draws, int, int, int], Tensor]

FAMILIES: dict[str, Family] = {
    family.__name__: family
    for family in (
        vector.stable_var,
        vector.integrated_var,
        vector.cointegrated_var,
        vector.moving_var,
        vector.threshold_var,
        linked.leading_var,
        vector.switching_means,
        linked.dynamic_factors,
        linked.causal_graph,
        linked.small_macro_model,
        vector.autoregressions,
        vector.panel_autoregressions,
        single.local_trends,
        single.deterministic_trends,
        single.levels,
        single.gaussian_processes,
        single.long_memory,
        single.counts,
        single.bounded,
        single.chaotic_maps,
        single.events,
    )
}
"""Every family by its name."""

PLAIN_SHARES = {
    "stable_var": 0.05,
    "integrated_var": 0.08,
    "cointegrated_var": 0.05,
    "leading_var": 0.05,
}
"""Shares of the windows that are such a VAR and nothing else: what a linear VAR is made for."""

SEASONS = {
    1: 0.28,
    4: 0.13,
    7: 0.1,
    12: 0.2,
    24: 0.11,
    52: 0.06,
    5: 0.03,
    6: 0.03,
    48: 0.03,
    96: 0.03,
}
"""Periods, and how often each is drawn; 1 stands for none."""
LONG_SEASONS = {24: 168, 7: 28, 48: 336, 96: 672, 12: 36, 4: 20}
"""The slower season that may lie above one, weeks above days for instance."""
TOLD_RIGHT, TOLD_NONE = 0.62, 0.2
"""How often the period told is the true one, and none; else it is another one."""


class Panels(NamedTuple):
    """Simulated panels."""

    values: Tensor
    """(B, L, C), NaN where a value is missing."""
    season: Tensor
    """(B,) integer: the period told, 1 for none; right or wrong."""
    family: Tensor
    """(B,) integer: place in :data:`FAMILIES`."""


def draw_panels(
    draws: Draws, n: int, length: int, n_series: int, without: Collection[str] = ()
) -> Panels:
    """Return simulated panels of one size.

    Parameters
    ----------
    draws : Draws
        Source of the random numbers; the same state gives the same panels.
    n, length, n_series : int
    without : collection of str, default=()
        Families that are left out; the others share their windows.

    Returns
    -------
    Panels
        In random order.
    """
    drawn = [name for name in FAMILIES if name not in without]
    n_plain = {name: round(n * PLAIN_SHARES.get(name, 0.0)) for name in drawn}
    names = [name for name, count in n_plain.items() for _ in range(count)]
    each = (n - len(names)) // len(drawn)
    names += [name for name in drawn for _ in range(each)]
    rest = n - len(names)  # the families that get one more
    names += [drawn[int(k)] for k in draws.integers(0, len(drawn) - 1, rest)]
    parts, kinds, plain = [], [], []
    for number, (name, family) in enumerate(FAMILIES.items()):
        count = names.count(name)
        if count:
            parts.append(standardize(family(draws, count, length, n_series)))
            kinds += [number] * count
            plain += [place < n_plain[name] for place in range(count)]
    values = torch.cat(parts)
    kind = torch.tensor(kinds, device=values.device)
    is_plain = torch.tensor(plain, device=values.device)
    season = _draw_seasons(draws, n, length)
    season = torch.where(is_plain, 1, season)
    shaped = _observed_as(draws, _with_effects(draws, values, season), season)
    values = torch.where(is_plain[:, None, None], values, shaped)
    values = _with_gaps(draws, values)
    order = torch.rand(n, generator=draws.generator, device=draws.device).argsort()
    return Panels(values[order], _told(draws, season)[order], kind[order])


def _draw_seasons(draws: Draws, n: int, length: int) -> Tensor:
    season = draws.one_of(list(SEASONS), list(SEASONS.values()), n)
    free = draws.integers(3, 60, n)
    season = torch.where(draws.chance(0.08, n) > 0, free, season)
    return torch.where(season * 5 <= 2 * length, season, 1)


def _told(draws: Draws, season: Tensor) -> Tensor:
    fate = draws.uniform(0.0, 1.0, len(season))
    other = draws.one_of(list(SEASONS), list(SEASONS.values()), len(season))
    told = torch.where(fate < TOLD_RIGHT + TOLD_NONE, 1, other)
    return torch.where(fate < TOLD_RIGHT, season, told)


def _with_effects(draws: Draws, values: Tensor, season: Tensor) -> Tensor:
    """Add seasons, trends, shifts, echoes of other series, noise and outliers."""
    n, length, n_series = values.shape
    values = _trending(draws, values)
    size = draws.chance(0.6, n, 1, 1) * draws.log_uniform(0.1, 6.0, n, 1, 1)
    pattern = single.seasonal_pattern(draws, n, length, n_series, season)
    grows = draws.chance(0.35, n, 1, 1) / draws.uniform(2.0, 5.0, n, 1, n_series)
    values = values + size * pattern * (1 + grows * values).clamp(min=0)
    slower = season.clone()
    for fast, slow in LONG_SEASONS.items():
        slower[season == fast] = slow
    slower = torch.where(slower * 5 <= 2 * length, slower, 1)
    size = draws.chance(0.25, n, 1, 1) * draws.log_uniform(0.1, 2.0, n, 1, 1)
    values = values + size * single.seasonal_pattern(draws, n, length, n_series, slower)
    time = torch.linspace(0.0, 1.0, length, device=values.device)[:, None]
    shift = (time > draws.uniform(0.0, 1.0, n, 1, n_series)) * draws.normal(n, 1, n_series)
    values = values + draws.chance(0.1, n, 1, 1) * draws.log_uniform(0.5, 4.0, n, 1, 1) * shift
    if n_series > 1:
        values = _echoed(draws, values)
        values = _with_strangers(draws, values)
    noise = draws.chance(0.25, n, 1, 1) * draws.log_uniform(0.01, 0.7, n, 1, 1)
    values = values + noise * draws.normal(n, length, n_series)
    hit = draws.chance(0.08, n, 1, 1) * draws.chance(0.01, n, length, n_series)
    return standardize(values + 4 * hit * draws.normal(n, length, n_series))


def _trending(draws: Draws, values: Tensor) -> Tensor:
    """Add a common or an own trend to a quarter of the windows; deviation 1 again."""
    n, length, n_series = values.shape
    time = torch.linspace(0.0, 1.0, length, device=values.device)[:, None]
    trend = (draws.normal(n, 1, n_series) + draws.normal(n, 1, 1)) * time
    trend = trend + draws.chance(0.3, n, 1, 1) * smooth_curves(draws, n, length, 1, n_waves=4)
    size = draws.chance(0.25, n, 1, 1) * draws.log_uniform(0.3, 8.0, n, 1, 1)
    return standardize(values + size * trend)


def _echoed(draws: Draws, values: Tensor) -> Tensor:
    """Let a series repeat another one some steps later, in an eighth of the windows."""
    n, length, n_series = values.shape
    lag = draws.integers(0, 8, n, 1)
    at = (torch.arange(length, device=values.device) - lag).clamp(min=0)
    other = values.roll(1, 2).gather(1, at[..., None].expand(n, length, n_series))
    weight = draws.chance(0.12, n, 1, 1) * draws.chance(0.5, n, 1, n_series)
    return values + weight * draws.uniform(-2.0, 2.0, n, 1, n_series) * other


def _with_strangers(draws: Draws, values: Tensor) -> Tensor:
    """Put series of another window in the place of some: not every panel hangs together."""
    n, _, n_series = values.shape
    is_stranger = draws.chance(0.35, n, 1, 1) * draws.chance(0.5, n, 1, n_series)
    return torch.where(is_stranger > 0, values.roll(n // 3 + 1, 0), values)


def _observed_as(draws: Draws, values: Tensor, season: Tensor) -> Tensor:
    """Bend what is observed: exponentials, bounds, rounding, counts, signs."""
    n, _, n_series = values.shape
    bent = torch.exp((values * draws.log_uniform(0.1, 1.3, n, 1, 1)).clamp(-6, 6))
    values = torch.where(draws.chance(0.25, n, 1, 1) > 0, standardize(bent), values)
    cubed = standardize(values.clamp(-4, 4).pow(3))
    values = torch.where(draws.chance(0.03, n, 1, 1) > 0, cubed, values)
    floor = draws.uniform(-1.0, 0.3, n, 1, n_series)
    values = torch.where(draws.chance(0.05, n, 1, 1) > 0, torch.maximum(values, floor), values)
    grid = draws.log_uniform(0.02, 1.0, n, 1, n_series)
    rounded = torch.round(values / grid) * grid
    values = torch.where(draws.chance(0.08, n, 1, 1) > 0, rounded, values)
    return values * (1 - 2 * draws.chance(0.2, n, 1, n_series))


def _with_gaps(draws: Draws, values: Tensor) -> Tensor:
    """Take single values, stretches, or all before a start away; in a sixth of the windows."""
    n, length, n_series = values.shape
    time = torch.arange(length, device=values.device)[:, None]
    single_gap = draws.chance(draws.uniform(0.0, 0.3, n, 1, n_series), n, length, n_series) > 0
    begin = draws.integers(0, length - 1, n, 1, n_series)
    stretch = (time >= begin) & (
        time < begin + draws.integers(1, max(2, length // 6), n, 1, n_series)
    )
    late = time < draws.integers(0, length // 2, n, 1, n_series)
    kind = draws.integers(0, 17, n, 1, 1)
    gone = ((kind == 0) & single_gap) | ((kind == 1) & stretch) | ((kind == 2) & late)
    return values.masked_fill(gone, torch.nan)
