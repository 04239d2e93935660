"""Shocks of the simulated processes: correlated, heavy-tailed, of changing volatility."""

from __future__ import annotations

import torch
from torch import Tensor

from samovar_forecast.pretraining.draws import Draws, filtered


def shocks(draws: Draws, n: int, length: int, n_series: int, *, plain: float = 0.5) -> Tensor:
    """Return shocks with deviation about 1; (n, L, C).

    A share ``plain`` of the windows has normal shocks of constant volatility. The others have
    Student tails of 3 to 12 degrees of freedom, log-normal stochastic volatility (Taylor 1986,
    Modelling Financial Time Series), GARCH-like clusters, or volatility that rises with time.
    Two thirds of the windows have correlated shocks.
    """
    e = _correlated(draws, draws.normal(n, length, n_series))
    is_rich = draws.chance(1 - plain, n, 1, 1)
    tail = draws.chance(0.5, n, 1, 1) * is_rich
    freedom = draws.uniform(3.0, 12.0, n, 1, 1)
    shared = draws.chance(0.5, n, 1, 1)
    chi = [
        draws.gamma((freedom / 2).expand(n, length, columns).contiguous()) * 2 / freedom
        for columns in (1, n_series)
    ]
    mixed = torch.where(shared > 0, chi[0], chi[1]).clamp(min=1e-3)
    e = torch.where(tail > 0, e / mixed.sqrt() * ((freedom - 2) / freedom).sqrt(), e)
    return e * torch.exp(is_rich * _log_volatility(draws, e))


def _correlated(draws: Draws, e: Tensor) -> Tensor:
    """Let the shocks of a window load on each other, with unit variance."""
    n, _, n_series = e.shape
    eye = torch.eye(n_series, device=e.device)
    strength = draws.chance(0.67, n, 1, 1) * draws.uniform(0.0, 1.0, n, 1, 1)
    loading = eye + strength * draws.normal(n, n_series, n_series)
    common = draws.chance(0.3, n, 1, 1) * draws.uniform(0.0, 2.0, n, 1, 1)
    loading = loading + common * torch.ones(n_series, n_series, device=e.device) / n_series**0.5
    return e @ (loading / loading.norm(dim=2, keepdim=True)).mT


def _log_volatility(draws: Draws, e: Tensor) -> Tensor:
    """Return the logarithm of the volatility, one of three kinds or 0; (n, L, C)."""
    n, length, n_series = e.shape
    lag = torch.arange(min(length, 128), device=e.device)
    persistence = draws.uniform(0.8, 0.995, n, 1)
    kernel = persistence**lag
    driver = 0.8 * draws.normal(n, length, 1) + 0.6 * draws.normal(n, length, n_series)
    stochastic = filtered(driver, kernel) * (1 - persistence**2).sqrt()[..., None]
    stochastic = stochastic * draws.uniform(0.2, 0.9, n, 1, 1)
    past = torch.nn.functional.pad(e.square().clamp(max=25.0), (0, 0, 1, 0))[:, :-1]
    clusters = filtered(past, kernel * (1 - persistence)) * draws.uniform(0.3, 0.95, n, 1, 1)
    clusters = 0.5 * torch.log((0.3 + clusters).clamp(min=1e-3))
    time = torch.linspace(-1.0, 1.0, length, device=e.device)[:, None]
    rising = draws.normal(n, 1, n_series) * 0.7 * time
    kind = draws.integers(0, 4, n, 1, 1)
    none = torch.zeros_like(stochastic)
    out = torch.where(kind == 0, stochastic, torch.where(kind == 1, clusters, none))
    return torch.where(kind == 2, rising, out).clamp(-4, 4)
