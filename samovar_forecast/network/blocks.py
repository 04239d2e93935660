"""The small modules that every predictor is built from: norm, MLP block."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NORM_EPSILON = 1e-5


def rms_normalize(x: Tensor, gain: Tensor, epsilon: float) -> Tensor:
    """Return ``gain * x / sqrt(mean(x^2) + epsilon)``, the mean taken over the last axis."""
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + epsilon) * gain


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

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``x`` of shape (..., *shape)."""
        return rms_normalize(x, self.gain, self.epsilon)


class Linear(nn.Linear):
    """Linear map whose weights are drawn by ``initialize_weights``, once and only there."""

    def reset_parameters(self) -> None:
        """Leave the weights alone, and with them torch's global random state."""


class MLPBlock(nn.Module):
    """Residual block ``h + dropout(W2 gelu(W1 rms(h) + b1) + b2)`` with hidden width 4 D."""

    def __init__(self, d_model: int, dropout: float) -> None:
        super().__init__()
        self.norm = RMSNorm(d_model)
        self.up = Linear(d_model, 4 * d_model)
        self.down = Linear(4 * d_model, d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, h: Tensor) -> Tensor:
        """Return the block's output; shape (..., D) as given."""
        return h + self.dropout(self.down(F.gelu(self.up(self.norm(h)))))
