"""The arithmetic of a training step on the CPU, with fewer passes over memory than autograd makes.

Beside its matrix products, a step is passes over tensors that no cache holds. Two things help: what
is passed over several times is taken in blocks that a cache does hold, and a batch is taken in
parts, so that the memory of a part serves the next part. Formulas, and every second derivative, are
those of the plain forms (:mod:`samovar_forecast.network.kernels`).

Letters: S sequences, T tokens, R parts (queries and values of each layer), H heads of width d.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from samovar_forecast.network.kernels import rms_normalize, shifted_mean_square

BLOCK = 2**17
"""Numbers of a block."""

WIDEST = 2**21
"""Numbers of the widest tensor of a part: larger tensors are asked of the system anew each time."""


def trains_on_cpu(x: Tensor) -> bool:
    """Whether a gradient will be asked of plain numbers on the CPU, outside a compiled step."""
    is_plain = x.dtype == torch.float32 and x.is_cpu
    return is_plain and torch.is_grad_enabled() and not torch.compiler.is_compiling()


def in_parts(windows: Tensor, numbers: int) -> tuple[Tensor, ...]:
    """Return windows (B, ...) in parts; the widest tensor has so many numbers a window.

    A part has a window at least.
    """
    return windows.split(max(1, WIDEST // numbers))


def normalize_by_head(projected: Tensor, gain: Tensor, epsilon: float) -> tuple[Tensor, ...]:
    """Return ``gain * x / sqrt(mean(x^2) + epsilon)`` over the last axis, part by part.

    Parameters
    ----------
    projected : Tensor of shape (S, T, R, H, d)
    gain : Tensor of shape (R, H, d)
    epsilon : float

    Returns
    -------
    tuple of R Tensors of shape (S*H, T, d)
        In the order in which attention reads them.
    """
    return _NormalizeByHead.apply(projected, gain, epsilon)  # type: ignore[no-untyped-call]


class _NormalizeByHead(torch.autograd.Function):
    """Norm, gain and order in one go, block by block of sequences, either way."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: Tensor, epsilon: float) -> tuple[Tensor, ...]:
        n_sequences, n_tokens, n_parts, heads, width = x.shape
        out = x.new_empty(n_parts, n_sequences, heads, n_tokens, width)
        inverses = []
        for rows in _blocks(x):
            inverse = shifted_mean_square(x[rows], epsilon).rsqrt_()  # rows T R H 1
            in_order = out[:, rows].permute(1, 3, 0, 2, 4)  # rows T R H d
            torch.mul(x[rows] * inverse, gain, out=in_order)
            inverses.append(inverse)
        ctx.save_for_backward(x, gain, *inverses)
        ctx.epsilon = epsilon
        return out.flatten(1, 2).unbind()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, gain, *inverses = ctx.saved_tensors
        if torch.is_grad_enabled():  # a second derivative will be asked for
            normal = rms_normalize(x, gain, ctx.epsilon)
            parts = normal.permute(2, 0, 3, 1, 4).flatten(1, 2).unbind()
            return (*torch.autograd.grad(parts, (x, gain), grads, create_graph=True), None)
        n_sequences, _, _, heads, width = x.shape
        by_sequence = [grad.unflatten(0, (n_sequences, heads)) for grad in grads]  # S H T d
        mean = x.new_full((width, 1), 1 / width)
        grad_x, grad_gain = torch.empty_like(x), torch.zeros_like(gain)
        for rows, inverse in zip(_blocks(x), inverses, strict=True):
            slope = grad_x[rows]  # rows T R H d
            for part, grad in enumerate(by_sequence):
                slope[:, :, part] = grad[rows].transpose(1, 2)
            product = (slope * x[rows]).mul_(inverse)
            grad_gain += product.sum((0, 1))
            along = (product.mul_(gain) @ mean).mul_(inverse.square())
            slope.mul_(gain).mul_(inverse).addcmul_(x[rows], along, value=-1)
        return grad_x, grad_gain, None


def _blocks(x: Tensor) -> Iterator[slice]:
    """Return slices of sequences, each with the numbers of a block, or a single sequence."""
    step = max(1, BLOCK // x[0].numel())
    return (slice(start, start + step) for start in range(0, len(x), step))
