"""Common factors of many series, at a cost that is linear in the number of series."""

from __future__ import annotations

import torch
from torch import Tensor

from samovar_forecast.network.held import as_given, computing

N_FACTORS = 6
N_ITERATIONS = 6


def common_factors(series: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first principal components of a window, and how each series loads on them.

    By subspace iteration (Halko, Martinsson and Tropp 2011, SIAM Review 53(2), algorithm 4.4). It
    starts from directions in time, so that the order of the series does not matter. The loadings
    are those of the whole window: forecasts from its end are honest, the records of earlier
    positions know which series move together later on.

    Parameters
    ----------
    series : Tensor of shape (B, C, L)
    counts : Tensor of shape (B, C, L)
        1 where a value counts, else 0.

    Returns
    -------
    factors : Tensor of shape (B, F, L)
        F is 6, or less for a short window.
    loadings : Tensor of shape (B, C, F)
        In the units of the series.
    """
    n = counts.sum(-1, keepdim=True).clamp(min=1)
    mean = as_given((series * counts).sum(-1, keepdim=True) / n, "level")
    centred = (series - mean) * counts
    deviation = as_given((centred.square().sum(-1, keepdim=True) / n).sqrt(), "scale")
    standard = torch.where(deviation > 0, centred / deviation.clamp(min=1e-12), 0.0)
    length = series.shape[-1]
    n_factors = min(N_FACTORS, length, series.shape[1])
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(length, n_factors, generator=generator, dtype=torch.float64)
    with computing("memory"):
        basis = standard @ start.to(standard)  # B C F
        for _ in range(N_ITERATIONS):
            basis, _ = torch.linalg.qr(standard @ (standard.mT @ basis))
    return basis.mT @ standard, basis * deviation
