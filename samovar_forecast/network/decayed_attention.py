"""Causal linear attention in which older keys fade, as a weighted mean.

Per head, with a decay g in (0, 1], ``o_t = sum_{i <= t} g^(t - i) (q_t . k_i) v_i / W_t`` with
``W_t = sum_{i <= t} g^(t - i)``. The weights of a mean keep the outputs at the size of the values,
however many tokens there are, and the decay stands for positions: no table, any length.

Letters: T tokens, H heads, d head width; ``...`` stands for sequences.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

CHUNK_LENGTH = 64
PARALLEL_UP_TO = 128
"""Number of tokens up to which the parallel form is faster than the chunked one."""


def decayed_attention(
    query: Tensor, key: Tensor, value: Tensor, decay: Tensor, *, form: str = "auto"
) -> Tensor:
    """Return the faded causal linear attention of all tokens.

    Parameters
    ----------
    query, key, value : Tensor of shape (..., H, T, d)
    decay : Tensor of shape (H,)
        In (0, 1].
    form : {"auto", "reference", "parallel", "chunked"}, default="auto"
        How to compute it; all agree. The cost of the chunked form is linear in T.

    Returns
    -------
    Tensor of shape (..., H, T, d)
    """
    if form == "auto":
        form = "parallel" if key.shape[-2] <= PARALLEL_UP_TO else "chunked"
    compute = {"reference": _reference, "parallel": _parallel, "chunked": _chunked}[form]
    return compute(query, key, value, decay)


def attention_to_memory(query: Tensor, key: Tensor, value: Tensor, decay: Tensor) -> Tensor:
    """Return :func:`decayed_attention` with the tokens before each token held fixed in derivatives.

    What a token adds itself, ``(q_t . k_t) v_t / W_t``, keeps its derivative.
    """
    attended = decayed_attention(query, key.detach(), value.detach(), decay)
    added = (query.detach() * key).sum(-1, keepdim=True) * value / _total(decay, key.shape[-2])
    return attended + (added - added.detach())


def _reference(query: Tensor, key: Tensor, value: Tensor, decay: Tensor) -> Tensor:
    """Walk through the tokens with a (d, d) state: the recurrence, written out plainly."""
    state = torch.zeros_like(key[..., 0, :, None] * value[..., 0, None, :])
    weight = torch.zeros_like(decay)
    rows = []
    for t in range(key.shape[-2]):
        state = decay[:, None, None] * state + key[..., t, :, None] * value[..., t, None, :]
        weight = decay * weight + 1
        rows.append((query[..., t, None, :] @ state)[..., 0, :] / weight[:, None])
    return torch.stack(rows, -2)


def _powers(decay: Tensor, n_tokens: int) -> Tensor:
    """Return ``g^(t - i)`` for i <= t, else 0; (H, T, T)."""
    steps = torch.arange(n_tokens, device=decay.device)
    distance = (steps[:, None] - steps).clamp(min=0)
    return (decay[:, None, None] ** distance).tril()


def _total(decay: Tensor, n_tokens: int) -> Tensor:
    """Return ``W_t``; (H, T, 1)."""
    return (decay[:, None] ** torch.arange(n_tokens, device=decay.device)).cumsum(-1)[..., None]


def _parallel(query: Tensor, key: Tensor, value: Tensor, decay: Tensor) -> Tensor:
    """Multiply the faded (T, T) table of scores with the values."""
    n_tokens = key.shape[-2]
    weights = _powers(decay, n_tokens) / _total(decay, n_tokens)
    return ((query @ key.mT) * weights) @ value


def _chunked(query: Tensor, key: Tensor, value: Tensor, decay: Tensor) -> Tensor:
    """Use the parallel form inside chunks, and one (d, d) state between them."""
    n_tokens, chunk = key.shape[-2], CHUNK_LENGTH
    pad = -n_tokens % chunk  # on the right, where nothing looks
    query, key, value = (
        F.pad(tensor, (0, 0, 0, pad)).unflatten(-2, (-1, chunk)) for tensor in (query, key, value)
    )  # ... H G chunk d
    steps = torch.arange(chunk, device=decay.device)
    inside = ((query @ key.mT) * _powers(decay, chunk)[:, None]) @ value
    to_end = (decay[:, None] ** (chunk - 1 - steps))[:, None, :, None]  # H 1 chunk 1
    added = (key * to_end).mT @ value  # ... H G d d
    state, before = torch.zeros_like(added[..., 0, :, :]), []
    for group in range(added.shape[-3]):
        before.append(state)
        state = state * (decay**chunk)[:, None, None] + added[..., group, :, :]
    from_start = (decay[:, None] ** (steps + 1))[:, None, :, None]
    output = inside + (query * from_start) @ torch.stack(before, -3)
    total = _total(decay, n_tokens + pad)
    return (output.flatten(-3, -2) / total)[..., :n_tokens, :]
