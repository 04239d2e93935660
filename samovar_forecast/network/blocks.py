"""The small modules that every predictor is built from: norm, linear map, dropout, MLP block.

Letters of shapes and numbers of equations: see :mod:`samovar_forecast.network`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from samovar_forecast.network.kernels import dropout, map_features, rms_normalize
from samovar_forecast.network.training_kernels import normalize_by_head, trains_on_cpu

NORM_EPSILON = 1e-5
HEAD_NORM_EPSILON = 1e-8
HEADS_FIRST = (2, 3, 0, 4, 1, 5)
"""Order of the axes of projections (S, T, 2, M, H, d) in which attention reads them."""


class RMSNorm(nn.Module):
    """Root-mean-square norm over the last axis, in the precision of its input.

    Parameters
    ----------
    *shape : int
        Shape of the gain; the norm is taken over its last entry.
    epsilon : float
        Added to the mean square.
    """

    def __init__(self, *shape: int, epsilon: float = NORM_EPSILON) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.gain = nn.Parameter(torch.ones(*shape))

    def forward(self, x: Tensor, *, order: Sequence[int] | None = None) -> Tensor:
        """Normalise ``x`` of shape (..., *shape); see :func:`rms_normalize`."""
        return rms_normalize(x, self.gain, self.epsilon, order=order)


class HeadNorm(RMSNorm):
    """Root-mean-square norm of queries and values, head by head, equation (7).

    Parameters
    ----------
    *shape : int
        (2, M, H, d): queries and values of each layer, heads, and their width.
    """

    def __init__(self, *shape: int) -> None:
        super().__init__(*shape, epsilon=HEAD_NORM_EPSILON)

    def forward(self, projected: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        """Return projections (S, T, 2, M, H, d) as 2 M of (S*H, T, d), queries first."""
        projected = projected.to(self.gain.dtype)  # norms are taken in full precision
        if self.training and trains_on_cpu(projected):
            return normalize_by_head(projected.flatten(2, 3), self.gain.flatten(0, 1), self.epsilon)
        return _part_by_part(super().forward(projected, order=HEADS_FIRST))


def split_heads(projected: Tensor) -> tuple[Tensor, ...]:
    """Return what :class:`HeadNorm` returns, but for the norm."""
    return _part_by_part(projected.permute(HEADS_FIRST).contiguous())


def _part_by_part(both: Tensor) -> tuple[Tensor, ...]:
    """Return queries and values (2, M, S, H, T, d) as 2 M of (S*H, T, d)."""
    return both.flatten(2, 3).flatten(0, 1).unbind()


class Linear(nn.Linear):
    """Linear map whose weights are drawn by ``initialize_weights``, once and only there."""

    def forward(self, x: Tensor, *, then_gelu: bool = False) -> Tensor:
        """Map the last axis of ``x`` (..., T, in) to (..., T, out), and apply GELU if asked."""
        return map_features(x, self.weight, self.bias, then_gelu=then_gelu)

    def reset_parameters(self) -> None:
        """Leave the weights alone, and with them torch's global random state."""


class Dropout(nn.Dropout):
    """Dropout in training, by :func:`dropout`."""

    def forward(self, x: Tensor) -> Tensor:
        """Drop a share of ``x`` in training; else give it back."""
        return dropout(x, self.p) if self.training else x


class MLPBlock(nn.Module):
    """Residual block ``h + dropout(W2 gelu(W1 rms(h) + b1) + b2)`` with hidden width 4 D."""

    def __init__(self, d_model: int, dropout: float) -> None:
        super().__init__()
        self.norm = RMSNorm(d_model)
        self.up = Linear(d_model, 4 * d_model)
        self.down = Linear(4 * d_model, d_model)
        self.dropout = Dropout(dropout)

    def forward(self, h: Tensor) -> Tensor:
        """Return the block's output, equation (5); shape (..., D) as given."""
        added = self.down(self.up(self.norm(h), then_gelu=True))
        return h + self.dropout(added)
