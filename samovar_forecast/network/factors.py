"""Common factors of many series, at a cost that is linear in the number of series."""

from __future__ import annotations

import torch
from torch import Tensor

from samovar_forecast.network.held import as_given, computing

N_FACTORS = 6
N_ITERATIONS = 6
LEAST_SHARE = 1e-4
"""A factor of less variance, over that of the largest, is rounding or nothing: it is 0."""


def common_factors(series: Tensor, counts: Tensor, n_known: int) -> tuple[Tensor, Tensor]:
    """Return the first principal components of a window, and how each series loads on them.

    By subspace iteration (Halko, Martinsson and Tropp 2011, SIAM Review 53(2), algorithm 4.4). It
    starts from directions in time, so that the order of the series does not matter. The first
    rows say how series load; later rows are read by these loadings.

    Parameters
    ----------
    series : Tensor of shape (B, C, L)
    counts : Tensor of shape (B, C, L)
        1 where a value counts, else 0.
    n_known : int
        Rows from the first on that say how the series load.

    Returns
    -------
    factors : Tensor of shape (B, F, L)
        F is 6, or less for few rows.
    loadings : Tensor of shape (B, C, F)
        In the units of the series.
    """
    said, counted = series[..., :n_known], counts[..., :n_known]
    n = counted.sum(-1, keepdim=True).clamp(min=1)
    mean = as_given((said * counted).sum(-1, keepdim=True) / n, "level")
    centred = (series - mean) * counts
    squares = centred[..., :n_known].square().sum(-1, keepdim=True)
    deviation = as_given((squares / n).sqrt(), "scale")
    standard = torch.where(deviation > 0, centred / deviation.clamp(min=1e-12), 0.0)
    n_factors = min(N_FACTORS, n_known, series.shape[1])
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(n_known, n_factors, generator=generator, dtype=torch.float64)
    with computing("memory"):
        known = standard[..., :n_known]
        basis = known @ start.to(known)  # B C F
        size = basis.new_ones(())
        for _ in range(N_ITERATIONS):
            basis, triangle = torch.linalg.qr(known @ (known.mT @ basis))
            size = triangle.diagonal(dim1=-2, dim2=-1).abs()  # B F
        basis = basis * (size > LEAST_SHARE * size.amax(-1, keepdim=True))[..., None, :]
    return basis.mT @ standard, basis * deviation
