"""Families of single series: trends, levels, curves, counts, bounded and chaotic series.

Each takes a source of random numbers, the number of windows, their length and the number of series,
and returns (n, L, C). The series of a window share the kind and differ in everything else.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from samovar_forecast.pretraining.draws import Draws, filtered, smooth_curves, standardize
from samovar_forecast.pretraining.shocks import shocks
from samovar_forecast.pretraining.vector_families import autoregressions


def local_trends(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return local linear trends, damped or not (Harvey 1989; Hyndman et al. 2008, ETS(A,Ad,N)).

    ``y = l + noise``, ``l = l_-1 + b_-1 + u``, ``b = phi b_-1 + v``; from quiet to noisy.
    """
    phi = torch.where(
        draws.chance(0.4, n, 1, n_series) > 0,
        torch.ones(n, 1, n_series, device=draws.device),
        draws.uniform(0.8, 1.0, n, 1, n_series),
    )
    lag = torch.arange(length, device=draws.device)[:, None]
    slope_noise = shocks(draws, n, length, n_series) * draws.log_uniform(0.001, 0.3, n, 1, n_series)
    start = draws.normal(n, 1, n_series) * draws.log_uniform(0.03, 1.0, n, 1, 1)
    slope = filtered(slope_noise, phi**lag) + start * phi**lag
    level = (slope + shocks(draws, n, length, n_series) * _quiet(draws, n, n_series)).cumsum(1)
    return level + draws.normal(n, length, n_series) * _quiet(draws, n, n_series)


def _quiet(draws: Draws, n: int, n_series: int) -> Tensor:
    """Return sizes of noise from almost nothing to 1; 0 for a quarter of the windows."""
    size = draws.log_uniform(0.003, 1.0, n, 1, n_series)
    return size * draws.chance(0.75, n, 1, 1)


def deterministic_trends(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return polynomial, exponential, saturating, broken and logistic trends with little noise."""
    time = torch.linspace(0.0, 1.0, length, device=draws.device)[:, None].expand(length, n_series)
    first, second, third = (draws.normal(n, 1, n_series) for _ in range(3))
    rate = draws.log_uniform(0.5, 6.0, n, 1, n_series)
    centre = draws.uniform(0.0, 1.3, n, 1, n_series)
    after = (time - centre).clamp(min=0)
    shapes = [
        first * time,
        first * time + second * time.square() + third * time.pow(3) / 2,
        first * torch.expm1(rate * time / 2),
        first * (1 - torch.exp(-rate * time)),
        first * torch.sigmoid(6 * rate * (time - centre)),
        first * time + 2 * second * after,
    ]
    kind = draws.integers(0, len(shapes) - 1, n, 1, 1)
    trend = shapes[0].clone()
    for number, shape in enumerate(shapes[1:], 1):
        trend = torch.where(kind == number, shape, trend)
    noise = standardize(autoregressions(draws, n, length, n_series))
    return standardize(trend) + draws.log_uniform(0.002, 0.7, n, 1, 1) * noise


def levels(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return a wandering level below noise: exponential smoothing is optimal (Muth 1960)."""
    walk = shocks(draws, n, length, n_series).cumsum(1)
    return walk + draws.log_uniform(0.3, 15.0, n, 1, n_series) * shocks(draws, n, length, n_series)


def gaussian_processes(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return Gaussian processes, mixed across series by weights that may move with time.

    Linear model of coregionalisation (Alvarez, Rosasco and Lawrence 2012); its weights may be
    smooth curves.
    """
    curves = smooth_curves(draws, n, length, n_series)
    weights = draws.normal(n, n_series, n_series)
    mixed = curves @ weights
    moving = torch.sin(smooth_curves(draws, n, length, n_series)) * mixed
    mixed = torch.where(draws.chance(0.2, n, 1, 1) > 0, moving, mixed)
    out = torch.where(draws.chance(0.5, n, 1, 1) > 0, mixed, curves)
    noise = draws.normal(n, length, n_series) * _quiet(draws, n, n_series)
    return standardize(out) + 0.5 * noise


def long_memory(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return fractionally integrated noise (Granger and Joyeux 1980), d of -0.3 to 1.3."""
    d = draws.uniform(-0.3, 1.3, n, 1, n_series)
    lag = torch.arange(1, length, device=draws.device)[:, None]
    kernel = torch.cumprod((lag - 1 + d) / lag, 1)
    kernel = torch.cat([torch.ones_like(d), kernel], 1)
    return filtered(shocks(draws, n, length, n_series), kernel)


def counts(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return Poisson or negative-binomial counts whose rate follows a slow process; many are 0."""
    slow = standardize(autoregressions(draws, n, length, n_series))
    smooth = smooth_curves(draws, n, length, n_series)
    log_rate = torch.where(draws.chance(0.5, n, 1, 1) > 0, slow, smooth)
    log_rate = log_rate * draws.uniform(0.0, 1.0, n, 1, n_series)
    rate = (log_rate + draws.uniform(-2.5, 4.0, n, 1, n_series)).clamp(max=7).exp()
    shape = draws.log_uniform(0.3, 10.0, n, 1, n_series)
    spread = draws.gamma(shape.expand(n, length, n_series).contiguous()) / shape
    rate = torch.where(draws.chance(0.5, n, 1, n_series) > 0, rate * spread, rate)
    occurs = draws.chance(draws.uniform(0.1, 1.0, n, 1, n_series), n, length, n_series)
    rate = torch.where(draws.chance(0.3, n, 1, 1) > 0, rate * occurs, rate)
    return draws.poisson(rate)


def bounded(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return shares: series that press against one or two bounds."""
    drive = standardize(autoregressions(draws, n, length, n_series))
    drive = drive + draws.uniform(0.0, 1.5, n, 1, 1) * smooth_curves(draws, n, length, n_series)
    scaled = draws.uniform(0.5, 4.0, n, 1, n_series) * (drive + draws.normal(n, 1, n_series))
    return torch.where(
        draws.chance(0.6, n, 1, 1) > 0, torch.sigmoid(scaled), scaled.clamp(-1.5, 1.5)
    )


def chaotic_maps(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return coupled logistic maps or Henon maps, smoothed or not (Kaneko 1984)."""
    logistic, henon = (draws.uniform(0.1, 0.9, n, n_series) for _ in range(2))
    before = torch.zeros_like(henon)
    r = draws.uniform(3.5, 4.0, n, n_series)
    coupling = draws.uniform(0.0, 0.2, n, 1)
    path = []
    is_henon = draws.chance(0.5, n, 1)
    for _ in range(length):
        mean = logistic.mean(1, keepdim=True)
        logistic = (r * logistic * (1 - logistic)).clamp(1e-4, 1 - 1e-4)
        logistic = (1 - coupling) * logistic + coupling * mean
        henon, before = (1 - 1.4 * henon.square() + before).clamp(-2, 2), 0.3 * henon
        path.append(torch.where(is_henon > 0, henon, logistic))
    width = draws.uniform(0.0, 0.95, n, 1)
    kernel = width ** torch.arange(64, device=draws.device)
    return filtered(torch.stack(path, 1), kernel)


def events(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return pulses that fade, steps that stay and spells that end, on a quiet ground."""
    rate = draws.log_uniform(0.005, 0.15, n, 1, 1)
    size = draws.chance(rate, n, length, n_series) * (1 + draws.normal(n, length, n_series).abs())
    lag = torch.arange(length, device=draws.device)
    fading = filtered(size, (1 - draws.log_uniform(0.01, 0.9, n, 1)) ** lag)
    spells = filtered(size, (lag < draws.log_uniform(2.0, 40.0, n, 1)).float())
    sign = torch.sign(draws.normal(n, length, n_series))
    steps = (size * sign).cumsum(1)
    kind = draws.integers(0, 2, n, 1, 1)
    out = torch.where(kind == 0, fading, torch.where(kind == 1, spells, steps))
    return out + _quiet(draws, n, n_series) * 0.5 * shocks(draws, n, length, n_series)


def seasonal_pattern(draws: Draws, n: int, length: int, n_series: int, period: Tensor) -> Tensor:
    """Return seasonal series of the periods given (n,), deviation 1; (n, L, C), 0 for period 1.

    A sum of harmonics whose phases and sizes may drift (Harvey 1989, trigonometric seasonals), a
    free table of up to 200 values, or a few values a season that stand out. Half have a profile
    that all series of the window share.
    """
    time = torch.arange(length, device=draws.device)
    phase = (time % period[:, None]).float() / period[:, None] * 2 * math.pi  # n L
    fall = draws.uniform(0.0, 2.5, n, 1)
    drift = smooth_curves(draws, n, length, n_series) * (
        draws.chance(0.4, n, 1, 1) * draws.log_uniform(0.02, 0.6, n, 1, 1)
    )
    waves = torch.zeros(n, length, n_series, device=draws.device)
    for harmonic in range(1, 7):
        size = draws.normal(n, 1, n_series) * harmonic ** -fall[..., None]
        shift = draws.uniform(0.0, 2 * math.pi, n, 1, n_series)
        is_there = (2 * harmonic <= period).float()[:, None, None]
        waves += is_there * size * torch.cos(harmonic * phase[..., None] + shift + harmonic * drift)
    table = draws.normal(n, 200, n_series)
    spikes = table * (draws.uniform(0.0, 1.0, n, 200, 1) < draws.uniform(0.05, 0.3, n, 1, 1))
    blocks = table[:, :20].repeat_interleave(10, 1)
    kind = draws.integers(0, 5, n, 1, 1)
    table = torch.where(kind == 4, spikes, torch.where(kind == 5, blocks, table))
    at = (time % period[:, None]).clamp(max=199)
    pattern = table.gather(1, at[..., None].expand(n, length, n_series))
    out = torch.where(kind <= 2, waves, pattern)
    shared = draws.chance(0.5, n, 1, 1)
    out = torch.where(shared > 0, out[..., :1] + 0.3 * out, out)
    grows = 1 + draws.chance(0.3, n, 1, 1) * 0.4 * smooth_curves(draws, n, length, n_series)
    return standardize(out * grows) * (period > 1).float()[:, None, None]
