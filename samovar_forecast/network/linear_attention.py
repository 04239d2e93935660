"""Causal linear attention without softmax, in three forms that agree.

All forms compute, head by head, ``o_t = sum_{i <= t} (q_t . k_i) v_i``, equation (8) of
:mod:`samovar_forecast.network`. With ``k = o`` of the layer before, this is a VAR layer: the weight
of value ``v_i`` is the scalar ``q_t . k_i``, and the lag weight on ``k_i`` is the outer product of
``v_i`` and ``q_t``.

Letters: Q queries, T tokens, d head width; ``...`` stands for batch and heads. The queries stand
at every ``stride``-th position, counted back from the last token: stride 1 and Q = T for all
tokens, stride 2 and Q = T / 2 for the endogenous tokens, Q = 1 for the last token.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

CHUNK_LENGTH = 32
PARALLEL_UP_TO = 64
"""Number of tokens up to which the parallel form is faster than the chunked form."""

NARROW_VALUE = 8
"""Width up to which a product is faster turned round: a row of it does not fill a register."""

POWERS = {"root": 0.5, "mean": 1.0}
"""Power of the number of tokens that the sum over them is divided by."""


def scale_queries(query: Tensor, scale: str) -> Tensor:
    """Return queries whose attention is divided by a power of the tokens that they see.

    Parameters
    ----------
    query : Tensor of shape (..., T, d)
        Queries of all tokens; query t sees t of them.
    scale : {"none", "root", "mean"}
        Divide by nothing, ``sqrt(t d)`` or ``t sqrt(d)``.

    Returns
    -------
    Tensor of shape (..., T, d)
    """
    if scale == "none":
        return query
    n_tokens, width = query.shape[-2:]
    n_seen = torch.arange(1, n_tokens + 1, dtype=query.dtype, device=query.device)
    return query / (n_seen ** POWERS[scale] * math.sqrt(width))[:, None]


def linear_attention(
    query: Tensor, key: Tensor, value: Tensor, *, stride: int = 1, form: str = "auto"
) -> Tensor:
    """Return the causal linear attention of queries over keys and values.

    Parameters
    ----------
    query : Tensor of shape (..., Q, d)
        Queries at the positions T - 1 - stride * (Q - 1 - j), j = 0 ... Q - 1.
    key, value : Tensor of shape (..., T, d)
        Keys and values of all tokens.
    stride : int, default=1
        Distance between the positions of two queries.
    form : {"auto", "reference", "parallel", "chunked"}, default="auto"
        How to compute it. ``"auto"`` takes the parallel form up to 64 tokens or for a single
        query, else the chunked form. The (..., T, d, d) running sum is never kept.

    Returns
    -------
    Tensor of shape (..., Q, d)
        On the CPU in the precision of the keys, also under mixed precision: products this small
        are slower in bfloat16.
    """
    if torch.is_autocast_enabled("cpu"):
        with torch.autocast("cpu", enabled=False):
            query, value = query.to(key.dtype), value.to(key.dtype)
            return linear_attention(query, key, value, stride=stride, form=form)
    if form == "auto":
        short = key.shape[-2] <= PARALLEL_UP_TO or query.shape[-2] == 1
        form = "parallel" if short else "chunked"
    if form == "parallel":
        return _parallel(query, key, value, stride)
    if form == "chunked":
        return _chunked(query, key, value, stride)
    return _reference(query, key, value, stride)


def _reference(query: Tensor, key: Tensor, value: Tensor, stride: int) -> Tensor:
    """Walk through the tokens with a (d, d) state: the recurrence, written out plainly."""
    n_queries, n_tokens = query.shape[-2], key.shape[-2]
    state = key.new_zeros(*key.shape[:-2], key.shape[-1], value.shape[-1])
    rows = []
    for t in range(n_tokens):
        state = state + key[..., t, :, None] * value[..., t, None, :]  # ... d d
        j, between = divmod(t - (n_tokens - 1), stride)
        if between == 0 and j + n_queries - 1 >= 0:
            row = query[..., j + n_queries - 1, None, :] @ state  # ... 1 d
            rows.append(row)
    return torch.cat(rows, dim=-2)


def _causal_mask(n_queries: int, n_tokens: int, stride: int, like: Tensor) -> Tensor:
    """Return 1 where a query may see a key, else 0; shape (Q, T)."""
    first = n_tokens - 1 - stride * (n_queries - 1)
    full = torch.ones(n_tokens, n_tokens, dtype=like.dtype, device=like.device).tril()
    return full[first::stride]


def _parallel(query: Tensor, key: Tensor, value: Tensor, stride: int) -> Tensor:
    """Multiply the masked (Q, T) table of scores with the values."""
    multiply = torch.bmm if query.dim() == 3 else torch.matmul  # bmm has less to look at
    scores = multiply(query, key.mT)  # ... Q T
    if query.shape[-2] > 1:
        scores.mul_(_causal_mask(query.shape[-2], key.shape[-2], stride, scores))
        if value.shape[-1] <= NARROW_VALUE and not torch.is_grad_enabled():
            return multiply(value.mT, scores.mT).mT  # ... Q d
    return multiply(scores, value)  # ... Q d


def _chunked(query: Tensor, key: Tensor, value: Tensor, stride: int) -> Tensor:
    """Use the parallel form inside chunks and a (d, d) state between them."""
    n_queries, n_tokens, chunk = query.shape[-2], key.shape[-2], CHUNK_LENGTH
    pad = -n_tokens % chunk  # on the left, where a zero key weighs nothing
    key = _with_zeros_before(key, pad).unflatten(-2, (-1, chunk))  # ... G chunk d
    value = _with_zeros_before(value, pad).unflatten(-2, (-1, chunk))  # ... G chunk d
    per_chunk = chunk // stride
    n_padded = key.shape[-3] * per_chunk
    query = _with_zeros_before(query, n_padded - n_queries)
    query = query.unflatten(-2, (-1, per_chunk))  # ... G chunk/stride d
    within = key.transpose(-1, -2) @ value  # ... G d d
    before = within.cumsum(-3) - within  # of each chunk: the sum over all chunks before it
    output = query @ before + _parallel(query, key, value, stride)  # ... G chunk/stride d
    return output.flatten(-3, -2)[..., n_padded - n_queries :, :]  # ... Q d


def _with_zeros_before(x: Tensor, n: int) -> Tensor:
    """Return ``x`` with n rows of zeros in front; without a copy if n is 0."""
    return F.pad(x, (0, 0, n, 0)) if n else x
