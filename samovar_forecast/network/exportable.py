"""Operations that ONNX lacks: torch's own in a forward, sums and products in an export.

A forward calls torch's functions and keeps their bits. `torch.export`, and with it the exporter of
ONNX, meets the same values computed from operations that every format has.
"""

from __future__ import annotations

import torch
from torch import Tensor

is_exporting = torch.compiler.is_exporting


def running_max(x: Tensor) -> Tensor:
    """Return the largest value so far along the last axis."""
    if not is_exporting():
        return x.cummax(-1).values
    reach, length = 1, x.shape[-1]
    while reach < length:  # the largest of 1, 2, 4, ... values
        x = torch.cat([x[..., :reach], torch.maximum(x[..., reach:], x[..., :-reach])], -1)
        reach *= 2
    return x


def running_min(x: Tensor) -> Tensor:
    """Return the least value so far along the last axis."""
    return -running_max(-x) if is_exporting() else x.cummin(-1).values


def solve_positive(matrix: Tensor, right: Tensor) -> Tensor:
    """Return ``matrix^-1 right`` of positive definite matrices; (..., q, q) and (..., q, K)."""
    if not is_exporting():
        return torch.linalg.solve_ex(matrix, right)[0]
    # Elimination without a choice of pivots, which positive definite matrices do not need.
    q, batch = matrix.shape[-1], torch.broadcast_shapes(matrix.shape[:-2], right.shape[:-2])
    rows = torch.cat([part.expand(*batch, -1, -1) for part in (matrix, right)], -1)
    numbers = torch.arange(q, device=rows.device)[:, None]
    for k in range(q):
        pivot = rows[..., k : k + 1, :] / rows[..., k : k + 1, k : k + 1]
        rows = torch.where(numbers == k, pivot, rows - rows[..., k : k + 1] * pivot)
    return rows[..., q:]
