"""Families in which series hang together: leaders, common factors, graphs, small economies.

Each takes a source of random numbers, the number of windows, their length and the number of series,
and returns (n, L, C).
"""

from __future__ import annotations

import torch
from torch import Tensor

from samovar_forecast.pretraining.draws import Draws, filtered, smooth_curves, standardize
from samovar_forecast.pretraining.shocks import shocks
from samovar_forecast.pretraining.vector_families import (
    BURN_IN,
    LARGEST,
    autoregressions,
    companion_radius,
    draw_lag_matrices,
    draw_radius,
    run_var,
    stable_var,
)

LARGEST_ROOT = 0.97
"""Of VARs in which series lead others."""


def leading_var(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return VARs in which series follow earlier series and have small shocks of their own.

    Transfer functions (Box and Jenkins 1976, Time Series Analysis, chapter 10): each effect has a
    delay of its own, and the first series is often smooth. Who reads the others forecasts several
    steps almost without error.
    """
    order = int(draws.integers(1, 6, 1))
    matrices = draw_lag_matrices(draws, n, order, n_series, draw_radius(draws, n))
    own = draws.uniform(0.0, 1.0, n, 1, 1, n_series).sqrt()
    matrices = with_leaders(draws, matrices, own, heard=0.85)
    e = shocks(draws, n, length + BURN_IN, n_series, plain=0.7)
    e = e * own_sizes(draws, n, n_series)
    kernel = (draws.chance(0.5, n, 1) * draws.uniform(0.3, 0.95, n, 1)) ** torch.arange(
        64, device=draws.device
    )
    first = filtered(e[..., :1], kernel / kernel.square().sum(1, keepdim=True).sqrt())
    return run_var(matrices, torch.cat([first, e[..., 1:]], -1))[:, BURN_IN:]


def with_leaders(draws: Draws, matrices: Tensor, own: Tensor, *, heard: float = 0.6) -> Tensor:
    """Return matrices (n, order, C, C) in which a series hears itself and earlier series alone.

    An earlier series is heard with probability ``heard``, at a lag of its own, and its effect may
    be as large as an own effect; own effects are multiplied by ``own``, (n, 1, 1, C) or
    (n, 1, 1, 1).
    """
    n, order, n_series, _ = matrices.shape
    kept = torch.diag_embed(matrices.diagonal(dim1=2, dim2=3) * own[:, 0])
    is_heard = draws.chance(heard, n, n_series, n_series).tril(-1)
    size = draws.normal(n, n_series, n_series) * draws.log_uniform(0.3, 2.0, n, 1, 1) * is_heard
    lag = torch.arange(order, device=draws.device)[:, None, None]
    chosen = lag == draws.integers(0, order - 1, n, 1, n_series, n_series)
    together = kept + size[:, None] * chosen
    factor = LARGEST_ROOT / companion_radius(together).clamp(min=LARGEST_ROOT)
    return together * (factor[:, None] ** (lag[:, 0, 0] + 1))[..., None, None]


def own_sizes(draws: Draws, n: int, n_series: int) -> Tensor:
    """Return sizes of the own shocks of series that follow the first; (n, 1, C)."""
    small = draws.log_uniform(0.03, 1.0, n, 1, n_series)
    small[..., 0] = 1.0
    return small


def dynamic_factors(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return series that load on one to three factors with lags (Forni et al. 2000, REStat 82)."""
    n_factors = int(draws.integers(1, 3, 1))
    curves = smooth_curves(draws, n, length, n_factors)
    processes = standardize(stable_var(draws, n, length, n_factors))
    factors = torch.where(draws.chance(0.3, n, 1, 1) > 0, curves, processes)
    lead = torch.stack([torch.roll(factors, lag, 1) for lag in range(5)], 2)  # n L 5 F
    lead[:, :5] = factors[:, :1, None]
    choice = torch.nn.functional.one_hot(draws.integers(0, 4, n, n_factors, n_series), 5).float()
    loading = draws.normal(n, n_factors, n_series)[..., None] * choice
    common = torch.einsum("nlkf,nfck->nlc", lead, loading)
    own = standardize(autoregressions(draws, n, length, n_series))
    return standardize(common) + draws.log_uniform(0.05, 2.0, n, 1, n_series) * own


def causal_graph(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return smooth or rough roots whose effects pass through a random graph with lags and bends.

    Series c hears earlier ones through a lag of 0 to 12 steps and a nonlinear function, as in
    structural causal models with Gaussian-process roots (Peters, Janzing and Schoelkopf 2017).
    """
    roots = torch.where(
        draws.chance(0.5, n, 1, n_series) > 0,
        smooth_curves(draws, n, length, n_series),
        standardize(autoregressions(draws, n, length, n_series)),
    )
    series = [roots[..., 0]]
    for child in range(1, n_series):
        parents = torch.stack(series, -1)  # n L child
        lag = draws.integers(0, 12, n, 1, child)
        at = (torch.arange(length, device=draws.device)[:, None] - lag).clamp(min=0)
        heard = parents.gather(1, at)
        bent = torch.where(draws.chance(0.4, n, 1, child) > 0, torch.tanh(2 * heard), heard)
        weight = draws.normal(n, 1, child) * draws.chance(0.6, n, 1, child)
        own = draws.log_uniform(0.02, 1.0, n, 1)
        effect = (bent * weight).sum(-1)
        size = effect.std(1, keepdim=True).clamp(min=0.1)
        series.append(effect / size + own * roots[..., child])
    return torch.stack(series, -1)


def small_macro_model(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return output gap, inflation and interest rate of a backward-looking model, and followers.

    ``x = a x_-1 - b (i_-1 - pi_-1) + u``, ``pi = c pi_-1 + d x_-1 + v`` and
    ``i = e i_-1 + (1 - e)(f pi + g x) + w`` (Rudebusch and Svensson 1999). Further series are
    levels that add up to these, or lagged answers to them.
    """
    a, c, e = (draws.uniform(low, 0.97, n) for low in (0.6, 0.5, 0.4))
    b, d = draws.uniform(0.02, 0.3, n), draws.uniform(0.02, 0.3, n)
    f, g = draws.uniform(1.1, 2.0, n), draws.uniform(0.0, 1.0, n)
    u = shocks(draws, n, length + BURN_IN, 3) * draws.log_uniform(0.2, 2.0, n, 1, 3)
    x, pi, i = (torch.zeros(n, device=draws.device) for _ in range(3))
    path = []
    for t in range(u.shape[1]):
        x, pi = a * x - b * (i - pi) + u[:, t, 0], c * pi + d * x + u[:, t, 1]
        i = e * i + (1 - e) * (f * pi + g * x) + u[:, t, 2]
        path.append(torch.stack([x, pi, i], -1))
    core = standardize(torch.stack(path, 1)[:, BURN_IN:].clamp(-LARGEST, LARGEST))
    columns = [core]
    trend = draws.log_uniform(0.05, 2.0, n, 1, 1)
    columns.append((core + trend).cumsum(1))
    weights = draws.normal(n, 3, max(n_series, 1))
    columns.append(filtered(core @ weights, draws.uniform(0.0, 1.0, n, 4)))
    series = torch.cat([standardize(column) for column in columns], -1)
    order = torch.rand(n, series.shape[-1], generator=draws.generator, device=draws.device).argsort(
        1
    )
    chosen = order[:, :n_series]
    return series.gather(2, chosen[:, None].expand(-1, length, -1))
