"""Families of vector autoregressions: stable, integrated, moving, with regimes, alike in a panel.

Each takes a source of random numbers, the number of windows, their length and the number of series,
and returns (n, L, C).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from samovar_forecast.pretraining.draws import Draws, filtered, smooth_curves, standardize
from samovar_forecast.pretraining.shocks import shocks

BURN_IN = 50
LARGEST = 1e4


def draw_lag_matrices(draws: Draws, n: int, order: int, n_series: int, radius: Tensor) -> Tensor:
    """Return lag matrices (n, order, C, C) whose companion matrix has the spectral radius given.

    Own effects fade with the lag, cross effects are sparse and of any size. Multiplying
    the matrix of lag l by r^l multiplies every root by r.
    """
    lag = torch.arange(1, order + 1, device=draws.device)
    fading = draws.uniform(0.0, 1.0, n, order, n_series) * (1.0 / lag)[:, None]
    sign = 1 - 1.6 * draws.chance(0.25, n, order, n_series)
    density = draws.uniform(0.0, 1.0, n, 1, 1, 1)
    size = draws.log_uniform(0.02, 1.0, n, 1, 1, 1) / math.sqrt(n_series * order)
    cross = draws.normal(n, order, n_series, n_series) * size
    cross = cross * draws.chance(density, n, order, n_series, n_series)
    matrices = cross + torch.diag_embed(fading * sign)
    factor = radius / companion_radius(matrices).clamp(min=0.05)
    return matrices * (factor[:, None] ** lag)[..., None, None]


def draw_radius(draws: Draws, n: int) -> Tensor:
    """Draw spectral radii from 0.3 to 0.99, most of them large; (n,)."""
    return 1 - draws.log_uniform(0.008, 0.7, n)


def companion_radius(matrices: Tensor) -> Tensor:
    """Return the spectral radius of the companion matrix of (n, order, C, C); (n,).

    By repeated squaring: ``|A^(2^k)|^(1 / 2^k)``, which converges from above.
    """
    n, order, n_series, _ = matrices.shape
    size = order * n_series
    companion = torch.diag(torch.ones(size - n_series, device=matrices.device), -n_series)
    companion = (
        companion.expand(n, size, size).clone() if order > 1 else companion.new_zeros(n, size, size)
    )
    companion[:, :n_series] = matrices.transpose(1, 2).flatten(2)
    log_norm = torch.zeros(n, device=matrices.device)
    n_squarings = 7
    for squaring in range(n_squarings):
        norm = companion.flatten(1).norm(dim=1).clamp(min=1e-20)
        companion = companion / norm[:, None, None]
        companion = companion @ companion
        log_norm = log_norm + norm.log() / 2**squaring
    last = companion.flatten(1).norm(dim=1).clamp(min=1e-20)
    return (log_norm + last.log() / 2**n_squarings).exp()


def run_var(
    matrices: Tensor, e: Tensor, other: Tensor | None = None, mix: Tensor | None = None
) -> Tensor:
    """Return the path of vector autoregressions driven by shocks (n, T, C).

    With ``other`` the matrices at time t are ``(1 - mix_t) matrices + mix_t other``; ``mix`` has
    the shape (n, T).
    """
    n, order, n_series, _ = matrices.shape
    flat = matrices.transpose(1, 2).flatten(2)  # n C order*C
    second = None if other is None else other.transpose(1, 2).flatten(2) - flat
    past = torch.zeros(n, order * n_series, 1, device=e.device)
    path = []
    for t in range(e.shape[1]):
        now = flat @ past
        if second is not None and mix is not None:
            now = now + mix[:, t, None, None] * (second @ past)
        now = (now + e[:, t, :, None]).clamp(-LARGEST, LARGEST)
        path.append(now)
        past = torch.cat([now, past[:, :-n_series]], 1) if order > 1 else now
    return torch.stack(path, 1)[..., 0]


def _order(draws: Draws) -> int:
    return int(draws.integers(1, 4, 1))


def stable_var(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return stable VAR(1) to VAR(4) with roots of 0.3 to 0.99 (Luetkepohl 2005, chapter 2)."""
    matrices = draw_lag_matrices(draws, n, _order(draws), n_series, draw_radius(draws, n))
    return run_var(matrices, shocks(draws, n, length + BURN_IN, n_series, plain=0.8))[:, BURN_IN:]


def integrated_var(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return sums of stable VARs with drifts: unit roots in every series."""
    matrices = draw_lag_matrices(draws, n, _order(draws), n_series, draw_radius(draws, n) * 0.9)
    steps = run_var(matrices, shocks(draws, n, length + BURN_IN, n_series))[:, BURN_IN:]
    size = steps.std(1, keepdim=True).clamp(min=1e-6)
    drift = draws.normal(n, 1, n_series) * draws.log_uniform(0.05, 2.0, n, 1, 1)
    drift = drift + draws.chance(0.4, n, 1, 1) * draws.uniform(0.2, 1.5, n, 1, 1)
    return (steps / size + drift * draws.chance(0.75, n, 1, 1)).cumsum(1)


def cointegrated_var(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return few common stochastic trends plus a stable VAR (Stock and Watson 1988, JASA 83)."""
    n_trends = max(1, n_series // 2)
    trends = integrated_var(draws, n, length, n_trends)
    loading = draws.normal(n, n_trends, n_series) * draws.chance(0.7, n, n_trends, n_series) + 0.3
    around = standardize(stable_var(draws, n, length, n_series))
    return standardize(trends @ loading) + draws.log_uniform(0.03, 1.5, n, 1, 1) * around


def moving_var(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return VARs whose matrices drift, switch or swing between two (Primiceri 2005, REStud 72)."""
    total = length + BURN_IN
    first, second, mix = moving_matrices(draws, n, total, n_series)
    return run_var(first, shocks(draws, n, total, n_series, plain=0.7), second, mix)[:, BURN_IN:]


def moving_matrices(
    draws: Draws, n: int, length: int, n_series: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return two sets of lag matrices, and the weight of the second at each step.

    Shapes (n, order, C, C) twice, and (n, length); see :func:`run_var`.
    """
    order = _order(draws)
    first, second = (
        draw_lag_matrices(draws, n, order, n_series, draw_radius(draws, n)) for _ in range(2)
    )
    time = torch.linspace(0.0, 1.0, length, device=draws.device)
    kind = draws.integers(0, 2, n, 1)
    swing = 0.5 + 0.5 * torch.sin(
        2 * math.pi * (time * draws.log_uniform(0.5, 8.0, n, 1) + draws.uniform(0.0, 1.0, n, 1))
    )
    curve = torch.sigmoid(2 * smooth_curves(draws, n, length, 1)[..., 0])
    switch = (time > draws.uniform(0.2, 0.95, n, 1)).float()
    return first, second, torch.where(kind == 0, swing, torch.where(kind == 1, curve, switch))


class Regimes(NamedTuple):
    """Two autoregressions, and when each of them leads."""

    matrices: tuple[Tensor, Tensor]
    """(n, C, order * C) each, newest lag first: below the threshold, and above."""
    level: Tensor
    """(n, 2, C, 1)"""
    threshold: Tensor
    """(n, 1, 1), of the first series."""
    sharpness: Tensor
    """(n, 1, 1)"""

    def run(self, e: Tensor) -> Tensor:
        """Return the path driven by shocks (n, T, C), from zeros; one process may have n paths."""
        n_series = e.shape[2]
        past = e.new_zeros(e.shape[0], self.matrices[0].shape[2], 1)
        path = []
        for t in range(e.shape[1]):
            share = torch.sigmoid(self.sharpness * (past[:, :1] - self.threshold))
            low, high = (matrix @ past + self.level[:, i] for i, matrix in enumerate(self.matrices))
            now = (low + share * (high - low) + e[:, t, :, None]).clamp(-LARGEST, LARGEST)
            path.append(now)
            past = torch.cat([now, past[:, :-n_series]], 1)
        return torch.stack(path, 1)[..., 0]


def draw_regimes(draws: Draws, n: int, n_series: int) -> Regimes:
    """Draw the two regimes of threshold VARs of one or two lags."""
    order = int(draws.integers(1, 2, 1))
    low, high = (
        draw_lag_matrices(draws, n, order, n_series, draw_radius(draws, n))
        .transpose(1, 2)
        .flatten(2)
        for _ in range(2)
    )
    level = draws.normal(n, 2, n_series, 1) * draws.chance(0.6, n, 1, 1, 1)
    threshold = 0.5 * draws.normal(n, 1, 1)
    return Regimes((low, high), level, threshold, draws.log_uniform(1.0, 30.0, n, 1, 1))


def threshold_var(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return two-regime threshold VARs, led by the level of the first series (Tsay 1998)."""
    regimes = draw_regimes(draws, n, n_series)
    return regimes.run(shocks(draws, n, length + BURN_IN, n_series, plain=0.7))[:, BURN_IN:]


def switching_means(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return Ornstein-Uhlenbeck processes whose mean and volatility switch (Hamilton 1989)."""
    stay = 1 - draws.log_uniform(0.004, 0.1, n, 1)
    change = (draws.uniform(0.0, 1.0, n, length) > stay).float()
    regime = (change.cumsum(1) % 2)[..., None]
    means = draws.normal(n, 2, 1, n_series) * 2
    target = means[:, 0] + regime * (means[:, 1] - means[:, 0])
    volatility = 1 + regime * draws.uniform(-0.7, 2.0, n, 1, 1)
    speed = draws.log_uniform(0.02, 0.8, n, 1)
    lag = torch.arange(min(length, 256), device=draws.device)
    kernel = (1 - speed) ** lag
    driver = speed[..., None] * target + draws.log_uniform(0.05, 1.0, n, 1, 1) * (
        volatility * shocks(draws, n, length, n_series)
    )
    return filtered(driver, kernel)


def autoregressions(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return ARMA(1, 1) processes of each series for itself."""
    lag = torch.arange(min(length, 256), device=draws.device)[:, None]
    root = 1 - draws.log_uniform(0.01, 1.5, n, 1, n_series)
    kernel = root**lag + draws.uniform(-0.9, 0.5, n, 1, n_series) * root ** (lag - 1).clamp(min=0)
    kernel[:, 0] = 1.0
    return filtered(shocks(draws, n, length, n_series), kernel)


def panel_autoregressions(draws: Draws, n: int, length: int, n_series: int) -> Tensor:
    """Return autoregressions of levels or of steps whose coefficients all series nearly share.

    Random coefficients (Swamy 1970, Econometrica 38): what one series shows of its dynamics holds
    for the others. Partial autocorrelations are drawn, so that every series is stable.
    """
    order = int(draws.integers(1, 4, 1))
    first = draws.uniform(-0.3, 0.98, n, 1, 1)
    further = (0.35 * draws.normal(n, order - 1, 1)).clamp(-0.9, 0.9)
    apart = draws.log_uniform(0.01, 0.5, n, 1, 1) * draws.normal(n, order, n_series)
    partial = torch.tanh(torch.atanh(torch.cat([first, further], 1)) + apart)
    matrices = torch.diag_embed(coefs_of_partial(partial))
    path = run_var(matrices, shocks(draws, n, length + BURN_IN, n_series))[:, BURN_IN:]
    drift = 0.3 * draws.normal(n, 1, 1) + 0.1 * draws.normal(n, 1, n_series)
    summed = (standardize(path) + drift).cumsum(1)
    return torch.where(draws.chance(0.4, n, 1, 1) > 0, summed, path)


def coefs_of_partial(partial: Tensor) -> Tensor:
    """Return the autoregression that has partial autocorrelations (n, p, C); its shape too.

    The recursion of Durbin and Levinson (Brockwell and Davis 1991, proposition 5.2.1).
    """
    coefs = partial[:, :0]
    for lag in range(partial.shape[1]):
        newest = partial[:, lag : lag + 1]
        coefs = torch.cat([coefs - newest * coefs.flip(1), newest], 1)
    return coefs
