"""Arithmetic of the small modules, quick on the CPU: norm, linear map, dropout.

Each function computes what its formula says. Which of its forms runs depends on the size of the
input and on whether a derivative can be asked for; the forms agree up to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from samovar_forecast.network.exportable import is_exporting

NARROW = 16
"""Width up to which squares are summed by a product."""

MANY_ROWS = 400
"""Rows from which a linear map is computed as a convolution of a single point."""

MANY_SEQUENCES = 16
"""Sequences from which torch hands a convolution of a single point to oneDNN."""

WIDE_REGISTERS = torch.backends.cpu.get_cpu_capability() == "AVX512"
"""Whether plain products keep up with oneDNN: in single windows, and in the gradients of a map."""

LARGE_PRODUCT = 2**25 if WIDE_REGISTERS else 10**6
"""Multiplications from which oneDNN makes up for the cost of its call."""

_ONEDNN_LINEAR = (
    getattr(torch.ops.mkldnn, "_linear_pointwise", None)
    if torch.backends.mkldnn.is_available()
    else None
)


def is_plain_inference() -> bool:
    """Whether the forward runs in inference mode, and not to be compiled or exported.

    No derivative can then be asked for, in either direction, now or later.
    """
    return torch.is_inference_mode_enabled() and not torch.compiler.is_compiling()


def rms_normalize(
    x: Tensor, gain: Tensor, epsilon: float, *, order: Sequence[int] | None = None
) -> Tensor:
    """Return ``gain * x / sqrt(mean(x^2) + epsilon)``, the mean taken over the last axis.

    With ``order``, the axes of the result are in that order, also in memory, and ``x`` is lost.
    """
    if x.dtype != gain.dtype:  # under mixed precision, norms are taken in full precision
        x = x.to(gain.dtype)
    if order is not None and is_plain_inference():
        # Fresh memory for a large tensor costs as much as filling it: the squares get none.
        out = x.new_empty([x.shape[axis] for axis in order])
        inverse = shifted_mean_square(x, epsilon, out.view(x.shape)).rsqrt_()
        back = [order.index(axis) for axis in range(x.dim())]
        torch.mul(x.mul_(gain), inverse, out=out.permute(back))
        return out
    if torch.is_grad_enabled():
        normal = _RMSNormalize.apply(x, gain, epsilon)  # type: ignore[no-untyped-call]
    else:
        normal = x.mul(shifted_mean_square(x, epsilon).rsqrt_()).mul_(gain)
    return normal if order is None else normal.permute(order).contiguous()


def shifted_mean_square(x: Tensor, epsilon: float, scratch: Tensor | None = None) -> Tensor:
    """Return ``mean(x^2) + epsilon`` over the last axis, kept; for where no gradient is needed.

    A norm over a short axis takes as long as over a long axis; over a short axis a product does the
    sum, of squares that may stand in ``scratch``.
    """
    width = x.shape[-1]
    if width <= NARROW:
        squares = torch.mul(x, x, out=scratch)
        return (squares @ x.new_full((width, 1), 1 / width)).add_(epsilon)
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return torch.addcmul(norm.new_full((), epsilon), norm, norm, value=1 / width)


def _inverse_rms(x: Tensor, epsilon: float) -> Tensor:
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return torch.rsqrt(norm.square() / x.shape[-1] + epsilon)


class _RMSNormalize(torch.autograd.Function):
    """``g x r`` with ``r = 1 / rms(x)``, which keeps ``x`` and ``r`` alone for the way back.

    Left to autograd, every product on the way would be kept too.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: Tensor, epsilon: float) -> Tensor:
        inverse = _inverse_rms(x, epsilon)
        ctx.save_for_backward(x, gain, inverse)
        ctx.epsilon = epsilon
        return (x * inverse).mul_(gain)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor | None, None]:
        x, gain, inverse = ctx.saved_tensors
        if torch.is_grad_enabled():  # for a second derivative, autograd must see r come from x
            inverse = _inverse_rms(x, ctx.epsilon)
        # In place on what was made from ``grad``, which may hold a batch of gradients.
        product = (grad * x).mul_(inverse)
        leading = list(range(x.dim() - gain.dim()))
        grad_gain = None
        if ctx.needs_input_grad[1]:
            grad_gain = product.sum(leading) if leading else product.clone()
        along = product.mul_(gain).mean(-1, keepdim=True)
        grad_x = product.copy_(grad).mul_(gain).mul_(inverse)
        return grad_x.addcmul_(x, along * inverse.square(), value=-1), grad_gain, None


def map_features(x: Tensor, weight: Tensor, bias: Tensor | None, *, then_gelu: bool) -> Tensor:
    """Return ``x W^T + b`` over the last axis, and its GELU if asked.

    Large products on the CPU are computed as a convolution of a single point: numbers and layout
    are those of a plain product, but oneDNN computes them, which on processors of other makers than
    Intel is up to twice as fast as the library behind a plain product. In inference mode oneDNN is
    called directly, if torch has its operator, and smaller products are plain.

    Parameters
    ----------
    x : Tensor of shape (..., T, in)
    weight : Tensor of shape (out, in)
    bias : Tensor of shape (out,), optional
    then_gelu : bool

    Returns
    -------
    Tensor of shape (..., T, out)
    """
    if not _may_call_onednn(x):
        mapped = _map_rows(x, weight, bias)
    elif x.numel() * weight.shape[0] < LARGE_PRODUCT:
        mapped = F.linear(x, weight, bias)
    else:
        then, form = ("gelu", "none") if then_gelu else ("none", "")  # "none": with erf
        return _ONEDNN_LINEAR(x, weight, bias, then, [], form)  # type: ignore[misc]
    return F.gelu(mapped) if then_gelu else mapped


def _map_rows(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    n_in = weight.shape[1]
    # An export holds for any number of windows, and must not ask how many there are.
    is_special = is_exporting() or torch.is_autocast_enabled("cpu")
    is_plain = x.dim() > 2 and _is_plain_cpu(x) and not is_special
    is_large = is_plain and x.numel() >= MANY_ROWS * n_in
    if is_large and x.shape[:-2].numel() >= MANY_SEQUENCES:
        asks_gradient = torch.is_grad_enabled() and not torch.compiler.is_compiling()
        if WIDE_REGISTERS and asks_gradient:
            return _MapRows.apply(x, weight, bias)  # type: ignore[no-untyped-call]
        return _as_convolution(x, weight, bias)
    return F.linear(x, weight, bias)


def _as_convolution(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Map rows (..., T, in) by a convolution of a single point."""
    pixels = x.flatten(0, -3)[:, None].permute(0, 3, 1, 2)  # B in 1 T, in memory as before
    mapped = F.conv2d(pixels, weight[:, :, None, None], bias)  # B out 1 T
    return mapped.permute(0, 2, 3, 1).reshape(*x.shape[:-1], len(weight))  # ... T out


class _MapRows(torch.autograd.Function):
    """A linear map by a convolution, with its gradients by plain products.

    With wide registers these take three quarters of the time of the gradients of a convolution.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _as_convolution(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        n_out, n_in = weight.shape
        slopes, rows = grad.reshape(-1, n_out), x.reshape(-1, n_in)  # ``grad`` may be a batch
        grad_x = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_x = (slopes @ weight).reshape(x.shape)
        if ctx.needs_input_grad[1]:  # a wide table is quicker to fill than a tall one
            grad_weight = slopes.mT @ rows if n_in >= n_out else (rows.mT @ slopes).mT
        if ctx.needs_input_grad[2]:
            grad_bias = slopes.sum(0)
        return grad_x, grad_weight, grad_bias


def _is_plain_cpu(x: Tensor) -> bool:
    return x.dtype == torch.float32 and x.is_cpu


def _may_call_onednn(x: Tensor) -> bool:
    """Whether a product may go to oneDNN's own operator, which has no derivative."""
    return (
        _ONEDNN_LINEAR is not None
        and is_plain_inference()
        and type(x) is Tensor
        and _is_plain_cpu(x)
        and bool(torch.backends.mkldnn.enabled)
        and not torch.is_autocast_enabled("cpu")
    )


def dropout(x: Tensor, p: float) -> Tensor:
    """Set a share ``p`` of the values to 0 and scale the rest up."""
    if p == 0 or x.device.type != "cpu":
        return F.dropout(x, p)
    return x * draw_mask(x, p)


def draw_mask(x: Tensor, p: float) -> Tensor:
    """Return a mask in the shape of ``x``: 0 for a share ``p`` of it, the scale of the rest else.

    It costs 16 random bits a value; the dropout of torch draws a number for each value in turn.
    """
    n_dropped = round(p * 2**16)  # of the 2^16 patterns of bits
    words = torch.randint(-(2**63), 2**63 - 1, (-(-x.numel() // 4),), dtype=torch.int64)
    bits = words.view(torch.int16)[: x.numel()].view(x.shape)
    is_kept = torch.ge(bits, n_dropped - 2**15, out=torch.empty_like(x))
    return is_kept.mul_(2**16 / (2**16 - n_dropped))
