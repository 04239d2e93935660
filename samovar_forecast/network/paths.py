"""Simple forecasts of every series at every position, in closed form.

A mean, the season before, an autoregression, a vector autoregression of the whole window: each
reads the values up to its position. The network weighs them by their records; see
:mod:`samovar_forecast.network.records`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from samovar_forecast.network.adjustment import Adjusted, adjust
from samovar_forecast.network.factors import common_factors
from samovar_forecast.network.held import as_given
from samovar_forecast.network.ridge import Prior, changes_ahead, estimate, join, states_at_ends
from samovar_forecast.network.running import (
    RunningStatistics,
    Window,
    at_positions,
    prefixes,
    recent_values,
    running_sums,
)
from samovar_forecast.network.seasons import seasonal_means
from samovar_forecast.network.trends import local_line, slope_of_halves, smoothed_levels

PATHS = (
    "last",
    "season_before",
    "season_last",
    "season_smooth",
    "season_slow",
    "season_mean",
    "half_trend",
    "trend",
    "damped_trend",
    "local_trend",
    "autoregression",
    "season_autoregression",
    "step_autoregression",
    "found_season",
    "vector_autoregression",
    "vector_step_autoregression",
    "shared_autoregression",
)
EXOGENOUS = PATHS[PATHS.index("vector_autoregression") :]
"""Paths that read the other series."""
N_OWN = len(PATHS) - len(EXOGENOUS)
LARGEST = 16.0
"""Bound of a path, in units."""
N_FOUND = 3
"""Seasons of a season found."""
N_RECENT = 8
"""Last values that give the level of a season that was found."""
SMOOTHING = (0.4, 0.12)
LOCAL_RATES = (0.3, 0.12)
DAMPING = (0.85, 0.97)
"""Of the slopes of the damped and of the local trend, by step."""
ORDER = 8
NEVER = 1e9
"""Rows of a prior that lets a regressor have no effect."""
LEVEL_PRIOR = Prior(level=60.0, step=2.0, growth=1.5)
STEP_PRIOR = Prior(level=NEVER, step=3.0, growth=1.5)
SHARED_PRIOR = Prior(level=60.0, step=4.0, growth=1.5, is_shared=True)
UNADJUSTED_PRIOR = Prior(level=20.0, step=2.0, growth=1.5)
JOINT_PRIORS = (
    Prior(level=60.0, step=32.0, growth=1.0),
    Prior(level=NEVER, step=48.0, growth=1.0),
)
MOST_JOINT = 8
"""Series that are regressed on each other as they are; of more, their factors are."""


class Paths(NamedTuple):
    """Paths of all series at every position; K of them, H steps of each."""

    moves: Tensor
    """(B, C, N, K, H) away from the last value, in units of ``RunningStatistics.unit``."""
    is_there: Tensor
    """(B, C, N, K) 1 where there is such a path, else 0."""
    ahead: tuple[int, ...]
    """The H steps ahead, in their order."""
    from_others: tuple[Tensor, ...] = ()
    """(B, C, N, H) each: moves of which a path is made that reads other series."""


def forecast_paths(
    window: Window,
    statistics: RunningStatistics,
    told: Tensor,
    found: Tensor,
    patch_length: int,
    *,
    with_others: bool,
    steps: Sequence[int] | None = None,
) -> Paths:
    """Return all paths; see :data:`PATHS`.

    Parameters
    ----------
    window : Window
    statistics : RunningStatistics
    told : integer Tensor of shape (B,)
        Period of the season told; 1 for none.
    found : integer Tensor of shape (B, C, N)
        Period of another season; 1 for none.
    patch_length : int
    with_others : bool
        Whether a series may be forecast from the others.
    steps : sequence of int, optional
        Steps ahead, in their order; by default all of ``RunningStatistics.unit``.

    Returns
    -------
    Paths
    """
    x = window.values
    asked = tuple(range(1, statistics.unit.shape[-1] + 1) if steps is None else steps)
    ends = at_positions(torch.arange(x.shape[-1], device=x.device), patch_length)
    ahead = torch.tensor(asked, device=x.device)
    slope = as_given(slope_of_halves(x, window.start, ends), "level")  # B C N 1
    adjusted = adjust(window, told, slope, ends, ahead)
    with_others = with_others and x.shape[1] > 1
    own = _autoregressions(window, adjusted, asked, patch_length, with_others=with_others)
    from_others: tuple[Tensor, ...] = ()
    if with_others:
        joint = _vector_autoregressions(adjusted.values, adjusted.counts, asked, patch_length)
        from_others = (*joint, own[3])

    last = statistics.last[..., None]
    now = adjusted.ahead + at_positions(adjusted.values, patch_length)[..., None] - last  # B C N H
    has_season = (told > 1)[:, None, None]  # B 1 1
    naive = torch.where(
        has_season[..., None],
        _season_before(window, told, ends, ahead),
        _recent_mean(x, patch_length),
    )
    found_season = _found_season(window, found, ends, ahead)
    moves = {
        "last": torch.zeros_like(now),
        "season_before": naive - last,
        "season_last": now,
        "trend": now + ahead * slope,
        **_of_levels(adjusted, last, slope, ahead, patch_length),
        "autoregression": own[0],
        "season_autoregression": now + own[1],
        "step_autoregression": now + own[2],
        "found_season": found_season - last,
        **{name: now + part for name, part in zip(EXOGENOUS, from_others, strict=False)},
    }
    is_reached = at_positions(adjusted.is_reached, patch_length)
    unlike_most = {
        "last": torch.ones_like(is_reached),
        "season_before": (ends + 1 - window.start >= told[:, None, None]) | ~has_season,
        "season_last": is_reached & has_season,
        "autoregression": torch.ones_like(is_reached),
        "found_season": (found > 1) & (ends - window.start >= found + N_RECENT),
    }
    nothing = torch.zeros_like(is_reached)
    is_there = torch.stack(
        [unlike_most.get(name, is_reached) if name in moves else nothing for name in PATHS], 3
    ).to(x.dtype)
    stacked = torch.stack([moves.get(name, moves["last"]) for name in PATHS], 3)
    unit = statistics.unit[:, :, :, None, ahead - 1]
    in_units = stacked.div_(unit).clamp(-LARGEST, LARGEST)
    return Paths(in_units * is_there[..., None], is_there, asked, from_others)


def places_of(steps: Sequence[int], ahead: Sequence[int]) -> list[int]:
    """Return where some steps stand among the steps of paths."""
    place = {step: number for number, step in enumerate(ahead)}
    return [place[step] for step in steps]


def _of_levels(
    adjusted: Adjusted, last: Tensor, slope: Tensor, ahead: Tensor, patch_length: int
) -> dict[str, Tensor]:
    """Return the moves of paths that go on from means and lines of late; B C N H each."""
    y, counts = adjusted.values, adjusted.counts
    total = running_sums(y * counts, patch_length)
    mean = total / running_sums(counts, patch_length).clamp(min=1)  # B C N
    mean = as_given(mean, "level")
    levels = smoothed_levels(y, counts, mean, SMOOTHING, patch_length).split(1, -1)
    smooth, slow = (adjusted.ahead + level - last for level in levels)
    moves = {
        "season_smooth": smooth,
        "season_slow": slow,
        "season_mean": adjusted.ahead + mean[..., None] - last,
        "half_trend": smooth + ahead * slope / 2,
    }
    names = ("damped_trend", "local_trend")
    for name, rate, damping in zip(names, LOCAL_RATES, DAMPING, strict=True):
        level, rise = local_line(y, counts, mean, rate, patch_length)
        way = damping * (1 - damping ** ahead.to(y.dtype)) / (1 - damping)  # of a slope of one
        moves[name] = adjusted.ahead + level - last + rise * way
    return moves


def _season_before(window: Window, told: Tensor, ends: Tensor, ahead: Tensor) -> Tensor:
    """Return the values one season before each step ahead, 0 before the start; B C N H."""
    period = told[:, None, None, None]
    at = ends[:, None] + ahead - torch.ceil(ahead / period).long() * period  # B 1 N H
    return seasonal_means(window.values, window.start[..., None], period, at, 1)


def _recent_mean(series: Tensor, patch_length: int) -> Tensor:
    return recent_values(series, patch_length, min(4, patch_length)).mean(-1, keepdim=True)


def _found_season(window: Window, period: Tensor, ends: Tensor, ahead: Tensor) -> Tensor:
    """Return the path of a season found, at the level of the last steps; B C N H."""
    x, starts, period = window.values, window.start[..., None], period[..., None]
    cycle = torch.ceil(ahead / period).long()
    at = ends[:, None] + ahead - cycle * period
    path = seasonal_means(x, starts, period, at, N_FOUND)
    recent = ends[:, None] - torch.arange(N_RECENT, device=x.device)  # N 8
    recent = recent.clamp(min=0).expand(*x.shape[:2], -1, -1)
    values = x.gather(-1, recent.flatten(2)).view(recent.shape)
    before = seasonal_means(x, starts, period, recent - period, N_FOUND)
    return path + (values - before).mean(-1, keepdim=True)


def _autoregressions(
    window: Window,
    adjusted: Adjusted,
    ahead: Sequence[int],
    patch_length: int,
    *,
    with_others: bool,
) -> Tensor:
    """Return the moves of autoregressions of each series on itself; V B C N H.

    That of the series as it is, and of the adjusted one: its levels, its steps, and its levels with
    the coefficients that all series share.
    """
    n_series, length = window.values.shape[1:]
    groups = [one.reshape(-1, 1, length) for one in (window.values, adjusted.values)]
    weights = [one.reshape(-1, length) for one in (window.observed, adjusted.counts)]
    priors = [LEVEL_PRIOR, STEP_PRIOR, *([SHARED_PRIOR] if with_others else [])]
    regression = join(
        estimate(groups[0], weights[0], ORDER, [UNADJUSTED_PRIOR], patch_length),
        estimate(groups[1], weights[1], ORDER, priors, patch_length, n_together=n_series),
    )
    as_it_is, without_season = (states_at_ends(group, ORDER, patch_length) for group in groups)
    states = torch.stack([as_it_is] + [without_season] * len(priors))  # V B*C N q
    moves = changes_ahead(states, regression, ahead)
    return moves.view(len(states), *window.values.shape[:2], *moves.shape[3:])


def _vector_autoregressions(
    series: Tensor, counts: Tensor, ahead: Sequence[int], patch_length: int, position: int = 0
) -> Tensor:
    """Return the moves of vector autoregressions of all series, from a position on; V B C N H.

    Of many series they are those of their common factors, which move each series by its loadings,
    as in a dynamic factor model (Stock and Watson 2002, JASA 97); the cost is linear in their
    number. Series load as in the :func:`~samovar_forecast.network.running.prefixes` of the window;
    before the first of them no other series is read.
    """
    n_series, length = series.shape[1:]
    if n_series > MOST_JOINT:
        shape = (len(JOINT_PRIORS), *series.shape[:2], length // patch_length, len(ahead))
        moves = series.new_zeros(shape)
        for first, last in prefixes(length // patch_length):
            rows = slice(last * patch_length)
            factors, loading = common_factors(
                series[..., rows], counts[..., rows], first * patch_length
            )
            of_factors = _vector_autoregressions(
                factors, torch.ones_like(factors), ahead, patch_length, first - 1
            )
            by_series = as_given(loading, "memory") @ of_factors.flatten(3)
            moves[..., first - 1 : last, :] = by_series.unflatten(-1, of_factors.shape[3:])
        return moves
    order = 4 if n_series <= 3 else 3 if n_series <= 6 else 2
    weight = counts.amin(1)  # rows in which every series counts
    regression = estimate(
        series,
        weight,
        order,
        JOINT_PRIORS,
        patch_length,
        own_priors=(LEVEL_PRIOR, STEP_PRIOR),
        first=position,
    )
    states = states_at_ends(series, order, patch_length)[..., position:, :]
    return changes_ahead(states, regression, ahead)
